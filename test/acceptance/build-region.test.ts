/** An operator who builds where a new project may not: what whoever asks for a run is told, by the App as it is. */
import { appendFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { superviseApp, type SupervisedApp } from '../../sandbox/supervised-app.ts';
import { eventually, personAt } from './github-user.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

let sandbox: TemporarySandbox;
let app: SupervisedApp;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  const { TRAINYARD_CONFIG: config = '' } = sandbox.appEnvironment;
  // Of the only repository, which stands last.
  await appendFile(config, '    build_region: europe-west3\n');
  app = superviseApp(sandbox.appEnvironment, () => undefined);
  await app.untilReady(new URL(sandbox.description.app.webhook).origin);
});
afterAll(async () => {
  await app.stop();
  await sandbox.close();
});

it('says why the run failed and where builds may run, and launches nothing', async () => {
  const olivia = personAt(sandbox);
  const asked = await olivia.say('/train gpu=T4');
  const check = await eventually('the check to complete', async () =>
    (await olivia.checks(await olivia.head())).find(({ status }) => status === 'completed'),
  );
  expect(check).toMatchObject({
    conclusion: 'failure',
    output: { title: 'Failed: builds not allowed in that region' },
  });
  const card = await eventually('the final card', async () =>
    (await olivia.answers(asked)).find(({ body }) => body.includes('**Failed**')),
  );
  expect(card.body).toContain('this project may not run builds in that region');
  expect(card.body).toContain('Set `build_region` to global, us-central1, us-west2');
  expect(await olivia.answers(asked)).toHaveLength(1);
  expect(await olivia.jobs()).toEqual([]);
});
