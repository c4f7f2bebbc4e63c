/** `kill -9` of the App while a job runs, and its database is gone: the job's card and check are completed all the same. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { rm } from 'node:fs/promises';
import { eventually, personAt } from '../acceptance/github-user.ts';
import { startTemporarySandbox, type TemporarySandbox } from '../acceptance/temporary-sandbox.ts';
import { startAppProcess, type AppProcess } from '../app/app-process.ts';

let sandbox: TemporarySandbox;
let app: AppProcess | undefined;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
});
afterAll(async () => {
  await kill();
  await sandbox.close();
});

async function start(): Promise<void> {
  app = await startAppProcess(sandbox.appEnvironment);
}

async function kill(): Promise<void> {
  await app?.kill('SIGKILL');
}

it('finishes with one job, one card and one check', async () => {
  await start();
  const olivia = personAt(sandbox);
  const head = await olivia.head();
  const asked = await olivia.say('/train gpu=T4 -- --epochs 100');
  await eventually(
    'the job to run, and its card to say so',
    async () =>
      (await olivia.answers(asked)).some(({ body }) => body.includes('**Training**'))
        ? true
        : undefined,
    600_000,
  );
  await kill();
  const [job, ...others] = await olivia.jobs();
  expect(job?.state).toBe('JOB_STATE_RUNNING');
  expect(others).toEqual([]);

  await rm(sandbox.appEnvironment['TRAINYARD_DATA'] ?? '', { recursive: true });
  await start();
  const check = await eventually(
    'the check to complete',
    async () => (await olivia.checks(head)).find(({ status }) => status === 'completed'),
    600_000,
  );
  expect(check.conclusion).toBe('success');
  const card = await eventually('the final card', async () =>
    (await olivia.answers(asked)).find(({ body }) => body.includes('**Trained**')),
  );
  expect(card.body).toContain('val_accuracy');
  expect(card.body).toContain('The record of this run was lost and made anew from its job');
  expect(await olivia.answers(asked)).toHaveLength(1);
  expect(await olivia.checks(head)).toHaveLength(1);
  expect(await olivia.builds()).toHaveLength(1);
  expect(await olivia.jobs()).toHaveLength(1);
}, 1_500_000);
