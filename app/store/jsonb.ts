/** Values into text that PostgreSQL's jsonb and text types accept, whatever people put into strings. */

/**
 * JSON text of plain data. jsonb refuses NUL characters and lone surrogates, which hostile log lines and
 * metric names may hold; both become U+FFFD.
 * @see https://www.postgresql.org/docs/current/datatype-json.html
 */
export function toJsonb(value: unknown): string {
  return JSON.stringify(cleaned(value));
}

/** As for jsonb; `text` refuses NUL as well. */
export function toText(text: string): string {
  return text.toWellFormed().replaceAll('\u0000', '\ufffd');
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return toText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [toText(key), cleaned(entry)]),
  );
}
