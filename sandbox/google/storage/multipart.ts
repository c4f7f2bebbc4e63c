/**
 * Multipart uploads: the whole body in a file in, the metadata and where the content lies out. The body is
 * not held in memory. Lines may end with a bare LF and the boundary stand in single quotes: gcloud sends
 * both.
 * @see https://cloud.google.com/storage/docs/uploading-objects#uploading-an-object (multipart/related)
 */
import { open } from 'node:fs/promises';
import { invalid } from './storage-error.ts';

interface MultipartBody {
  readonly metadata: Buffer;
  readonly contentType: string | undefined;
  /** Byte offsets of the content within the file; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}

/** The metadata of one object; custom metadata is limited to 8 KiB by the service. */
const maxHeadBytes = 1024 * 1024;

/** @throws StorageError 400 */
export async function readMultipart(path: string, contentType: string): Promise<MultipartBody> {
  const boundary = boundaryOf(contentType);
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(Math.min(size, maxHeadBytes));
    await file.read(head, 0, head.length, 0);
    const parts = readHead(head, boundary);
    const tail = Buffer.alloc(Math.min(size - parts.start, boundary.length + 64));
    await file.read(tail, 0, tail.length, size - tail.length);
    const closing = tail.lastIndexOf(`${parts.newline}--${boundary}--`);
    if (closing < 0) throw invalid('Malformed multipart body: the closing boundary is missing.');
    return { ...parts, end: size - tail.length + closing };
  } finally {
    await file.close();
  }
}

function boundaryOf(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"]{1,200})"|'([^']{1,200})'|([^;\s]{1,200}))/i.exec(
    contentType,
  );
  const boundary = match?.[1] ?? match?.[2] ?? match?.[3];
  if (!/^multipart\/related\b/i.test(contentType) || boundary === undefined) {
    throw invalid('Content-Type must be multipart/related with a boundary.');
  }
  return boundary;
}

function readHead(
  head: Buffer,
  boundary: string,
): Omit<MultipartBody, 'end'> & { readonly newline: string } {
  const first = head.indexOf(`--${boundary}`);
  if (first < 0) throw invalid('Malformed multipart body: the boundary is not in it.');
  const afterFirst = first + boundary.length + 2;
  const newline = head[afterFirst] === 0x0d ? '\r\n' : '\n';
  const metadataPart = readPart(head, afterFirst, newline);
  const second = head.indexOf(`${newline}--${boundary}`, metadataPart.start - newline.length);
  if (second < 0) throw invalid('Malformed multipart body: there must be two parts.');
  const afterSecond = second + newline.length + boundary.length + 2;
  const media = readPart(head, afterSecond, newline);
  return {
    metadata: head.subarray(metadataPart.start, Math.max(second, metadataPart.start)),
    contentType: media.headers.get('content-type'),
    start: media.start,
    newline,
  };
}

/** A part's headers, and where its content starts. */
function readPart(
  head: Buffer,
  at: number,
  newline: string,
): { readonly headers: ReadonlyMap<string, string>; readonly start: number } {
  const end = head.indexOf(newline + newline, at);
  if (end < 0) throw invalid('Malformed multipart body: a part has no end of headers.');
  const headers = head
    .toString('latin1', at, end)
    .split(newline)
    .flatMap((line) => {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
      return name === '' ? [] : [[name, line.slice(colon + 1).trim()] as const];
    });
  return { headers: new Map(headers), start: end + 2 * newline.length };
}
