/**
 * Documents that survive a restart: one small JSON file each, all of them in memory. Written to a file
 * beside and renamed, so that a crash leaves the old or the new one, never a half.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Stored<T> {
  readonly key: string;
  readonly value: T;
}

export class Documents<T> {
  readonly #directory: string;
  readonly #values: Map<string, T>;
  /** Writes of one key go one after the other. */
  readonly #writing = new Map<string, Promise<void>>();

  private constructor(directory: string, values: Map<string, T>) {
    this.#directory = directory;
    this.#values = values;
  }

  /** @param parse checks what the file holds; what it throws names the file. */
  static async open<T>(directory: string, parse: (value: unknown) => T): Promise<Documents<T>> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const values = new Map<string, T>();
    for (const file of (await readdir(directory)).sort()) {
      if (!file.endsWith('.json')) continue;
      const path = join(directory, file);
      try {
        const stored = JSON.parse(await readFile(path, 'utf8')) as Stored<unknown>;
        values.set(stored.key, parse(stored.value));
      } catch (error) {
        throw new Error(`the sandbox cannot read ${path}; delete it to go on without`, {
          cause: error,
        });
      }
    }
    return new Documents(directory, values);
  }

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  values(): T[] {
    return [...this.#values.values()];
  }

  entries(): [string, T][] {
    return [...this.#values.entries()];
  }

  /** Visible at once; the promise says when it is on disk. */
  put(key: string, value: T): Promise<void> {
    this.#values.set(key, value);
    return this.#write(key);
  }

  delete(key: string): Promise<void> {
    this.#values.delete(key);
    return this.#write(key);
  }

  /** Until everything that was put is on disk. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#writing.values());
  }

  #write(key: string): Promise<void> {
    const before = this.#writing.get(key) ?? Promise.resolve();
    const write = before
      .catch(() => undefined)
      .then(async () => {
        const path = join(this.#directory, fileName(key));
        const value = this.#values.get(key);
        if (value === undefined) return rm(path, { force: true });
        const stored: Stored<T> = { key, value };
        await writeFile(`${path}.new`, `${JSON.stringify(stored)}\n`, { mode: 0o600 });
        await rename(`${path}.new`, path);
      })
      .finally(() => {
        if (this.#writing.get(key) === write) this.#writing.delete(key);
      });
    this.#writing.set(key, write);
    return write;
  }
}

/** Keys hold slashes and may be longer than a file's name can be; a hash is neither. */
function fileName(key: string): string {
  return `${createHash('sha256').update(key).digest('hex')}.json`;
}
