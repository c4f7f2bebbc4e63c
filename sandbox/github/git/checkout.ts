/**
 * A commit's files as a clone has them, packed: unlike the archives that GitHub offers for download, these
 * leave nothing out and replace nothing, whatever the repository's own `.gitattributes` say.
 * @see https://git-scm.com/docs/git-archive#ATTRIBUTES
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { GitRepository } from './repository.ts';
import { gitEnvironment } from './run-git.ts';

/** A tar.gz. Destroying the stream ends git. */
export async function checkout(repository: GitRepository, commitSha: string): Promise<Readable> {
  // A repository of its own over the same objects: its info/attributes come before those of the commit.
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-checkout-'));
  await mkdir(join(directory, 'refs'));
  await mkdir(join(directory, 'info'));
  await writeFile(join(directory, 'HEAD'), 'ref: refs/heads/main\n');
  await writeFile(join(directory, 'info/attributes'), '* -export-ignore -export-subst\n');
  const child = spawn('git', ['archive', '--format=tar.gz', commitSha], {
    env: gitEnvironment(directory, {
      environment: { GIT_OBJECT_DIRECTORY: join(repository.directory, 'objects') },
    }),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.on('error', (error) => child.stdout.destroy(error));
  child.on('close', (code) => {
    if (code !== 0) child.stdout.destroy(new Error(`git archive ended with ${String(code)}`));
    void rm(directory, { recursive: true, force: true });
  });
  child.stdout.on('close', () => child.kill());
  return child.stdout;
}
