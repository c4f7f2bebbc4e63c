/**
 * Objects of all buckets: content on disk, one directory per bucket, records beside. That directory is
 * what jobs have mounted: an object is a plain file there, and a file that a job writes there becomes an
 * object (with a new generation) when somebody looks.
 *
 * Objects whose names no file can have, or whose place something else has taken, are kept elsewhere: the
 * API sees them, jobs do not.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxClock } from '../state/clock.ts';
import { Documents } from '../state/documents.ts';
import { errorCode } from '../state/error-code.ts';
import type { Json } from '../wire/json.ts';
import { ContentHasher, type ContentHashes } from './hashes.ts';
import { componentsOf, enterDirectory, openFileInside } from './inside.ts';
import { MountFiles, stampOf } from './mount-files.ts';
import { parseObjectRecord, type ObjectRecord } from './object-record.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';

export interface NewObject {
  readonly bucket: string;
  readonly name: string;
  readonly fields: Readonly<Record<string, Json>>;
  readonly preconditions?: Preconditions;
  /** Keep what it replaces as a noncurrent generation. */
  readonly versioning: boolean;
}

export class ObjectStore {
  readonly #directory: string;
  readonly #records: Documents<ObjectRecord>;
  readonly #mounts: MountFiles;
  readonly #clock: SandboxClock;
  /** bucket → name → live object */
  readonly #live = new Map<string, Map<string, ObjectRecord>>();
  readonly #locks = new Map<string, Promise<unknown>>();
  #lastGeneration = 0;

  private constructor(
    directory: string,
    records: Documents<ObjectRecord>,
    mounts: MountFiles,
    clock: SandboxClock,
  ) {
    this.#directory = directory;
    this.#records = records;
    this.#mounts = mounts;
    this.#clock = clock;
    for (const record of records.values()) {
      this.#lastGeneration = Math.max(this.#lastGeneration, Number(record.generation));
      if (record.timeDeleted === undefined) this.#liveOf(record.bucket).set(record.name, record);
    }
  }

  static async open(
    directory: string,
    options: { readonly clock: SandboxClock; readonly objectsOnClose: boolean },
  ): Promise<ObjectStore> {
    for (const part of ['mounts', 'kept', 'incoming']) {
      await mkdir(join(directory, part), { recursive: true, mode: 0o700 });
    }
    const records = await Documents.open(join(directory, 'objects'), parseObjectRecord);
    const mounts = new MountFiles(join(directory, 'mounts'), options.objectsOnClose);
    return new ObjectStore(directory, records, mounts, options.clock);
  }

  /** The directory that is mounted as `/gcs/<bucket>`. */
  mountOf(bucket: string): string {
    return this.#mounts.rootOf(bucket);
  }

  async createBucket(bucket: string): Promise<void> {
    await mkdir(this.mountOf(bucket), { recursive: true, mode: 0o755 });
  }

  async deleteBucket(bucket: string): Promise<void> {
    await rm(this.mountOf(bucket), { recursive: true, force: true });
    this.#live.delete(bucket);
  }

