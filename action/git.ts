/** Questions to git about a directory that hostile files may lie in; the answer, or undefined when there is none. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The whole tree's names can be long; the runner has gigabytes. */
const maxAnswerBytes = 512 * 1024 ** 2;

/**
 * A container's runner owns the workspace as somebody else, which is no reason for git not to answer; a
 * directory that merely looks like a repository, and a program that a repository's own settings name, are.
 * @see https://git-scm.com/docs/git-config#Documentation/git-config.txt-safedirectory
 */
const guards = [
  'safe.directory=*',
  'safe.bareRepository=explicit',
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
].flatMap((setting) => ['-c', setting]);

/** The commit that is checked out. */
export function headOf(directory: string): string | undefined {
  return git(directory, 'rev-parse', '--verify', 'HEAD');
}

/**
 * True when the commit's files are all that there is, besides the file that google-github-actions/auth leaves
 * and that is never packed. What the commit ignores counts: other ignore files choose what is packed.
 * @see shared/source/working-tree.ts
 */
export function isUnchanged(directory: string): boolean {
  const neverPacked = ':(exclude,glob)**/gha-creds-*.json';
  return git(directory, 'status', '--porcelain', '--ignored', '--', '.', neverPacked) === '';
}

/** True when other repositories lie below the directory, which are not the commit's own submodules as it has them. */
export function hasOthersBelow(directory: string): boolean {
  const beside = git(directory, 'ls-files', '--others', '-z', '--', '.');
  const tracked = git(directory, 'ls-files', '-z', '--', '.');
  const changed = git(directory, 'diff-files', '--raw', '--ignore-submodules=dirty', '--', '.');
  if (beside === undefined || tracked === undefined || changed === undefined) return true;
  return (
    // Git lists the files of one that is not its own as one name with a slash at its end,
    beside.split('\0').some((name) => name.endsWith('/')) ||
    // unless some of the commit's files lie there as well;
    directoriesOf(tracked.split('\0')).some((name) => existsSync(join(directory, name, '.git'))) ||
    // and a submodule that is at another commit as changed.
    /^:\d+ 160000 /m.test(changed)
  );
}

function directoriesOf(names: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const name of names) {
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      if (found.has(name.slice(0, at))) break;
      found.add(name.slice(0, at));
    }
  }
  return [...found];
}

/** The system's and the user's own settings; never the inputs, the runner's tokens, or what sends git elsewhere. */
const passedOn =
  /^(?:PATH|HOME|USERPROFILE|XDG_CONFIG_HOME|TMPDIR|TEMP|TMP|SYSTEMROOT|LD_LIBRARY_PATH)$/i;

function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => passedOn.test(name)));
}

function git(directory: string, ...words: readonly string[]): string | undefined {
  try {
    return execFileSync('git', [...guards, '-C', directory, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: maxAnswerBytes,
      env: ownEnvironment(),
    }).trim();
  } catch {
    // Not a repository, or no git: then nothing is known about it.
    return undefined;
  }
}
