/** Questions to git about a directory that hostile files may lie in; the answer, or undefined when there is none. */
import { execFileSync } from 'node:child_process';

/** The whole tree's names can be long; the runner has gigabytes. */
const maxAnswerBytes = 512 * 1024 ** 2;

/**
 * A container's runner owns the workspace as somebody else, which is no reason for git not to answer; a
 * directory that merely looks like a repository, and a program that a repository's own settings name, are.
 * @see https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory
 */
const guards = ['safe.directory=*', 'safe.bareRepository=explicit', 'core.fsmonitor=false'].flatMap(
  (setting) => ['-c', setting],
);

/** The commit that is checked out. */
export function headOf(directory: string): string | undefined {
  return git(directory, 'rev-parse', '--verify', 'HEAD');
}

/** True when the commit's files are all that there is; what is ignored is ignored by the commit itself. */
export function isUnchanged(directory: string): boolean {
  return git(directory, 'status', '--porcelain', '--', '.') === '';
}

/** True when other repositories lie below the directory, which are not the commit's own submodules. */
export function hasOthersBelow(directory: string): boolean {
  const names = git(directory, 'ls-files', '--others', '-z', '--', '.');
  // Git lists the files of one that is not its own as one name with a slash at its end.
  return names === undefined || names.split('\0').some((name) => name.endsWith('/'));
}

function git(directory: string, ...words: readonly string[]): string | undefined {
  try {
    return execFileSync('git', [...guards, '-C', directory, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: maxAnswerBytes,
    }).trim();
  } catch {
    // Not a repository, or no git: then nothing is known about it.
    return undefined;
  }
}
