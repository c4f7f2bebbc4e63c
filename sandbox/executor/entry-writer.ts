/**
 * Where entries of an archive that a stranger made become files: entries in, files below one directory out,
 * none of them outside of it.
 *
 * Two policies: `source` archives come from our own packing, so anything odd refuses the whole archive;
 * image `layer`s come from anywhere, may replace and delete what is below them, and contain links that
 * are absolute in the image's own world.
 */
import { createWriteStream } from 'node:fs';
import { chmod, link, lstat, mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ArchiveError, type ArchiveEntry } from './archive-entry.ts';
import { linkStaysInside, resolveInside } from './inside-root.ts';

export interface WriteOptions {
  readonly kind: 'source' | 'layer';
  readonly maxEntries?: number;
  /** Of file contents, unpacked, over the whole archive. */
  readonly maxBytes?: number;
}

const defaultMaxEntries = 200_000;
const defaultMaxBytes = 4 * 1024 ** 3;
const whiteout = '.wh.';
const opaqueWhiteout = '.wh..wh..opq';

export class EntryWriter {
  readonly #root: string;
  readonly #options: WriteOptions;
  /** Made by this archive, so its own opaque whiteouts spare them. */
  readonly #written = new Set<string>();
  #entries = 0;
  #bytes = 0;

  constructor(root: string, options: WriteOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** Reads the entry's content to its end. @throws {ArchiveError} | {PathError} */
  async write(entry: ArchiveEntry): Promise<void> {
    this.#count(entry);
    const name = this.#checkedName(entry.name);
    if (this.#options.kind === 'layer' && basename(name).startsWith(whiteout)) {
      await this.#whiteOut(name);
      entry.content.resume();
      return;
    }
    if (name === '') {
      entry.content.resume();
      return;
    }
    const parent = await resolveInside(this.#root, dirname(name));
    await makeDirectory(parent);
    const target = join(parent, basename(name));
    await this.#place(entry, name, target);
    this.#written.add(target);
  }

  async #place(entry: ArchiveEntry, name: string, target: string): Promise<void> {
    switch (entry.type) {
      case 'directory':
        await replaceUnlessDirectory(target);
        await mkdir(target, { recursive: true });
        await chmod(target, modeOf(entry, 0o700));
        entry.content.resume();
        return;
      case 'file':
      case 'contiguous-file':
        await rm(target, { recursive: true, force: true });
        // 'wx' refuses to write through anything that might have come back in the meantime.
        await pipeline(entry.content, createWriteStream(target, { flags: 'wx', mode: 0o600 }));
        await chmod(target, modeOf(entry, 0o400));
        return;
      case 'symlink':
        this.#checkLink(name, entry.linkname);
        await rm(target, { recursive: true, force: true });
        await symlink(entry.linkname, target);
        entry.content.resume();
        return;
      case 'link':
        await this.#hardLink(name, entry.linkname, target);
        entry.content.resume();
        return;
      default:
        // Devices and pipes have no use in a process; in a source archive nobody put them there honestly.
        if (this.#options.kind === 'source') {
          throw new ArchiveError(`${name}: a ${entry.type} is not allowed in an archive`);
        }
        entry.content.resume();
    }
  }

  #count({ size }: ArchiveEntry): void {
    this.#entries++;
    this.#bytes += size;
    const maxEntries = this.#options.maxEntries ?? defaultMaxEntries;
    const maxBytes = this.#options.maxBytes ?? defaultMaxBytes;
    if (this.#entries > maxEntries) {
      throw new ArchiveError(`the archive has more than ${maxEntries} entries`);
    }
    if (this.#bytes > maxBytes) {
      throw new ArchiveError(`the archive unpacks to more than ${maxBytes} bytes`);
    }
  }

  #checkedName(raw: string): string {
    if (raw.startsWith('/') || raw.split('/').includes('..') || raw.includes('\0')) {
      throw new ArchiveError(`${raw}: the path leaves the archive`);
    }
    return raw
      .split('/')
      .filter((part) => part !== '' && part !== '.')
      .join('/');
  }

  #checkLink(name: string, target: string | null): asserts target is string {
    if (target === null) throw new ArchiveError(`${name}: a link without target`);
    if (this.#options.kind === 'source' && !linkStaysInside(name, target)) {
      throw new ArchiveError(`${name}: the link to ${target} leaves the archive`);
    }
  }

  async #hardLink(name: string, linkname: string | null, target: string): Promise<void> {
    if (linkname === null) throw new ArchiveError(`${name}: a link without target`);
    const source = await resolveInside(this.#root, this.#checkedName(linkname), {
      followLast: false,
    });
    const found = await lstat(source).catch(() => undefined);
    if (found?.isFile() !== true) {
      throw new ArchiveError(`${name}: the link's target ${linkname} is not a file of the archive`);
    }
    if (source === target) return;
    await rm(target, { recursive: true, force: true });
    await link(source, target);
  }

  /** @see https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md#whiteouts */
  async #whiteOut(name: string): Promise<void> {
    const parent = await resolveInside(this.#root, dirname(name));
    const file = basename(name);
    if (file !== opaqueWhiteout) {
      const victim = file.slice(whiteout.length);
      if (victim === '' || victim === '.' || victim === '..') {
        throw new ArchiveError(`${name}: not a whiteout`);
      }
      await rm(join(parent, victim), { recursive: true, force: true });
      return;
    }
    for (const child of await readdir(parent).catch(() => [])) {
      const path = join(parent, child);
      if (!this.#written.has(path)) await rm(path, { recursive: true, force: true });
    }
  }
}

/** The archive's permission bits, never set-id, and never so few that we cannot read or remove the file. */
function modeOf({ mode }: ArchiveEntry, atLeast: number): number {
  return (mode & 0o777) | atLeast;
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST' && code !== 'ENOTDIR') throw error;
    throw new ArchiveError('an entry lies below a file', { cause: error });
  }
}

async function replaceUnlessDirectory(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found !== undefined && !found.isDirectory()) await rm(path, { force: true });
}
