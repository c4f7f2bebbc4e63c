/** A person with git: clones the sandbox's repository, changes files on the pull request's branch, pushes. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Sandbox } from '../../sandbox/start.ts';

const run = promisify(execFile);

/** Pushes one commit with these files on top of the pull request's first commit and returns its SHA. */
export async function pushTo(
  sandbox: Sandbox,
  files: Readonly<Record<string, string>>,
  branch = 'tune-learning-rate',
): Promise<string> {
  const { github } = sandbox.description;
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-git-'));
  const environment = {
    PATH: process.env['PATH'],
    HOME: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Olivia',
    GIT_AUTHOR_EMAIL: 'olivia@example.com',
    GIT_COMMITTER_NAME: 'Olivia',
    GIT_COMMITTER_EMAIL: 'olivia@example.com',
  };
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', args, { cwd: join(directory), env: environment })).stdout.trim();
  try {
    const url = new URL(`${github.web}/${github.repo}.git`);
    url.username = 'olivia';
    url.password = github.tokens.owner;
    await git('clone', '--quiet', url.href, 'clone');
    const clone = join(directory, 'clone');
    const inClone = (...args: string[]): Promise<string> => git('-C', clone, ...args);
    await inClone('checkout', '--quiet', '-B', branch, 'origin/main');
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(clone, path)), { recursive: true });
      await writeFile(join(clone, path), text);
    }
    await inClone('add', '--all');
    await inClone(
      'commit',
      '--quiet',
      '--allow-empty',
      '-m',
      `change ${Object.keys(files).join(', ')}`,
    );
    await inClone('push', '--quiet', '--force', 'origin', branch);
    return await inClone('rev-parse', 'HEAD');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
