/** What people get wrong, and the one clear sentence that each gets, with nothing started or left running. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, personAt, type Role } from './github-user.ts';
import { pushTo } from './git-user.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

let sandbox: TemporarySandbox;

beforeAll(async () => {
  sandbox = await startTemporarySandbox({ app: true });
});
afterAll(() => sandbox.close());

describe('a comment that starts nothing gets one answer', () => {
  const cases: { says: string; role?: Role; answer: RegExp }[] = [
    { says: '/trian gpu=T4', answer: /\/train/ },
    { says: '/train gpu=T5', answer: /T4/ },
    { says: '/train gpus=T4', answer: /gpu/ },
    { says: '/train gpu=L4 machine=n1-standard-8', answer: /g2-standard/ },
    { says: '/train gpu=T4:3', answer: /1, 2/ },
    { says: '/train config=missing.yaml', answer: /missing\.yaml/ },
    { says: '/train region=europe-west9', answer: /us-central1/ },
    { says: '/train gpu=T4 timeout=forever', answer: /timeout/ },
    { says: '/train gpu=T4', role: 'reader', answer: /write/ },
    { says: '/help', answer: /\/train/ },
    { says: '/train gpu=T4 dry-run', answer: /n1-standard-4/ },
  ];
  it.each(cases)('$says ($role)', async ({ says, role, answer }) => {
    const person = personAt(sandbox, role ?? 'owner');
    const asked = await person.say(says);
    const answers = await eventually('an answer', async () => {
      const found = await person.answers(asked);
      return found.length > 0 ? found : undefined;
    });
    expect(answers).toHaveLength(1);
    expect(answers[0]!.body).toMatch(answer);
    expect(await person.jobs()).toEqual([]);
    expect(await person.builds()).toEqual([]);
  });

  it('says nothing to what is not a command', async () => {
    const olivia = personAt(sandbox);
    const quiet = await olivia.say(
      'Looks good.\n\n```\n/train gpu=T4\n```\n\n> /train gpu=T4\n\n/usr/bin/python',
    );
    const asked = await olivia.say('/help');
    const answers = await eventually('an answer', async () => {
      const found = await olivia.answers(asked);
      return found.length > 0 ? found : undefined;
    });
    expect(answers).toHaveLength(1);
    expect(await olivia.answers(quiet)).toHaveLength(answers.length);
    expect(await olivia.jobs()).toEqual([]);
  });
});

describe('a run that cannot succeed fails with its reason', () => {
  const cases: {
    name: string;
    files: Record<string, string>;
    answer: RegExp;
    builds: number;
    jobs: number;
  }[] = [
    {
      name: 'a config that does not parse',
      files: { 'config_cpu.yaml': 'workerPoolSpecs:\n  machineSpec: [\n' },
      answer: /config_cpu\.yaml:\d+:\d+/,
      builds: 0,
      jobs: 0,
    },
    {
      name: 'a failing build',
      files: { Dockerfile: 'FROM python:3.12-slim\nCOPY nowhere.txt /app/\n' },
      answer: /\*\*Failed\*\*[^]*nowhere\.txt/,
      builds: 1,
      jobs: 0,
    },
    {
      name: 'a training script that exits 3',
      files: { 'train.py': 'import sys\nprint("about to fail")\nsys.exit(3)\n' },
      answer: /\*\*Failed\*\*[^]*status 3[^]*about to fail/,
      builds: 1,
      jobs: 1,
    },
    {
      name: 'a training script that is killed',
      files: { 'train.py': 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n' },
      answer: /\*\*Failed\*\*[^]*137/,
      builds: 1,
      jobs: 1,
    },
  ];
  it.each(cases)('$name', async ({ files, answer, builds, jobs }) => {
    const olivia = personAt(sandbox);
    const before = { builds: (await olivia.builds()).length, jobs: (await olivia.jobs()).length };
    const pushed = await pushTo(sandbox, files);
    await eventually('the pull request to move', async () =>
      (await olivia.head()) === pushed ? true : undefined,
    );
    const asked = await olivia.say('/train');
    const card = await eventually('the answer', async () =>
      (await olivia.answers(asked)).find(({ body }) => answer.test(body)),
    );
    expect((await olivia.answers(asked)).map(({ id }) => id)).toEqual([card.id]);
    expect((await olivia.builds()).length - before.builds).toBe(builds);
    expect((await olivia.jobs()).length - before.jobs).toBe(jobs);
    const [check] = await eventually('the check to complete', async () => {
      const checks = await olivia.checks(pushed);
      return checks.every(({ status }) => status === 'completed') ? checks : undefined;
    });
    if (builds > 0) expect(check?.conclusion).toBe('failure');
  });

  it('left nothing running', async () => {
    const olivia = personAt(sandbox);
    for (const { state } of await olivia.jobs())
      expect(state).toMatch(/SUCCEEDED|FAILED|CANCELLED/);
    for (const { status } of await olivia.builds())
      expect(status).toMatch(/SUCCESS|FAILURE|CANCELLED/);
    expect(sandbox.violations).toEqual([]);
  });
});
