/**
 * Blob uploads that take several requests. In: chunks as they come. Out: files that the registry then
 * checks and keeps. What nobody finishes goes away with the next start.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { maxBlobBytes } from './blobs.ts';
import { RegistryError } from './registry-error.ts';

interface Upload {
  readonly repository: string;
  readonly file: string;
  size: number;
  busy: boolean;
}

const maxUploads = 1_000;

export class Uploads {
  readonly #directory: string;
  readonly #uploads = new Map<string, Upload>();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string): Promise<Uploads> {
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    return new Uploads(directory);
  }

  async begin(repository: string): Promise<string> {
    const oldest = this.#uploads.keys().next().value;
    if (this.#uploads.size >= maxUploads && oldest !== undefined) await this.end(oldest);
    const id = randomUUID();
    this.#uploads.set(id, {
      repository,
      file: join(this.#directory, id),
      size: 0,
      busy: false,
    });
    return id;
  }

  /** Bytes so far. @throws RegistryError `BLOB_UPLOAD_UNKNOWN` */
  size(id: string, repository: string): number {
    return this.#find(id, repository).size;
  }

  /** Appends a chunk and returns the new size. `start`, when given, must be where the last chunk ended. */
  async append(
    id: string,
    repository: string,
    chunk: AsyncIterable<Uint8Array>,
    start: number | undefined,
  ): Promise<number> {
    const upload = this.#find(id, repository);
    if (upload.busy)
      throw new RegistryError('BLOB_UPLOAD_INVALID', 'another chunk is being written');
    if (start !== undefined && start !== upload.size) {
      throw new RegistryError('RANGE_INVALID', `the next chunk begins at ${upload.size}`);
    }
    upload.busy = true;
    let size = upload.size;
    const metered = async function* (): AsyncGenerator<Uint8Array> {
      for await (const part of chunk) {
        size += part.byteLength;
        if (size > maxBlobBytes) throw new RegistryError('SIZE_INVALID', 'the blob is too large');
        yield part;
      }
    };
    try {
      await pipeline(metered, createWriteStream(upload.file, { flags: 'a' }));
      upload.size = size;
      return size;
    } catch (error) {
      // A chunk counts whole or not at all, so that the client can send it again.
      await truncate(upload.file, upload.size).catch(() => undefined);
      throw error;
    } finally {
      upload.busy = false;
    }
  }

  read(id: string, repository: string): AsyncIterable<Uint8Array> {
    return createReadStream(this.#find(id, repository).file);
  }

  async end(id: string): Promise<void> {
    const upload = this.#uploads.get(id);
    this.#uploads.delete(id);
    if (upload !== undefined) await rm(upload.file, { force: true });
  }

  #find(id: string, repository: string): Upload {
    const upload = this.#uploads.get(id);
    if (upload?.repository !== repository) {
      throw new RegistryError('BLOB_UPLOAD_UNKNOWN', `no such upload: ${id}`);
    }
    return upload;
  }
}
