/** A person with git: clones over HTTP, commits and pushes, with nothing of this machine's configuration. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Person } from '../../../sandbox/github/seed.ts';
import { writeFiles, type World } from './world.ts';

const run = promisify(execFile);

export interface GitClient {
  /** Where the clone is. */
  readonly directory: string;
  /** Runs git in the clone. @throws with what git printed when it fails */
  git(...args: string[]): Promise<string>;
  /** Commits these files on the branch that is checked out and returns the new commit's SHA. */
  commit(tree: Readonly<Record<string, string>>, message?: string): Promise<string>;
  /** Commits these files on top of that branch as it is on the server now, and returns the SHA. */
  commitOn(branch: string, tree: Readonly<Record<string, string>>): Promise<string>;
  /** Pushes to acme/digits as somebody; undefined: not signed in. */
  pushAs(world: World, person: Person | undefined, ...options: string[]): Promise<string>;
  remove(): Promise<void>;
}

/** @param token undefined: not signed in */
export function addressOf(web: string, fullName: string, token?: string): string {
  const url = new URL(`${web}/${fullName}.git`);
  if (token !== undefined) {
    url.username = 'x-access-token';
    url.password = token;
  }
  return url.href;
}

export async function clone(url: string, ...options: string[]): Promise<GitClient> {
  const home = await mkdtemp(join(tmpdir(), 'trainyard-git-'));
  const directory = join(home, 'clone');
  const environment = {
    PATH: process.env['PATH'],
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    ...Object.fromEntries(
      ['AUTHOR', 'COMMITTER'].flatMap((role) => [
        [`GIT_${role}_NAME`, 'Wes'],
        [`GIT_${role}_EMAIL`, 'wes@example.com'],
      ]),
    ),
  };
  const start = async (cwd: string, args: readonly string[]): Promise<string> =>
    (
      await run('git', [...args], { cwd, env: environment, maxBuffer: 64 * 1024 ** 2 })
    ).stdout.trim();
  const client: GitClient = {
    directory,
    git: (...args) => start(directory, args),
    commit: async (tree, message = 'A change') => {
      await writeFiles(directory, tree);
      await client.git('add', '--all');
      await client.git('commit', '--quiet', '--allow-empty', '-m', message);
      return client.git('rev-parse', 'HEAD');
    },
    commitOn: async (branch, tree) => {
      await client.git('fetch', '--quiet', 'origin');
      await client.git('checkout', '--quiet', '--force', '--detach', `origin/${branch}`);
      return client.commit(tree);
    },
    pushAs: (world, person, ...options) => {
      const token = person && world.github.tokens[person];
      const address = addressOf(world.github.web, 'acme/digits', token);
      return client.git('push', '--quiet', address, ...options);
    },
    remove: () => rm(home, { recursive: true, force: true }),
  };
  try {
    await start(home, ['clone', '--quiet', ...options, url, directory]);
  } catch (error) {
    await client.remove();
    throw error;
  }
  return client;
}
