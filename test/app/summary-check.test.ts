/** The check for branch protection: there from the first moment, and moved only by runs that count. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { countsForSummary } from '../../shared/plan/counts-for-summary.ts';
import { parseCommands } from '../../shared/command/parse.ts';
import { AppUnderTest } from './app-under-test.ts';
import { commentCreated, pullSynchronized } from './deliveries.ts';
import { head, type FakeCheck } from './fake-github.ts';

it.each([
  ['/train', true],
  ['/train profile=full', true],
  ['/train gpu=T4', false],
  ['/train -- --epochs 0', false],
  ['/train --', false],
  ['/train env.FAST=1', false],
  ['/train build=always', false],
  ['/train dry-run', false],
  ['/build', false],
])('%s counts: %s', (text, counts) => {
  const [line] = parseCommands(text);
  if (line?.kind !== 'command') throw new Error(`${text} is no command`);
  const { command } = line;
  expect((command.kind === 'train' || command.kind === 'build') && countsForSummary(command)).toBe(
    counts,
  );
});

let app: AppUnderTest;
beforeAll(async () => {
  app = await AppUnderTest.prepare();
  app.github.files['.github/trainyard.yml'] = 'config: config.yaml\nsummary_check: true\n';
  await app.start();
});
afterAll(() => app.close());

const summaries = (): FakeCheck[] => app.github.checks.filter(({ name }) => name === 'trainyard');
const runsOf = (): FakeCheck[] =>
  app.github.checks.filter(({ name }) => name === 'trainyard/train');

async function train(text: string): Promise<FakeCheck> {
  const known = runsOf().length;
  await app.deliver(commentCreated(app.github.comment(text, 'olivia', app.world.now)));
  const check = await app.until(`the run of ${text}`, () => runsOf()[known]);
  await app.until('the end', () => (check.status === 'completed' ? true : undefined), 500);
  return check;
}

it('is neutral, once, until a run counts', async () => {
  const earlier = new Date(app.world.now.getTime() - 60_000);
  for (let push = 0; push < 2; push++) {
    await app.deliver(pullSynchronized(earlier, head), { event: 'pull_request' });
  }
  const summary = await app.until('the check', () => summaries()[0]);
  expect(summary).toMatchObject({ status: 'completed', conclusion: 'neutral', head_sha: head });
  expect(summary.details_url).toMatch(/\/acme\/digits\/pull\/1$/);
  expect((await train('/train timeout=10m')).conclusion).toBe('success');
  expect(summary.conclusion).toBe('neutral');
  await train('/train');
  await app.until('its end', () => (summary.conclusion === 'success' ? true : undefined));
  // Both lead to the card, from their first moment.
  const card = app.github.comments.find(({ id }) => summary.details_url.endsWith(`-${id}`));
  expect(card?.body).toContain('**Trained**');
  expect(summary.details_url).toBe(
    `${app.settings.githubApiUrl}/acme/digits/pull/1#issuecomment-${card?.id}`,
  );
  expect(runsOf().at(-1)?.details_url).toBe(summary.details_url);
  // Buttons belong to the run.
  expect(summary.actions ?? []).toEqual([]);
  expect(summaries()).toHaveLength(1);
});
