/**
 * The files of a directory on this machine that belong in a build context: what `.gcloudignore` names is
 * left out, or without one what `.gitignore` names; `.git` never belongs. This is how `gcloud builds
 * submit` chooses, so the same directory gives the same build.
 * @see https://cloud.google.com/sdk/gcloud/reference/topic/gcloudignore
 */
import { createReadStream, readFile } from 'node:fs';
import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { quoteToken } from '../command/quote-token.ts';
import { UserError } from '../errors.ts';
import type { Source, SourceFile } from '../ports.ts';
import { holdsSecrets, mayBeRead, readContained } from './contained-file.ts';
import { isIgnored, readPatterns, type IgnorePattern } from './gcloud-ignore.ts';

/** The one of node:fs/promises takes twice as long for a small file. */
const readWhole = promisify(readFile);

/** @param root an existing directory; `files()` throws `UserError` `bad_config` when it is none. */
export function workingTree(root: string): Source {
  return { files: () => walk(resolve(root)) };
}

/** Asked one at a time, a file system with many small files takes several times as long. */
const directoriesAtOnce = 16;
const filesAtOnce = 512;

async function* walk(root: string): AsyncGenerator<SourceFile> {
  const patterns = await readIgnoreFile(root);
  const pending = [''];
  while (pending.length > 0) {
    const directories = pending.splice(-directoriesAtOnce);
    const paths = (await Promise.all(directories.map((name) => pathsIn(root, name)))).flat();
    for (let at = 0; at < paths.length; at += filesAtOnce) {
      const entries = await Promise.all(
        paths.slice(at, at + filesAtOnce).map(async (path) => ({
          path,
          absolute: join(root, path),
          info: await lstat(join(root, path)).catch(cannotBeRead(path)),
        })),
      );
      for (const { path, absolute, info } of entries) {
        if (holdsSecrets(path) || isIgnored(patterns, path, info.isDirectory())) continue;
        if (info.isDirectory()) pending.push(path);
        else if (info.isSymbolicLink()) yield await followLink(root, path);
        else if (info.isFile()) yield toSourceFile(absolute, path, info.size, info.mode);
        // Sockets, pipes and devices have no content that could be packed.
      }
    }
  }
}

/** What is in a directory, as paths from the root. */
async function pathsIn(root: string, directory: string): Promise<string[]> {
  const names = await readNames(root, directory);
  return directory === '' ? names : names.map((name) => `${directory}/${name}`);
}

async function readNames(root: string, directory: string): Promise<string[]> {
  try {
    return await readdir(join(root, directory));
  } catch (error) {
    if (directory !== '') return cannotBeRead(directory)(error);
    throw new UserError(
      'bad_config',
      `the build context \`${root}\` cannot be read.`,
      'Give the directory that holds the Dockerfile, and check the repository out first.',
      { cause: error },
    );
  }
}

/** Whoever lists a directory gets names that no file has: of bytes that are no UTF-8, and of what went away. */
function cannotBeRead(path: string): (error: unknown) => never {
  return (cause) => {
    throw new UserError(
      'bad_config',
      `${quoteToken(path)} in the build context cannot be read.`,
      'Name its directory in .gcloudignore, or give it a name in UTF-8, to which this user has access.',
      { cause },
    );
  };
}

/** A link is packed as the file that it names, and only when that file is inside the context. */
async function followLink(root: string, path: string): Promise<SourceFile> {
  const absolute = join(root, path);
  const target = await realpath(absolute).catch(() => undefined);
  const info = target === undefined ? undefined : await stat(target);
  const isInside = target !== undefined && mayBeRead(await realpath(root), target);
  if (!isInside || !info?.isFile()) {
    throw new UserError(
      'bad_config',
      `\`${path}\` is a symbolic link that does not lead to a file inside the build context.`,
      'Remove the link or name it in .gcloudignore.',
    );
  }
  return toSourceFile(target, path, info.size, info.mode);
}

/** Fewer, larger pieces: each goes through three streams. */
const readBytes = 256 * 1_024;

function toSourceFile(absolute: string, path: string, size: number, mode: number): SourceFile {
  return {
    path,
    executable: (mode & 0o111) !== 0,
    size,
    // A file that grows while it is packed must not break the archive: what was there is packed.
    open: () =>
      createReadStream(absolute, {
        highWaterMark: readBytes,
        ...(size > 0 ? { end: size - 1 } : {}),
      }),
    read: async () => (await readWhole(absolute).catch(cannotBeRead(path))).subarray(0, size),
  };
}

/** What gcloud writes into a `.gcloudignore` of its own where there is none in a directory with git's files. */
const defaultPatterns = '.gcloudignore\n.git\n.gitignore\n';

async function readIgnoreFile(root: string): Promise<readonly IgnorePattern[]> {
  const own = await readContained(root, '.gcloudignore');
  if (own !== undefined) return readPatterns(own, (name) => readIncluded(root, name));
  const git = await readContained(root, '.gitignore');
  const isOfGit = git !== undefined || (await stat(join(root, '.git')).catch(() => undefined));
  if (isOfGit === undefined) return [];
  return readPatterns(defaultPatterns + (git ?? ''), () => Promise.resolve(''));
}

/** A file that cannot be had would let in what it should keep out. */
async function readIncluded(root: string, name: string): Promise<string> {
  const text = /^[^/]+$/.test(name) ? await readContained(root, name) : undefined;
  if (text !== undefined) return text;
  throw new UserError(
    'bad_config',
    `.gcloudignore includes ${quoteToken(name)}, which is no file beside it.`,
    'Correct the line `#!include:` in .gcloudignore, or add the file.',
  );
}
