/** `kill -9` of the App in the middle of the build and of the job: the run finishes, nothing is bought twice. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { eventually, personAt } from '../acceptance/github-user.ts';
import { startTemporarySandbox, type TemporarySandbox } from '../acceptance/temporary-sandbox.ts';
import { startAppProcess, type AppProcess } from '../app/app-process.ts';

let sandbox: TemporarySandbox;
let app: AppProcess | undefined;

beforeAll(async () => {
  sandbox = await startTemporarySandbox({ realistic: true });
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

it('finishes with one build and one job', async () => {
  await start();
  const olivia = personAt(sandbox);
  const head = await olivia.head();
  const asked = await olivia.say('/train gpu=T4');

  // Asked again every tenth of a second, so that the App dies close behind its create call.
  await eventually('the build', async () =>
    (await olivia.builds()).length > 0 ? true : undefined,
  );
  await kill();
  await start();

  await eventually('the job to run', async () =>
    (await olivia.jobs()).some(({ state }) => state === 'JOB_STATE_RUNNING') ? true : undefined,
  );
  await kill();
  await start();

  const check = await eventually('the check to complete', async () =>
    (await olivia.checks(head)).find(({ status }) => status === 'completed'),
  );
  expect(check.conclusion).toBe('success');
  await eventually('the final card', async () =>
    (await olivia.answers(asked)).find(({ body }) => body.includes('**Trained**')),
  );
  expect(await olivia.answers(asked)).toHaveLength(1);
  expect(await olivia.checks(head)).toHaveLength(1);
  expect(await olivia.builds()).toHaveLength(1);
  expect(await olivia.jobs()).toHaveLength(1);
}, 600_000);

it('is told of what was commented while it was down', async () => {
  await kill();
  const olivia = personAt(sandbox);
  const asked = await olivia.say('/help');
  await sandbox.webhooksSettled();
  await start();
  const answers = await eventually('the answer', async () => {
    const found = await olivia.answers(asked);
    return found.length > 0 ? found : undefined;
  });
  expect(answers).toHaveLength(1);
  expect(answers[0]?.body).toContain('/train');
});
