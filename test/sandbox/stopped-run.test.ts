/** A sandbox that is stopped in the middle of a run: after the next start its card says what became of it. */
import { afterAll, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSandbox } from '../../sandbox/start.ts';
import { eventually, personAt } from '../acceptance/github-user.ts';

const directory = await mkdtemp(join(tmpdir(), 'trainyard-stopped-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

it('fails the run, says why, and how to have it again', async () => {
  const options = { dataDir: directory, port: 0, app: true, realistic: false };
  const first = await startSandbox(options);
  const before = personAt(first);
  const head = await before.head();
  const asked = await before.say('/train gpu=T4 -- --epochs 9000');
  await eventually('the job to run', async () =>
    (await before.jobs()).some(({ state }) => state === 'JOB_STATE_RUNNING') ? true : undefined,
  );
  await first.close();

  const second = await startSandbox(options);
  try {
    const after = personAt(second);
    const card = await eventually('the card', async () =>
      (await after.answers(asked)).find(({ body }) => body.startsWith('**Failed**')),
    );
    expect(card.body).toContain('The sandbox was stopped while this job ran.');
    expect(card.body).toMatch(/Try `\/retry \w+`/);
    const [check] = await after.checks(head);
    expect(check).toMatchObject({ status: 'completed', conclusion: 'failure' });
    expect(await after.jobs()).toHaveLength(1);
  } finally {
    await second.close();
  }
});
