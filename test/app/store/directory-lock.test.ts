import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockDirectory } from '../../../app/store/directory-lock.ts';

let root = '';
let other: ChildProcess;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trainyard-lock-'));
  other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(other, 'spawn');
});
afterAll(async () => {
  other.kill('SIGKILL');
  await rm(root, { recursive: true, force: true });
});

it('is held by one process, and free again afterwards', async () => {
  const directory = join(root, 'one');
  const release = await lockDirectory(directory);
  await expect(lockDirectory(directory)).rejects.toThrow(/in use by process/);
  await release();
  const again = await lockDirectory(directory);
  await again();
  // The number is spent: only the last file stays.
  expect(await readdir(directory)).toEqual(['app.lock.2']);
});

it.each(Array.from({ length: 20 }, (_, round) => round))(
  'lets exactly one of many take a lock whose holder is dead (round %i)',
  async (round) => {
    const directory = join(root, `race-${round}`);
    await (
      await lockDirectory(directory)
    )();
    await writeLock(directory, { pid: 2 ** 30, startedAt: 'x' });
    const attempts = await Promise.allSettled(
      Array.from({ length: 8 }, () => lockDirectory(directory)),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  },
);

it.each([
  { name: 'a dead process', holder: { pid: 2 ** 30, startedAt: 'x' } },
  {
    name: 'an earlier process of the same pid',
    holder: { pid: process.pid, startedAt: 'x' },
  },
  { name: 'nobody', holder: 'not json' },
])('takes over from $name', async ({ name, holder }) => {
  const directory = join(root, name);
  await (
    await lockDirectory(directory)
  )();
  await writeLock(directory, holder);
  const release = await lockDirectory(directory);
  await release();
});

function writeLock(directory: string, holder: unknown): Promise<void> {
  const text = typeof holder === 'string' ? holder : JSON.stringify(holder);
  return writeFile(join(directory, 'app.lock.1'), text);
}
