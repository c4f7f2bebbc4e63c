/** The sandbox as a person starts it: beside the checkout, in a directory that is named as people name it. */
import { afterAll, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { AlreadyRunning } from '../../sandbox/data-lock.ts';
import { freePort } from '../../sandbox/free-ports.ts';
import { startSandbox, type SandboxDescription } from '../../sandbox/start.ts';
import { eventually, personAt } from '../acceptance/github-user.ts';
import { pushTo } from '../acceptance/git-user.ts';

const directory = await mkdtemp(join(tmpdir(), 'trainyard-start-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

it('keeps its state in a relative directory, and finds it again', async () => {
  const dataDir = relative(process.cwd(), join(directory, 'data'));
  const options = { dataDir, port: 0, app: true, realistic: false };
  const first = await startSandbox(options);
  const pushed = await pushTo(first, { 'new.txt': 'new\n' });
  const said = await personAt(first).say('a thought');
  const { web, repo } = first.description.github;
  const page = await fetch(`${web}/${repo}/commit/${pushed}`);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('<code>new.txt</code> added, +1');
  expect((await fetch(`${web}/${repo}/commit/${'0'.repeat(40)}`)).status).toBe(404);
  await first.close();
  const second = await startSandbox(options);
  const olivia = personAt(second);
  expect(await olivia.head()).toBe(pushed);
  expect((await olivia.comments()).map(({ id }) => id)).toContain(said.id);
  await second.close();
});

it('has its directory for itself, and says where it is', async () => {
  const dataDir = join(directory, 'shared');
  const options = { dataDir, port: 0, app: false, realistic: false };
  const first = await startSandbox(options);
  const { web } = first.description.github;
  await expect(startSandbox(options)).rejects.toThrow(AlreadyRunning);
  await expect(startSandbox(options)).rejects.toThrow(`already running at ${web} `);
  await first.close();
  await (await startSandbox(options)).close();
});

it('lets a page that somebody has open go on working after a restart', async () => {
  const port = await freePort(4);
  const options = { dataDir: join(directory, 'page'), port, app: false, realistic: false };
  const first = await startSandbox(options);
  const { web, repo, pull } = first.description.github;
  const page = `${web}/${repo}/pull/${pull}`;
  const answer = await fetch(page);
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  const token = /data-csrf="([0-9a-f]{64})"/.exec(await answer.text())?.[1] ?? '';
  await first.close();
  const second = await startSandbox(options);
  const post = (csrf: string): Promise<Response> =>
    fetch(`${page}/comments`, {
      method: 'POST',
      headers: { cookie, 'x-csrf-token': csrf, 'content-type': 'application/json', origin: web },
      body: JSON.stringify({ body: 'still here', as: 'owner' }),
    });
  expect((await post(token)).status).toBe(201);
  expect((await post('0'.repeat(64))).status).toBe(403);
  await second.close();
});

it('tells people where its code is cloned from', async () => {
  const words = ['sandbox/index.ts', '--no-app', '--data', join(directory, 'cloned')];
  const sandbox = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  for await (const chunk of sandbox.stdout) {
    printed += String(chunk);
    if (printed.includes('Ctrl-C')) break;
  }
  const url = /git clone (\S+)/.exec(printed)?.[1] ?? '';
  const git = (...rest: string[]) => spawnSync('git', rest, { encoding: 'utf8' });
  const clone = join(directory, 'clone');
  expect(git('clone', '--quiet', url, clone)).toMatchObject({ status: 0 });
  const pushed = git('-C', clone, 'push', '--quiet', 'origin', 'HEAD:refs/heads/mine');
  expect(pushed).toMatchObject({ status: 0 });
  sandbox.kill('SIGTERM');
  if (sandbox.exitCode === null && sandbox.signalCode === null) await once(sandbox, 'exit');
});

it('takes the App with it when it is killed', async () => {
  const words = ['sandbox/index.ts', '--json', '--data', join(directory, 'killed')];
  const sandbox = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  for await (const chunk of sandbox.stdout) {
    printed += String(chunk);
    if (printed.includes('\n')) break;
  }
  const { app } = JSON.parse(printed) as SandboxDescription;
  expect((await fetch(new URL('/healthz', app.dashboard))).status).toBe(200);
  sandbox.kill('SIGKILL');
  if (sandbox.exitCode === null && sandbox.signalCode === null) await once(sandbox, 'exit');
  await eventually('the App to be gone', async () => {
    const answer = await fetch(new URL('/healthz', app.dashboard)).catch(() => undefined);
    return answer === undefined ? true : undefined;
  });
});

it.each([
  ['demo.ts', ['--hedless'], 'demo'],
  ['demo.ts', ['--port', 'x'], 'demo'],
  ['index.ts', ['--port', '65533'], 'sandbox'],
  ['index.ts', ['extra'], 'sandbox'],
])('%s %j says where its options are', (program, words, script) => {
  const { status, stderr } = spawnSync(process.execPath, [`sandbox/${program}`, ...words], {
    encoding: 'utf8',
  });
  expect(status).toBe(2);
  expect(stderr).toContain(`\nSee npm run ${script} -- --help\n`);
});
