/** The `ObjectStore` port over Cloud Storage: streams and prefixes in, generations, listings and bytes out. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { File, Storage } from '@google-cloud/storage';
import { CloudError } from '../errors.ts';
import type { ObjectStore, StoredObject } from '../ports.ts';
import type { Sender } from './requests.ts';
import * as names from './resource-names.ts';

export function createObjects(client: () => Promise<Storage>, sender: Sender): ObjectStore {
  return {
    put: async (where, open) => {
      const storage = await client();
      const file = storage.bucket(names.bucket(where.bucket)).file(names.objectName(where.object));
      if (await upload(file, open, 0, sender)) return generationOf(file, sender);
      const [there] = await sender.read('objects.get', () => file.getMetadata());
      // Whoever can write to the bucket, such as a build of somebody's Dockerfile, may have left something else
      // under a name that is known beforehand. Ours are the same bytes whoever packs them.
      if (there.md5Hash === (await md5Of(open()))) return generationOf(file, sender);
      if (await upload(file, open, there.generation ?? '', sender))
        return generationOf(file, sender);
      throw new CloudError('objects.insert', 'somebody else is writing this object as well', {
        status: 412,
        retryable: true,
        ambiguous: false,
      });
    },
    list: async (where) => {
      const bucket = (await client()).bucket(names.bucket(where.bucket));
      const query = { prefix: where.prefix, maxResults: where.limit, autoPaginate: false };
      const [files] = await sender.read('objects.list', () => bucket.getFiles(query));
      return files.slice(0, where.limit).map(({ name, metadata }): StoredObject => ({
        name,
        size: Number(metadata.size ?? 0),
        generation: String(metadata.generation ?? ''),
        createdAt: metadata.timeCreated ?? new Date(0).toISOString(),
      }));
    },
    read: async (where) => {
      const storage = await client();
      return sender.read('objects.get', () =>
        readRange(storage, where, { start: 0, end: where.maxBytes - 1 }),
      );
    },
  };
}

/**
 * Writes the object if it is of that generation, 0 being that there is none; repeating it is harmless, and what
 * exists costs no upload.
 * @returns false when it is not, and nothing was written
 */
async function upload(
  file: File,
  open: () => NodeJS.ReadableStream,
  ifGenerationMatch: number | string,
  sender: Sender,
): Promise<boolean> {
  try {
    await sender.write('objects.insert', () =>
      pipeline(
        open(),
        file.createWriteStream({
          resumable: true,
          // What arrived is held against what was sent. CRC32C would do as well, but the library computes
          // it in JavaScript, which takes five times as long.
          validation: 'md5',
          preconditionOpts: { ifGenerationMatch },
          metadata: { contentType: 'application/octet-stream' },
        }),
      ),
    );
    return true;
  } catch (error) {
    if (!(error instanceof CloudError) || error.status !== 412) throw error;
    return false;
  }
}

/** As the last answer about the object said it. */
async function generationOf(file: File, sender: Sender): Promise<{ readonly generation: string }> {
  const known = file.metadata.generation;
  if (known !== undefined) return { generation: String(known) };
  const [metadata] = await sender.read('objects.get', () => file.getMetadata());
  return { generation: String(metadata.generation ?? '') };
}

async function md5Of(stream: NodeJS.ReadableStream): Promise<string> {
  const hash = createHash('md5');
  await pipeline(stream, hash);
  return hash.digest('base64');
}

const maxListeners = 20;

/**
 * The bytes from `start` to `end` (inclusive), fewer when the object ends before; empty when it has none
 * there. Throws what the library throws.
 */
export async function readRange(
  storage: Storage,
  where: { readonly bucket: string; readonly object: string; readonly generation?: string },
  range: { readonly start: number; readonly end: number },
): Promise<Buffer> {
  const options = where.generation === undefined ? {} : { generation: where.generation };
  const file = storage
    .bucket(names.bucket(where.bucket))
    .file(names.objectName(where.object), options);
  const chunks: Buffer[] = [];
  try {
    // A part of an object cannot be held against the whole object's hash.
    const stream: Readable = file.createReadStream({ ...range, validation: false });
    // The library itself listens to an answer twelve times over, and Node would warn of a leak for each.
    stream.once('response', (answer: Readable) => answer.setMaxListeners(maxListeners));
    let left = range.end - range.start + 1;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      chunks.push(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) break;
    }
    return Buffer.concat(chunks);
  } catch (error) {
    // "Range not satisfiable": the object ends at or before `start`.
    if (error instanceof Error && 'code' in error && Number(error.code) === 416) {
      return Buffer.alloc(0);
    }
    throw error;
  }
}
