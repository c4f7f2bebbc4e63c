/** The sandbox as a person starts it: beside the checkout, in a directory that is named as people name it. */
import { afterAll, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { startSandbox } from '../../sandbox/start.ts';
import { personAt } from '../acceptance/github-user.ts';
import { pushTo } from '../acceptance/git-user.ts';

const directory = await mkdtemp(join(tmpdir(), 'trainyard-start-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

it('keeps its state in a relative directory, and finds it again', async () => {
  const dataDir = relative(process.cwd(), join(directory, 'data'));
  const options = { dataDir, port: 0, app: true, realistic: false };
  const first = await startSandbox(options);
  const pushed = await pushTo(first, { 'new.txt': 'new\n' });
  const said = await personAt(first).say('a thought');
  await first.close();
  const second = await startSandbox(options);
  const olivia = personAt(second);
  expect(await olivia.head()).toBe(pushed);
  expect((await olivia.comments()).map(({ id }) => id)).toContain(said.id);
  await second.close();
}, 90_000);
