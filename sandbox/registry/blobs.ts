/**
 * Bytes on disk, found by their SHA-256. A blob is written aside and renamed, so that a name that is
 * there always has all of its bytes, whatever was killed when.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isDigest } from './image-reference.ts';
import type { Descriptor } from './registry.ts';
import { RegistryError } from './registry-error.ts';

/** A layer larger than this is refused: the sandbox lives on somebody's laptop. */
export const maxBlobBytes = 8 * 1024 ** 3;

export interface BlobStore {
  put(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    expectedDigest?: string,
  ): Promise<Descriptor>;
  size(digest: string): Promise<number | undefined>;
  read(digest: string): Promise<Buffer | undefined>;
  open(digest: string): NodeJS.ReadableStream;
}

export async function openBlobs(directory: string): Promise<BlobStore> {
  const blobs = join(directory, 'sha256');
  const incoming = join(directory, 'incoming');
  // What is left in there belongs to a process that is gone.
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  await mkdir(blobs, { recursive: true });

  const pathOf = (digest: string): string => {
    if (!isDigest(digest)) throw new RegistryError('DIGEST_INVALID', `not a digest: ${digest}`);
    return join(blobs, digest.slice('sha256:'.length));
  };
  const size = async (digest: string): Promise<number | undefined> => {
    const found = await stat(pathOf(digest)).catch(ignoreMissing);
    return found?.size;
  };
  return {
    size,
    read: (digest) => readFile(pathOf(digest)).catch(ignoreMissing),
    open: (digest) => createReadStream(pathOf(digest)),
    put: async (content, expectedDigest) => {
      if (expectedDigest !== undefined) pathOf(expectedDigest);
      const aside = join(incoming, randomUUID());
      try {
        const written = await writeHashed(content, aside);
        if (expectedDigest !== undefined && expectedDigest !== written.digest) {
          throw new RegistryError(
            'DIGEST_INVALID',
            `the content has the digest ${written.digest}, not ${expectedDigest}`,
          );
        }
        await rename(aside, pathOf(written.digest));
        return written;
      } finally {
        await rm(aside, { force: true });
      }
    },
  };
}

async function writeHashed(
  content: Uint8Array | AsyncIterable<Uint8Array>,
  file: string,
): Promise<Descriptor> {
  const hash = createHash('sha256');
  let size = 0;
  const meter = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      size += chunk.byteLength;
      if (size > maxBlobBytes) {
        done(new RegistryError('SIZE_INVALID', `a blob may have ${maxBlobBytes} bytes`));
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const source = content instanceof Uint8Array ? [content] : content;
  await pipeline(Readable.from(source, { objectMode: false }), meter, createWriteStream(file));
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}
