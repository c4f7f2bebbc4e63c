/** The sandbox and the demo as npm starts them. */
import { afterAll, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SandboxDescription } from '../../sandbox/start.ts';
import { eventually } from '../acceptance/github-user.ts';

const directory = await mkdtemp(join(tmpdir(), 'trainyard-npm-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

it('ends when npm, which has started it, is told to', async () => {
  const words = ['run', '--silent', 'sandbox', '--', '--json', '--no-app'];
  const npm = spawn('npm', [...words, '--data', join(directory, 'by-npm')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  for await (const chunk of npm.stdout) {
    printed += String(chunk);
    if (printed.includes('\n')) break;
  }
  const { github } = JSON.parse(printed) as SandboxDescription;
  expect((await fetch(github.web)).status).toBe(200);
  npm.kill('SIGTERM');
  await eventually('the sandbox to be gone', async () => {
    const answer = await fetch(github.web).catch(() => undefined);
    return answer === undefined ? true : undefined;
  });
});

it('the demo says what to do about a directory that cannot be made', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ['sandbox/demo.ts', '--no-open', '--port', '0', '--data', join('package.json', 'x')],
    { encoding: 'utf8' },
  );
  expect(status).toBe(1);
  expect(stderr).toMatch(/^The demo cannot start: .* Choose a directory as --data\.\n$/);
});
