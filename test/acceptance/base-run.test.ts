/** A push to the default branch is trained, and a pull request's card says how it stands against it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pushTo } from './git-user.ts';
import { eventually, personAt, type CheckRun } from './github-user.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

const file = '.github/trainyard.yml';
let sandbox: TemporarySandbox;

beforeAll(async () => {
  sandbox = await startTemporarySandbox({ app: true });
});
afterAll(() => sandbox.close());

it('push to main → base run → /train → card with the change against main', async () => {
  const olivia = personAt(sandbox);
  const ended = (sha: string): Promise<CheckRun> =>
    eventually(
      `the run of ${sha}`,
      async () => (await olivia.checks(sha)).find(({ status }) => status === 'completed'),
      300_000,
    );
  const text = await readFile(join(import.meta.dirname, '../../examples/digits', file), 'utf8');
  const sha = await pushTo(sandbox, { [file]: `${text}train_on_push: true\n` }, 'main');
  const base = await ended(sha);
  expect(base).toMatchObject({ name: 'trainyard/train', conclusion: 'success' });
  expect(base.output.title).toMatch(/^val_accuracy 0\.9\d*$/);
  expect(await olivia.comments()).toEqual([]);
  expect(await olivia.jobs()).toHaveLength(1);

  const asked = await olivia.say('/train');
  const pull = await ended(await olivia.head());
  const change = String.raw`(?:same|[+−]0\.\d+)`;
  expect(pull.output.title).toMatch(new RegExp(String.raw`^val_accuracy 0\.9\d* \(${change}\)$`));
  const card = await eventually('the final card', async () =>
    (await olivia.answers(asked)).find(({ body }) => body.includes('**Trained**')),
  );
  const against = String.raw`\((?:same as|[+−]0\.\d+ against) main\)`;
  expect(card.body).toMatch(
    new RegExp(String.raw`^\*\*Trained\*\* .*: val_accuracy .* ${against}`),
  );
  expect(card.body).toContain(`| metric | main \`${sha.slice(0, 7)}\` | this | change |`);
  expect(card.body).toMatch(
    /\| val_accuracy \| 0\.9\d* \| \*\*0\.9\d*\*\* \| (?:same|.*better|.*worse) \|/,
  );
  expect(card.body).toMatch(
    /\nval_accuracy: main \(grey\) from .*, this run \(blue\) from .*\n\n```mermaid\n/,
  );
  expect(card.body).toMatch(/docker run --rm \\\n[^]*@sha256:[\da-f]{64}/);

  const id = /Run `([a-z2-7]{8})`/.exec(card.body)?.[1] ?? '';
  const compared = await olivia.say(`/compare ${id} base`);
  const answer = await eventually(
    'the comparison',
    async () => (await olivia.answers(compared))[0],
  );
  expect(answer.body).toMatch(/^\*\*Compared\*\*: val_accuracy \*\*0\.9/);
  expect(sandbox.violations).toEqual([]);
}, 900_000);
