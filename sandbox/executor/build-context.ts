/**
 * The build context: the files below a directory that `.dockerignore` leaves. In: a directory that was
 * unpacked by us. Out: a tree of its files, links kept as links.
 */
import { lstat, readFile, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import dockerignore from '@balena/dockerignore';
import { ImageTree } from './image-tree.ts';
import type { LayerEntry } from './pack-layer.ts';

export interface BuildContext {
  readonly directory: string;
  readonly tree: ImageTree;
  /** Of the files that are left. */
  readonly sizeBytes: number;
}

/** Reads the context; `ignoreFiles` are tried in that order, the first that exists counts. */
export async function readContext(
  directory: string,
  ignoreFiles: readonly string[],
): Promise<BuildContext> {
  const ignores = await readIgnore(ignoreFiles);
  const entries: LayerEntry[] = [];
  let sizeBytes = 0;
  const visit = async (path: string): Promise<void> => {
    for (const name of (await readdir(join(directory, path))).sort()) {
      const entry = await readEntry(directory, path === '' ? name : `${path}/${name}`);
      if (entry === undefined) continue;
      // An ignored directory is still searched: `!` may take single files back.
      if (entry.type === 'directory') {
        const before = entries.length;
        await visit(entry.path);
        if (entries.length > before || !ignores(entry.path)) entries.push(entry);
      } else if (!ignores(entry.path)) {
        entries.push(entry);
        sizeBytes += entry.type === 'file' ? entry.size : 0;
      }
    }
  };
  await visit('');
  return { directory, tree: new ImageTree(entries), sizeBytes };
}

async function readEntry(directory: string, path: string): Promise<LayerEntry | undefined> {
  const from = join(directory, path);
  const found = await lstat(from);
  // One mode for all directories: those that no archive names get theirs from our umask.
  if (found.isDirectory()) return { type: 'directory', path, mode: 0o755 };
  if (found.isSymbolicLink()) return { type: 'symlink', path, target: await readlink(from) };
  if (!found.isFile()) return undefined;
  return { type: 'file', path, mode: found.mode & 0o777, size: found.size, from };
}

async function readIgnore(files: readonly string[]): Promise<(path: string) => boolean> {
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const rules = dockerignore().add(text);
    return (path) => rules.ignores(path);
  }
  return () => false;
}
