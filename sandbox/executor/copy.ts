/**
 * COPY and ADD. In: a tree of sources (the context or an earlier stage), source patterns, a destination.
 * Out: the entries for the image's new layer, placed where Docker would place them, or a `CopyError` with
 * Docker's own sentence.
 * @see https://docs.docker.com/reference/dockerfile/#copy
 */
import { posix } from 'node:path';
import { compileGlob, PatternError } from './glob.ts';
import { partsOf } from './inside-root.ts';
import type { ImageTree } from './image-tree.ts';
import type { LayerEntry } from './pack-layer.ts';

interface CopyRequest {
  readonly sources: readonly string[];
  /** As written; relative ones are below `workingDir`. */
  readonly destination: string;
  readonly workingDir: string;
  readonly mode?: number;
}

export class CopyError extends Error {
  override readonly name = 'CopyError';
}

/** The entries that the image gains. @throws CopyError */
export function copy(from: ImageTree, into: ImageTree, request: CopyRequest): LayerEntry[] {
  const sources = request.sources.flatMap((pattern) => match(from, pattern));
  const { destination } = request;
  const target = partsOf(posix.resolve(request.workingDir, destination)).join('/');
  const endsAsDirectory = /(?:^|\/)\.{0,2}$/.test(destination);
  if (sources.length > 1 && !endsAsDirectory && !into.isDirectory(target)) {
    throw new CopyError(
      'When using COPY with more than one source file, the destination must be a directory and end with a /',
    );
  }
  const isDirectory = endsAsDirectory || into.isDirectory(target);
  return sources.flatMap((source) => place(from, source, target, isDirectory, request.mode));
}

function place(
  from: ImageTree,
  source: string,
  target: string,
  targetIsDirectory: boolean,
  mode: number | undefined,
): LayerEntry[] {
  if (from.isDirectory(source)) {
    // Docker copies what is in the directory, not the directory itself.
    const own: LayerEntry = { type: 'directory', path: target, mode: mode ?? 0o755 };
    const skip = source === '' ? 0 : source.length + 1;
    const inner = from.below(source).map((entry) => {
      return moved(entry, join(target, entry.path.slice(skip)), mode);
    });
    return [own, ...inner];
  }
  const entry = follow(from, source);
  const path = targetIsDirectory ? join(target, posix.basename(source)) : target;
  return [moved(entry, path, mode)];
}

function moved(entry: LayerEntry, path: string, mode: number | undefined): LayerEntry {
  if (entry.type === 'symlink') return { ...entry, path };
  return { ...entry, path, mode: mode ?? entry.mode };
}

/** A link that is named itself is copied as the file it points to, as Docker does. */
function follow(from: ImageTree, source: string): LayerEntry {
  let path = source;
  for (let hops = 0; hops < 40; hops++) {
    const entry = from.get(path);
    if (entry === undefined) break;
    if (entry.type !== 'symlink') return entry;
    const target = posix.resolve('/', posix.dirname(path), entry.target);
    path = partsOf(target).join('/');
  }
  throw notFound(source);
}

function match(from: ImageTree, pattern: string): string[] {
  checkInside(pattern);
  const path = partsOf(pattern).join('/');
  if (from.isDirectory(path) || from.get(path) !== undefined) return [path];
  if (!/[*?[\\]/.test(path)) throw notFound(path);
  const found = from.paths().filter(compile(path));
  if (found.length === 0) throw new CopyError('COPY failed: no source files were specified');
  return found.sort();
}

function compile(pattern: string): (path: string) => boolean {
  try {
    return compileGlob(pattern);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new CopyError(error.message, { cause: error });
  }
}

function checkInside(pattern: string): void {
  let depth = 0;
  for (const part of pattern.split('/')) {
    if (part === '..') depth--;
    else if (part !== '' && part !== '.') depth++;
    if (depth < 0) {
      throw new CopyError(`COPY failed: forbidden path outside the build context: ${pattern} ()`);
    }
  }
}

function notFound(path: string): CopyError {
  return new CopyError(
    `COPY failed: file not found in build context or excluded by .dockerignore: stat ${path}: file does not exist`,
  );
}

function join(directory: string, path: string): string {
  return directory === '' ? path : path === '' ? directory : `${directory}/${path}`;
}
