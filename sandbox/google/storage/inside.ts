/**
 * Paths inside a directory that untrusted processes write to at the same time: a root and an object's
 * name in, open handles out. A link that a job has put into its mount is never followed, not even when
 * it is put there between our look and our open: every step goes through an open directory.
 */
import { constants } from 'node:fs';
import { lstat, mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../state/error-code.ts';

/** An open directory; `path` is good until `close`. */
interface OpenDirectory {
  path(name: string): string;
  close(): Promise<void>;
}

const maxComponentBytes = 255;

/** The file path's components, or undefined when no file can have this name (`a/`, `a//b`, `..`). */
export function componentsOf(name: string): readonly string[] | undefined {
  const parts = name.split('/');
  const possible = parts.every(
    (part) =>
      part !== '' &&
      part !== '.' &&
      part !== '..' &&
      !part.includes('\0') &&
      Buffer.byteLength(part) <= maxComponentBytes,
  );
  return possible ? parts : undefined;
}

/**
 * Opens the directory at `root/…parts`. Undefined when it does not exist (and must not be made), or when
 * something that is not a directory is in the way.
 */
export async function enterDirectory(
  root: string,
  parts: readonly string[],
  options: { readonly create: boolean },
): Promise<OpenDirectory | undefined> {
  let current = await openDirectory(root);
  try {
    for (const part of parts) {
      const path = current.path(part);
      if (options.create) await mkdir(path).catch(ignoreExisting);
      const next = await openDirectory(path);
      await current.close();
      current = next;
    }
    return current;
  } catch (error) {
    await current.close();
    if (isObstacle(error)) return undefined;
    throw error;
  }
}

/** Opens a regular file for reading; undefined for anything else. Never blocks on a pipe. */
export async function openFileInside(
  root: string,
  parts: readonly string[],
): Promise<FileHandle | undefined> {
  const directory = await enterDirectory(root, parts.slice(0, -1), { create: false });
  if (directory === undefined) return undefined;
  try {
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(directory.path(parts.at(-1) ?? ''), flags);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    return undefined;
  } catch (error) {
    if (isObstacle(error)) return undefined;
    throw error;
  } finally {
    await directory.close();
  }
}

async function openDirectory(path: string): Promise<OpenDirectory> {
  const handle = await open(
    path,
    constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW,
  );
  if (process.platform === 'linux') {
    // Node has no openat; the kernel's link to an open directory is as good.
    return {
      path: (name) => `/proc/self/fd/${handle.fd}/${name}`,
      close: () => handle.close(),
    };
  }
  await handle.close();
  const status = await lstat(path);
  if (!status.isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
  return { path: (name) => join(path, name), close: () => Promise.resolve() };
}

function ignoreExisting(error: unknown): void {
  if (errorCode(error) !== 'EEXIST') throw error;
}

/** Codes that mean "no such file here", whatever stands there instead. */
function isObstacle(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'EMLINK', 'ENXIO', 'EACCES', 'ENAMETOOLONG'].includes(
    errorCode(error),
  );
}
