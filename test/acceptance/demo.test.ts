/** `npm run demo` as somebody runs it: one command, main trained once, and a card that is held against it. */
import { afterAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '../../sandbox/start.ts';
import { pushTo } from './git-user.ts';
import { eventually } from './github-user.ts';

const directory = await mkdtemp(join(tmpdir(), 'trainyard-demo-test-'));
const programs: ChildProcess[] = [];
afterAll(async () => {
  for (const program of programs) program.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

const seconds = String.raw`^ *\d+\.\ds  `;
const trained = /^Trained \w{7}: val_accuracy (0\.\d+) \(\+(0\.\d+) against main\) · .*\$/m;

interface Demo {
  readonly program: ChildProcess;
  readonly output: () => string;
  readonly errors: () => string;
  readonly code: Promise<number | null>;
}

function demo(...words: string[]): Demo {
  const program = spawn(process.execPath, ['sandbox/demo.ts', '--port', '0', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  programs.push(program);
  let [output, errors] = ['', ''];
  program.stdout.on('data', (chunk) => (output += String(chunk)));
  program.stderr.on('data', (chunk) => (errors += String(chunk)));
  const code = once(program, 'close').then(([status]) => status as number | null);
  return { program, output: () => output, errors: () => errors, code };
}

describe('--headless', () => {
  it('trains main and the pull request, and prints the card that compares them', async () => {
    const { code, output, errors } = demo('--headless');
    expect(await code).toBe(0);
    expect(errors()).toBe('');
    const lines = output().split('\n');
    const timeline = lines.filter((line) => new RegExp(seconds).test(line));
    // One more for each eight seconds in which nothing else was to be said.
    expect(timeline.filter((line) => !line.includes('still: ')).length).toBeLessThanOrEqual(8);
    expect(output()).toMatch(
      new RegExp(String.raw`${seconds}main \w{7} is trained: val_accuracy 0\.9\d+$`, 'm'),
    );
    const [, , gain] = trained.exec(output()) ?? [];
    // The pull request says that it learns better, and it does, by more than one digit's luck.
    expect(Number(gain)).toBeGreaterThan(0.005);
    expect(output()).toMatch(/^ {2}metric +main \w{7} +this +change$/m);
    expect(output()).toMatch(/^ {2}val_accuracy .* better$/m);
    expect(output()).not.toMatch(/mermaid|\(grey\)|seconds/);
    expect(lines.at(-2)).toMatch(
      /^The check "trainyard\/train" is green: val_accuracy 0\.9\d+ \(\+0\.\d+\)$/,
    );
  }, 600_000);

  it('says that main cannot be trained, and goes on without it', async () => {
    const dataDir = join(directory, 'broken');
    const sandbox = await startSandbox({ dataDir, port: 0, app: false, realistic: false });
    await pushTo(sandbox, { 'train.py': 'raise SystemExit(3)\n' }, 'main');
    await sandbox.close();
    const { code, output } = demo('--headless', '--data', dataDir);
    expect(await code).toBe(0);
    expect(output()).toMatch(/ main \w{7} was not trained \(Failed: .*\): there is nothing to/);
    expect(output()).toMatch(/^Trained \w{7}: val_accuracy 0\.9\d+ · /m);
  }, 600_000);
});

it('has main trained once while its page is open, and tells of each run as it starts and ends', async () => {
  const data = join(directory, 'data');
  const first = demo('--no-open', '--data', data);
  const printed = (what: RegExp, { output } = first): Promise<RegExpExecArray> =>
    eventually(what.source, () => Promise.resolve(what.exec(output()) ?? undefined), 240_000).catch(
      (error: unknown) => {
        throw new Error(`The demo printed:\n${output()}`, { cause: error });
      },
    );
  const [, token, address] = await printed(/git clone http:\/\/x:(\w+)@([\d.:]+)\//);
  const api = (path: string, body?: string): Promise<Response> =>
    fetch(`http://${address}/api/v3/repos/acme/digits${path}`, {
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify({ body }) }),
    });
  // Both train here: that main has ended first is for whoever comments to wait for.
  await printed(/main \w{7} is trained/);
  expect((await api('/issues/1/comments', '/train gpu=T4')).status).toBe(201);
  await printed(trainedLine);
  const told = first.output().split('\n');
  const at = (what: RegExp): number => told.findIndex((line) => what.test(line));
  const order = [
    /main \w{7} \(train_on_push\)/,
    /s {2}ready$/,
    /main \w{7} is trained: val_accuracy 0\.9/,
  ];
  expect(order.map(at)).toEqual(order.map(at).toSorted((a, b) => a - b));
  expect(order.map(at)).not.toContain(-1);
  expect(told.filter((line) => /s {2}(?:Building|Waiting|Training)/.test(line))).toHaveLength(1);
  expect(told.filter((line) => trainedLine.test(line))).toHaveLength(1);
  const main = /main (\w{7}) is trained/.exec(first.output())?.[1] ?? '';
  first.program.kill('SIGTERM');
  expect(await first.code).toBe(0);

  const second = demo('--no-open', '--data', data);
  await printed(new RegExp(`main ${main} is trained: val_accuracy 0\\.9`), second);
  second.program.kill('SIGTERM');
  expect(await second.code).toBe(0);
  expect([first.errors(), second.errors()]).toEqual(['', '']);
}, 900_000);

const trainedLine = /s {2}Trained \w{7}: val_accuracy 0\.9\d+ \(\+0\.\d+ against main\)/;