  /** A fresh path for content on its way in; `put` takes the file away. */
  incomingPath(): string {
    return join(this.#directory, 'incoming', randomUUID());
  }

  async find(bucket: string, name: string, generation?: string): Promise<ObjectRecord | undefined> {
    await this.#exclusive(bucket, () => this.#adoptOne(bucket, name));
    const live = this.#live.get(bucket)?.get(name);
    if (generation === undefined || live?.generation === generation) return live;
    return this.#records.get(recordKey({ bucket, name, generation }));
  }

  /** By name, then by generation; live ones only unless `versions`. */
  async list(bucket: string, options: { readonly versions: boolean }): Promise<ObjectRecord[]> {
    await this.#exclusive(bucket, () => this.#adoptAll(bucket));
    const live = [...(this.#live.get(bucket)?.values() ?? [])];
    const old = options.versions
      ? this.#records
          .values()
          .filter((record) => record.bucket === bucket && record.timeDeleted !== undefined)
      : [];
    return [...live, ...old].sort(
      (a, b) => compareUtf8(a.name, b.name) || Number(a.generation) - Number(b.generation),
    );
  }

  /** Takes the file at `path` as the object's content. @throws StorageError 412 */
  put(object: NewObject, path: string, hashes?: ContentHashes): Promise<ObjectRecord> {
    return this.#exclusive(object.bucket, async () => {
      try {
        await this.#adoptOne(object.bucket, object.name);
        const current = this.#live.get(object.bucket)?.get(object.name);
        checkPreconditions(object.preconditions ?? {}, current, 'write');
        const content = hashes ?? (await hashFile(createReadStream(path)));
        if (current !== undefined) await this.#retire(current, object.versioning);
        const now = this.#clock.now().toISOString();
        const record = await this.#place(path, {
          bucket: object.bucket,
          name: object.name,
          generation: this.#nextGeneration(),
          metageneration: 1,
          ...content,
          timeCreated: now,
          updated: now,
          fields: object.fields,
          place: 'kept',
        });
        await this.#save(record);
        return record;
      } finally {
        await rm(path, { force: true });
      }
    });
  }

  /** For the services' own small files, such as build logs. */
  async putBytes(
    bucket: string,
    name: string,
    bytes: Uint8Array,
    contentType: string,
  ): Promise<void> {
    const path = this.incomingPath();
    const file = await open(path, 'wx', 0o644);
    await file.writeFile(bytes);
    await file.close();
    await this.put({ bucket, name, fields: { contentType }, versioning: false }, path);
  }

  /** Changes the client's own fields. @throws StorageError 412 */
  update(
    record: ObjectRecord,
    fields: ObjectRecord['fields'],
    preconditions: Preconditions,
  ): Promise<ObjectRecord> {
    return this.#exclusive(record.bucket, async () => {
      checkPreconditions(preconditions, record, 'write');
      const metageneration = record.metageneration + 1;
      const updated = this.#clock.now().toISOString();
      const next = { ...record, fields, metageneration, updated };
      await this.#save(next);
      return next;
    });
  }

  /** @throws StorageError 412 */
  delete(
    record: ObjectRecord,
    options: { readonly versioning: boolean; readonly preconditions: Preconditions },
  ): Promise<void> {
    return this.#exclusive(record.bucket, async () => {
      checkPreconditions(options.preconditions, record, 'write');
      await this.#retire(record, options.versioning && record.timeDeleted === undefined);
    });
  }

  /** The content's handle, to be closed by the caller; undefined when a job has taken it away meanwhile. */
  async openContent(record: ObjectRecord): Promise<FileHandle | undefined> {
    if (record.place === 'kept') return open(this.#keptPath(record), 'r');
    return openFileInside(this.mountOf(record.bucket), componentsOf(record.name) ?? []);
  }

  /** The path of a copy that nobody changes, for the executor. */
  async exportTo(record: ObjectRecord, path: string): Promise<boolean> {
    const source = await this.openContent(record);
    if (source === undefined) return false;
    const stream = source.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>;
    try {
      await writeFile(path, stream, { mode: 0o600 });
    } finally {
      await source.close();
    }
    return true;
  }

  flush(): Promise<void> {
    return this.#records.flush();
  }

  async #adoptOne(bucket: string, name: string): Promise<void> {
    const known = this.#live.get(bucket)?.get(name)?.stamp;
    await this.#adopt(bucket, name, await this.#mounts.look(bucket, name, known));
  }

  async #adoptAll(bucket: string): Promise<void> {
    const files = await this.#mounts.walk(bucket);
    const names = new Set([...files, ...(this.#live.get(bucket)?.keys() ?? [])]);
    for (const name of names) await this.#adoptOne(bucket, name);
  }

  async #adopt(bucket: string, name: string, stamp: string | undefined): Promise<void> {
    const known = this.#live.get(bucket)?.get(name);
    if (known?.place === 'kept' || known?.stamp === stamp) return;
    if (stamp === undefined) {
      // A job has removed the file (or has it open: then it comes back when it is closed).
      if (known !== undefined) await this.#forget(known);
      return;
    }
    const file = await openFileInside(this.mountOf(bucket), componentsOf(name) ?? []);
    if (file === undefined) return;
    try {
      const status = await file.stat();
      const stamped = stampOf(status);
      // No further than it is long now: its writer may be quicker than we are.
      const end = status.size - 1;
      const bytes = end < 0 ? [] : file.createReadStream({ autoClose: false, start: 0, end });
      const hashes = await hashFile(bytes as AsyncIterable<unknown>);
      if (known !== undefined) await this.#forget(known);
      const now = this.#clock.now().toISOString();
      await this.#save({
        bucket,
        name,
        generation: this.#nextGeneration(),
        metageneration: 1,
        ...hashes,
        timeCreated: now,
        updated: now,
        fields: { contentType: 'application/octet-stream' },
        place: 'file',
        stamp: stamped,
      });
    } finally {
      await file.close();
    }
  }

  /** Moves the content to where jobs see it, if a file can be there, else to where only the API does. */
  async #place(path: string, record: ObjectRecord): Promise<ObjectRecord> {
    const parts = componentsOf(record.name);
    const directory =
      parts === undefined
        ? undefined
        : await enterDirectory(this.mountOf(record.bucket), parts.slice(0, -1), { create: true });
    if (parts !== undefined && directory !== undefined) {
      try {
        // The stamp first: a job may write to the file from its first moment in the mount.
        const file = await open(path, 'r');
        const stamp = stampOf(await file.stat());
        await file.close();
        await rename(path, directory.path(parts.at(-1) ?? ''));
        return { ...record, place: 'file', stamp };
      } catch (error) {
        if (errorCode(error) !== 'EISDIR') throw error;
      } finally {
        await directory.close();
      }
    }
    await rename(path, this.#keptPath(record));
    return record;
  }

  async #retire(record: ObjectRecord, keep: boolean): Promise<void> {
    if (!keep) {
      await this.#removeContent(record);
      await this.#forget(record);
      return;
    }
    const path = this.incomingPath();
    await this.exportTo(record, path);
    await this.#removeContent(record);
    await rename(path, this.#keptPath(record));
    this.#live.get(record.bucket)?.delete(record.name);
    const { stamp: _, ...rest } = record;
    const timeDeleted = this.#clock.now().toISOString();
    await this.#records.put(recordKey(record), { ...rest, place: 'kept', timeDeleted });
  }

  async #removeContent(record: ObjectRecord): Promise<void> {
    if (record.place === 'kept') return rm(this.#keptPath(record), { force: true });
    await this.#mounts.remove(record.bucket, record.name);
  }

  async #forget(record: ObjectRecord): Promise<void> {
    if (record.timeDeleted === undefined) this.#live.get(record.bucket)?.delete(record.name);
    await this.#records.delete(recordKey(record));
  }

  async #save(record: ObjectRecord): Promise<void> {
    if (record.timeDeleted === undefined) this.#liveOf(record.bucket).set(record.name, record);
    await this.#records.put(recordKey(record), record);
  }

  #liveOf(bucket: string): Map<string, ObjectRecord> {
    const objects = this.#live.get(bucket) ?? new Map<string, ObjectRecord>();
    this.#live.set(bucket, objects);
    return objects;
  }

  #keptPath(record: Pick<ObjectRecord, 'bucket' | 'name' | 'generation'>): string {
    const hash = createHash('sha256').update(recordKey(record)).digest('hex');
    return join(this.#directory, 'kept', hash);
  }

  /** Microseconds, as production's generations look, but never twice the same. */
  #nextGeneration(): string {
    this.#lastGeneration = Math.max(this.#lastGeneration + 1, this.#clock.now().getTime() * 1_000);
    return String(this.#lastGeneration);
  }

  /** One at a time per bucket: between a precondition's check and the write nothing else happens. */
  #exclusive<T>(bucket: string, work: () => Promise<T>): Promise<T> {
    const before = this.#locks.get(bucket) ?? Promise.resolve();
    const result = before.then(work);
    const settled = result.catch(() => undefined);
    this.#locks.set(bucket, settled);
    return result;
  }
}

async function hashFile(stream: AsyncIterable<unknown>): Promise<ContentHashes> {
  const hasher = new ContentHasher();
  for await (const chunk of stream as AsyncIterable<Buffer>) hasher.update(chunk);
  return hasher.finish();
}

function recordKey(record: Pick<ObjectRecord, 'bucket' | 'name' | 'generation'>): string {
  return `${record.bucket}/${record.name}#${record.generation}`;
}

/** Cloud Storage lists by UTF-8 bytes, not by UTF-16 units. */
function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
