/**
 * Unpacking archives that strangers made. In: a tar.gz stream, or the path of a source archive (tar.gz or
 * zip), and an empty (or, for layers, partly filled) directory. Out: its files, none of them outside of that
 * directory.
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { ArchiveError } from './archive-entry.ts';
import { EntryWriter, type WriteOptions } from './entry-writer.ts';
import { PathError } from './inside-root.ts';
import { isZip, readZip } from './read-zip.ts';

export interface UnpackOptions extends WriteOptions {
  readonly signal?: AbortSignal;
}

/**
 * Unpacks what somebody has put into a bucket to be built.
 * @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#storagesource (.zip or .tar.gz)
 * @throws ArchiveError; the directory may then be half filled.
 */
export async function unpackSource(path: string, root: string, signal: AbortSignal): Promise<void> {
  const options = { kind: 'source', signal } as const;
  if (await isZipFile(path)) await unpackZip(path, root, options);
  else await unpack(createReadStream(path), root, options);
}

async function isZipFile(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const start = Buffer.alloc(2);
    await file.read(start, 0, start.length, 0);
    return isZip(start);
  } finally {
    await file.close();
  }
}

async function unpackZip(path: string, root: string, options: UnpackOptions): Promise<void> {
  const writer = new EntryWriter(root, options);
  try {
    for await (const entry of readZip(path)) {
      options.signal?.throwIfAborted();
      await writer.write(entry);
    }
  } catch (error) {
    throw explain(error);
  }
}

/** Unpacks the whole tar.gz. @throws ArchiveError; the directory may then be half filled. */
export async function unpack(
  archive: NodeJS.ReadableStream,
  root: string,
  options: UnpackOptions,
): Promise<void> {
  const tar = extract();
  const writer = new EntryWriter(root, options);
  // Both ends must be watched at once: an error of the reader must stop the loop and the reverse.
  const feeding = pipeline(archive, createGunzip(), tar, { signal: options.signal });
  const settled = feeding.then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    for await (const entry of tar) {
      const { name, type, size, mode, linkname } = entry.header;
      await writer.write({ name, type, size, mode, linkname, content: entry });
    }
  } catch (error) {
    tar.destroy();
    const cause = (await settled) ?? error;
    throw explain(error instanceof ArchiveError || error instanceof PathError ? error : cause);
  }
  const failure = await settled;
  if (failure !== undefined) throw explain(failure);
}

function explain(error: unknown): unknown {
  if (error instanceof ArchiveError) return error;
  if (error instanceof PathError) return new ArchiveError(error.message, { cause: error });
  const { code, name } = error as NodeJS.ErrnoException;
  if (name === 'AbortError') return error;
  const isFormat = code === undefined || code.startsWith('Z_') || code.startsWith('ERR_STREAM');
  return isFormat
    ? new ArchiveError(`the archive is damaged: ${(error as Error).message}`, { cause: error })
    : error;
}
