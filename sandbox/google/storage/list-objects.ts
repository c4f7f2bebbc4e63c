/** One page of a bucket's objects: sorted records and the list's parameters in, the JSON answer out. */
import type { JsonObject } from '../wire/json.ts';
import { toObjectResource, type ObjectRecord } from './object-record.ts';
import { invalid } from './storage-error.ts';

const maxResults = 1_000;

/** Either an object or a "directory" that the delimiter makes. `key` is its place in the order. */
type Item =
  | { readonly key: string; readonly record: ObjectRecord }
  | { readonly key: string; readonly prefix: string };

/** @see https://cloud.google.com/storage/docs/json_api/v1/objects/list */
export function listObjects(
  records: readonly ObjectRecord[],
  query: URLSearchParams,
  origin: string,
): JsonObject {
  const limit = readLimit(query.get('maxResults'));
  const items = collapse(records.filter(inRange(query)), query);
  const token = query.get('pageToken');
  const after = token === null ? undefined : Buffer.from(token, 'base64url').toString('utf8');
  const start = after === undefined ? 0 : items.findIndex(({ key }) => compare(key, after) > 0);
  const rest = start < 0 ? [] : items.slice(start);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  const objects = page.flatMap((item) =>
    'record' in item ? [toObjectResource(item.record, origin)] : [],
  );
  const prefixes = page.flatMap((item) => ('prefix' in item ? [item.prefix] : []));
  return {
    kind: 'storage#objects',
    ...(objects.length > 0 ? { items: objects } : {}),
    ...(prefixes.length > 0 ? { prefixes } : {}),
    ...(rest.length > limit && last !== undefined
      ? { nextPageToken: Buffer.from(last.key).toString('base64url') }
      : {}),
  };
}

/** `maxResults` of a list. @throws StorageError 400 */
export function readLimit(text: string | null): number {
  if (text === null) return maxResults;
  if (!/^\d{1,9}$/.test(text)) throw invalid(`Invalid unsigned integer value: '${text}'.`);
  const limit = Number(text);
  return limit === 0 ? maxResults : Math.min(limit, maxResults);
}

/** Clients in Python write `True`. */
export function isTrue(text: string | null): boolean {
  return text?.toLowerCase() === 'true';
}

function inRange(query: URLSearchParams): (record: ObjectRecord) => boolean {
  const prefix = query.get('prefix') ?? '';
  const startOffset = query.get('startOffset');
  const endOffset = query.get('endOffset');
  return ({ name }) =>
    name.startsWith(prefix) &&
    (startOffset === null || compare(name, startOffset) >= 0) &&
    (endOffset === null || compare(name, endOffset) < 0);
}

/** Names that go on after a delimiter behind the prefix become one item. */
function collapse(records: readonly ObjectRecord[], query: URLSearchParams): Item[] {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const trailing = isTrue(query.get('includeTrailingDelimiter'));
  const items: Item[] = [];
  const seen = new Set<string>();
  for (const record of records) {
    const at = delimiter === '' ? -1 : record.name.indexOf(delimiter, prefix.length);
    if (at >= 0) {
      const directory = record.name.slice(0, at + delimiter.length);
      if (!seen.has(directory)) items.push({ key: directory, prefix: directory });
      seen.add(directory);
      if (!trailing || record.name !== directory) continue;
    }
    items.push({ key: `${record.name}\0${record.generation.padStart(20, '0')}`, record });
  }
  return items;
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
