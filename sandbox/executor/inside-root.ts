/**
 * Paths inside an unpacked image or build context. In: a directory that plays `/`, and a path that
 * somebody hostile wrote. Out: a real path that is never outside of that directory, with links followed
 * as if the directory were the file system's root (what `chroot` would see).
 */
import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** A path, or a link's target, that is no good. */
export class PathError extends Error {
  override readonly name = 'PathError';
}

/** What Linux allows. */
const maxLinks = 40;

/** The parts of a path, `.` and empty ones dropped and `..` resolved without leaving the top. */
export function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}

/**
 * The real path that `path` means inside `root`. What does not exist (yet) is taken literally.
 * @param options.followLast false keeps a link at the very end, for those who replace or read the link itself
 * @throws PathError on a NUL character or a cycle of links
 */
export async function resolveInside(
  root: string,
  path: string,
  options: { readonly followLast?: boolean } = {},
): Promise<string> {
  if (path.includes('\0')) throw new PathError('a path must not contain a NUL character');
  const todo = path.split('/').reverse();
  const done: string[] = [];
  let links = 0;
  for (let part = todo.pop(); part !== undefined; part = todo.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const here = join(root, ...done, part);
    const isLast = todo.every((rest) => rest === '' || rest === '.');
    const target = isLast && options.followLast === false ? undefined : await linkTarget(here);
    if (target === undefined) {
      done.push(part);
      continue;
    }
    if (++links > maxLinks) throw new PathError(`too many links in ${path}`);
    if (target.startsWith('/')) done.length = 0;
    todo.push(...target.split('/').reverse());
  }
  return join(root, ...done);
}

/** Whether a link at `path` (relative to the root) with that target stays inside, read as text alone. */
export function linkStaysInside(path: string, target: string): boolean {
  if (target.startsWith('/')) return false;
  let depth = path.split('/').filter((part) => part !== '' && part !== '.').length - 1;
  for (const part of target.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) return false;
  }
  return true;
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    const found = await lstat(path);
    return found.isSymbolicLink() ? await readlink(path) : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
