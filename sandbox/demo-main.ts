/**
 * Has main trained once, so that a pull request's run has something to be held against: as its owner would, by
 * pushing `train_on_push: true`. Nothing is done where main was trained before.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repoConfigPath } from '../shared/config/repo-config.ts';
import { lookUntil, type CheckRun, type DemoGitHub } from './demo-github.ts';
import { gitText } from './github/git/run-git.ts';
import { people } from './github/seed.ts';

/** Far above the quarter of a minute that it takes. */
const patienceMs = 120_000;
/** Nobody waits longer for the page than this. */
const headStartMs = 10_000;

/** @returns main's newest commit, which is trained already or about to be */
export async function pushForTraining(github: DemoGitHub, url: string): Promise<string> {
  const sha = await github.headOfMain();
  const [check] = await github.checks(sha);
  const isGoingOn = check !== undefined && check.status !== 'completed';
  if (isGoingOn || check?.conclusion === 'success') return sha;
  const text = await github.fileOfMain(repoConfigPath);
  const asks = /^train_on_push:/m.test(text);
  return push(url, {
    text: asks
      ? text
      : `${text.trimEnd()}\n\n# Each push to main is trained; runs of pull requests are compared with it.\ntrain_on_push: true\n`,
    message: asks ? 'Train main again' : 'Train main after each push',
  });
}

/** Until its job runs, so that it ends before a pull request's run that somebody asks for at once. */
export async function untilTraining(github: DemoGitHub, sha: string): Promise<void> {
  await lookUntil(async () => {
    const [check] = await github.checks(sha);
    const runs = check?.status === 'completed' || check?.output.title?.startsWith('Running');
    return runs === true ? check : undefined;
  }, headStartMs);
}

/** Tells each new title of the run's check. @returns the check once the run is over; undefined when that takes too long */
export function untilTrained(
  github: DemoGitHub,
  sha: string,
  onTitle?: (title: string) => void,
): Promise<CheckRun | undefined> {
  return lookUntil(async () => {
    const [check] = await github.checks(sha);
    if (check?.status === 'completed') return check;
    if (check?.output.title != null) onTitle?.(check.output.title);
    return undefined;
  }, patienceMs);
}

/** What came of it, in a sentence. */
export function sayTrained(sha: string, check: CheckRun | undefined): string {
  const main = `main ${sha.slice(0, 7)}`;
  if (check?.conclusion === 'success') return `${main} is trained: ${check.output.title ?? ''}`;
  const why = check === undefined ? `no end after ${patienceMs / 1_000} s` : check.output.title;
  return `${main} was not trained (${why ?? 'no reason is known'}): there is nothing to compare with`;
}

export function sayUntrained(error: unknown): string {
  const why = error instanceof Error ? error.message : String(error);
  return `main cannot be trained, so there is nothing to compare with: ${why}`;
}

/** One commit on top of main, which changes the repository's settings alone. */
async function push(
  url: string,
  { text, message }: { readonly text: string; readonly message: string },
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-demo-git-'));
  try {
    const { login, id } = people.owner;
    const identity = { NAME: login, EMAIL: `${id}+${login}@users.noreply.github.com` };
    const environment: Record<string, string> = { GIT_INDEX_FILE: join(directory, 'index') };
    for (const [field, value] of Object.entries(identity)) {
      environment[`GIT_AUTHOR_${field}`] = value;
      environment[`GIT_COMMITTER_${field}`] = value;
    }
    const git = (args: readonly string[], input?: string): Promise<string> =>
      gitText(join(directory, 'main.git'), args, {
        environment,
        ...(input === undefined ? {} : { input }),
      });
    await git(['init', '--quiet', '--bare']);
    await git(['fetch', '--quiet', url, 'refs/heads/main']);
    await git(['read-tree', 'FETCH_HEAD']);
    const blob = await git(['hash-object', '-w', '--stdin'], text);
    await git(['update-index', '--add', '--cacheinfo', `100644,${blob},${repoConfigPath}`]);
    const tree = await git(['write-tree']);
    const sha = await git(['commit-tree', tree, '-p', 'FETCH_HEAD', '-m', message]);
    await git(['push', '--quiet', url, `${sha}:refs/heads/main`]);
    return sha;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
