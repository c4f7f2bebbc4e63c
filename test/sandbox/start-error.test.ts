/** What somebody reads whose sandbox cannot start; the errors are those of the system itself. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { explainStart } from '../../sandbox/start-error.ts';
import { startSandbox } from '../../sandbox/start.ts';

const directory = await mkdtemp(join(tmpdir(), 'trainyard-start-error-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

async function failure(happens: () => Promise<unknown>): Promise<string> {
  const error = await happens().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return explainStart(error);
}

it('names the port that is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const dataDir = join(directory, 'taken');
  const options = { dataDir, port, app: false, realistic: false };
  expect(await failure(() => startSandbox(options))).toMatch(
    `another program listens on port ${port}. Choose another --port`,
  );
  taken.close();
});

it('names the file that is no directory', async () => {
  const file = join(directory, 'file');
  await writeFile(file, '');
  for (const dataDir of [file, join(file, 'below')]) {
    const options = { dataDir, port: 0, app: false, realistic: false };
    expect(await failure(() => startSandbox(options))).toMatch(
      `${dataDir} is a file, or lies below one. Choose a directory as --data.`,
    );
  }
});

it('names at once the directory that no directory can be made in', async () => {
  if (process.platform !== 'linux') return;
  for (const dataDir of ['/proc/trainyard', '/proc/trainyard/below']) {
    const options = { dataDir, port: 0, app: false, realistic: false };
    expect(await failure(() => startSandbox(options))).toBe(
      '/proc/trainyard cannot be made: no directory can be made there. Choose another --data.',
    );
  }
});

it('names the program that is not installed', async () => {
  const absent = async (): Promise<unknown> => once(spawn('no-such-program'), 'spawn');
  expect(await failure(absent)).toBe(
    'no-such-program is not installed, or not in PATH. Install it and start again.',
  );
});

it.each([
  ['EACCES', { syscall: 'mkdir', path: '/data/x' }, '/data/x cannot be written by this user.'],
  ['EACCES', { syscall: 'listen', port: 80 }, 'this user may not listen on port 80.'],
  ['EROFS', { syscall: 'mkdir', path: '/data/x' }, '/data/x cannot be written: it failed.'],
  ['ENOSPC', { syscall: 'write' }, 'there is no space left on the disk of the data'],
  ['ENOENT', { syscall: 'open', path: '/data/x' }, 'it failed'],
])('says of %s %j what to do', (code, fields, words) => {
  expect(explainStart(Object.assign(new Error('it failed'), { code, ...fields }))).toContain(words);
});

it('gives other errors as they are', () => {
  expect(explainStart(new Error('a sandbox is already running'))).toBe(
    'a sandbox is already running',
  );
});
