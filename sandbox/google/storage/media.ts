/** An object's content on its way out: whole or a range of it, with the hashes in headers. */
import { pipeline } from 'node:stream/promises';
import { sendEmpty, type Exchange } from '../http.ts';
import { textAt } from '../wire/json.ts';
import type { ObjectRecord } from './object-record.ts';
import type { ObjectStore } from './object-store.ts';
import { noSuchObject, StorageError } from './storage-error.ts';

export async function sendMedia(
  objects: ObjectStore,
  exchange: Exchange,
  record: ObjectRecord,
): Promise<void> {
  const { request, response, verb } = exchange;
  const range = readRange(request.headers.range, record.size);
  const headers = headersOf(record);
  if (range === 'unsatisfiable') {
    throw new StorageError(416, 'requestedRangeNotSatisfiable', 'Request range not satisfiable', {
      'content-range': `bytes */${record.size}`,
    });
  }
  const { start, end } = range ?? { start: 0, end: record.size - 1 };
  const length = end - start + 1;
  const partial =
    range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${record.size}` };
  if (verb === 'HEAD' || length === 0) {
    if (verb !== 'HEAD') {
      sendEmpty(response, 200, headers);
      return;
    }
    response.writeHead(200, { ...headers, 'content-length': record.size });
    response.end();
    return;
  }
  const file = await objects.openContent(record);
  if (file === undefined) throw noSuchObject(record.bucket, record.name);
  response.writeHead(range === undefined ? 200 : 206, {
    ...headers,
    ...partial,
    'content-length': length,
  });
  await pipeline(file.createReadStream({ start, end }), response);
}

function headersOf(record: ObjectRecord): Record<string, string> {
  const optional: Record<string, string> = {};
  for (const [header, field] of [
    ['content-type', 'contentType'],
    ['content-encoding', 'contentEncoding'],
    ['content-disposition', 'contentDisposition'],
    ['content-language', 'contentLanguage'],
    ['cache-control', 'cacheControl'],
  ] as const) {
    const value = textAt(record.fields, field);
    // Header values come from clients: nothing that could end a header line, or that Node refuses.
    if (/^[\t\x20-\x7e]+$/.test(value)) optional[header] = value;
  }
  return {
    ...optional,
    'accept-ranges': 'bytes',
    etag: `"${record.generation}"`,
    'last-modified': new Date(record.updated).toUTCString(),
    'x-goog-generation': record.generation,
    'x-goog-metageneration': String(record.metageneration),
    'x-goog-hash': `crc32c=${record.crc32c},md5=${record.md5Hash}`,
    'x-goog-storage-class': 'STANDARD',
    'x-goog-stored-content-encoding': textAt(record.fields, 'contentEncoding') || 'identity',
    'x-goog-stored-content-length': String(record.size),
    // Content is hostile: a browser that is led here must not take it for a page of ours.
    'x-content-type-options': 'nosniff',
    'content-security-policy': 'sandbox',
  };
}

/** One range only, as Cloud Storage serves it; undefined for none or one that is not understood. */
function readRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (start >= size) return 'unsatisfiable';
  return end < start ? undefined : { start, end };
}
