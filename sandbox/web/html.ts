/**
 * HTML as a value: a template in, text out in which everything that is not itself `Html` is escaped.
 * No other file in this room puts strings between angle brackets.
 */

/** Markup that may be sent as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toString(): string {
    return this.text;
  }
}

type Fill = Html | string | number | undefined | readonly Fill[];

/** `html\`<p>${text}</p>\``: strings and numbers are escaped, lists joined, undefined left out. */
export function html(parts: TemplateStringsArray, ...fills: readonly Fill[]): Html {
  return new Html(parts.map((part, i) => part + fill(fills[i])).join(''));
}

/** Text for element content and for attributes in double quotes. */
function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function fill(value: Fill): string {
  if (value === undefined) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  return value.map(fill).join('');
}
