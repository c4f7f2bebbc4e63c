/** The files that jobs see and write, one directory per bucket: which there are, and how each looks. */
import type { Stats } from 'node:fs';
import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultLimits } from '../../executor/limits.ts';
import { componentsOf, enterDirectory, openFileInside } from './inside.ts';
import { fileKey, findOpenWriters } from './open-writers.ts';

/** A mount with more files than this is a mistake or an attack; the rest stay unseen. */
const maxFiles = 100_000;
/** Up to here a file may be of holes alone; beyond, at least one byte in `holesPerByte` must be on the disk. */
const maxHoleBytes = 64 * 1024 ** 2;
const holesPerByte = 64;
/** How long one look at the open files of all processes is believed. */
const writersValidMs = 50;

/** Where the system does not tell who writes: a file that has rested this long counts as closed. */
const restedMs = 1_000;

export class MountFiles {
  readonly #directory: string;
  readonly #onClose: boolean;
  #writers: { readonly atMs: number; readonly keys: Promise<ReadonlySet<string> | undefined> } = {
    atMs: -Infinity,
    keys: Promise.resolve(undefined),
  };

  /** @param onClose files that a process has open for writing are not there yet. */
  constructor(directory: string, onClose: boolean) {
    this.#directory = directory;
    this.#onClose = onClose;
  }

  rootOf(bucket: string): string {
    return join(this.#directory, bucket);
  }

  /**
   * How the object's file looks now; undefined when there is no regular file of that name, or one that is
   * too large or of holes: each object is read from end to end for its hashes while its bucket waits.
   * @param known how it looked when it was read
   */
  async look(bucket: string, name: string, known?: string): Promise<string | undefined> {
    const parts = componentsOf(name);
    if (parts === undefined) return undefined;
    const file = await openFileInside(this.rootOf(bucket), parts);
    if (file === undefined) return undefined;
    try {
      const status = await file.stat();
      if (isUnreadable(status) && stampOf(status) !== known) return undefined;
      return this.#onClose && (await this.#isBeingWritten(status)) ? undefined : stampOf(status);
    } finally {
      await file.close();
    }
  }

  /** The names of all regular files, as objects are named. Links are neither listed nor followed. */
  async walk(bucket: string): Promise<string[]> {
    const names: string[] = [];
    const visit = async (prefix: string): Promise<void> => {
      const path = join(this.rootOf(bucket), prefix);
      const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        if (names.length >= maxFiles) return;
        if (entry.isDirectory()) await visit(`${prefix}${entry.name}/`);
        else if (entry.isFile()) names.push(prefix + entry.name);
      }
    };
    await visit('');
    return names;
  }

  async remove(bucket: string, name: string): Promise<void> {
    const parts = componentsOf(name) ?? [];
    const directory = await enterDirectory(this.rootOf(bucket), parts.slice(0, -1), {
      create: false,
    });
    if (directory === undefined) return;
    await unlink(directory.path(parts.at(-1) ?? '')).catch(() => undefined);
    await directory.close();
  }

  async #isBeingWritten(status: Stats): Promise<boolean> {
    const now = Date.now();
    if (now - this.#writers.atMs > writersValidMs) {
      this.#writers = { atMs: now, keys: findOpenWriters() };
    }
    const writers = await this.#writers.keys;
    return writers === undefined ? now - status.mtimeMs < restedMs : writers.has(fileKey(status));
  }
}

function isUnreadable({ size, blocks }: Stats): boolean {
  // Blocks of 512 bytes, whatever the file system's own are.
  const isOfHoles = size > maxHoleBytes && blocks * 512 * holesPerByte < size;
  return size > defaultLimits.fileBytes || isOfHoles;
}

/** Changes whenever somebody writes or replaces the file. */
export function stampOf(status: Stats): string {
  return `${status.ino}:${status.size}:${status.mtimeMs}`;
}
