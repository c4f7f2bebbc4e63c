/** Who has a data directory, also when its last holder was killed. */
import { afterAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlreadyRunning, lockData } from '../../sandbox/data-lock.ts';

const root = await mkdtemp(join(tmpdir(), 'trainyard-lock-'));
afterAll(() => rm(root, { recursive: true, force: true }));
const fresh = (): Promise<string> => mkdtemp(join(root, 'data-'));

describe('the lock of a data directory', () => {
  it('is somebody’s until it is given back, and says where they are', async () => {
    const directory = await fresh();
    const lock = await lockData(directory);
    await expect(lockData(directory)).rejects.toThrow(/a sandbox is starting \(process \d+/);
    await lock.showUrl('http://127.0.0.1:1234');
    await expect(lockData(directory)).rejects.toThrow(
      /is already running at http:\/\/127.0.0.1:1234 /,
    );
    await lock.release();
    await (await lockData(directory)).release();
  });

  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  it.each([
    ['a process that is gone', JSON.stringify({ pid: dead, startedAt: '', url: 'http://x' })],
    [
      'a process that has got the number again',
      JSON.stringify({ pid: process.pid, startedAt: 'b/1' }),
    ],
    ['nobody who can be read', '{"pid":'],
  ])('is free when it was the one of %s; one of many gets it', async (_name, content) => {
    const directory = await fresh();
    await writeFile(join(directory, 'sandbox.lock.7'), content);
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => lockData(directory)));
    const lost = tries.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(lost).toHaveLength(7);
    for (const reason of lost) expect(reason).toBeInstanceOf(AlreadyRunning);
    expect(await readdir(directory)).toEqual(['sandbox.lock.8']);
  });
});
