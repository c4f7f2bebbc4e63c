/** Google takes only so many requests in a minute: a run that meets that waits, says so, and buys once. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AppUnderTest } from './app-under-test.ts';
import { commentCreated } from './deliveries.ts';
import type { FakeCheck } from './fake-github.ts';

interface ShownCheck extends FakeCheck {
  readonly output: { readonly title: string };
}

let app: AppUnderTest;

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  app.world.retryAfterSeconds = 30;
  await app.start();
});
afterAll(() => app.close());

it.each(['builds', 'jobs'] as const)('waits with its %s, also over a restart', async (what) => {
  const made = app.world[what].length;
  const asked = app.world.askedAt[what].length;
  app.world.tooMany[what] = 2;
  const text = what === 'builds' ? '/train gpu=T4 build=always' : '/train gpu=T4';
  const comment = app.github.comment(text, 'olivia', app.world.now);
  await app.deliver(commentCreated(comment));
  const one = what === 'builds' ? 'build' : 'job';
  const waits = `**Waiting** to ask for the ${one} of \`aaaaaaa\`: Google has had too many requests, next try in `;
  const card = (): string => app.answersTo(comment)[0] ?? '';
  await app.until('a card that says so', () => card().includes(waits) || undefined);
  const title = 'Waiting: Google has had too many requests';
  const check = await app.until('a check that says so', () =>
    app.github.checks.find((one) => (one as ShownCheck).output.title === title),
  );
  expect(app.world.askedAt[what]).toHaveLength(asked + 1);

  await app.restart();
  // Its time has not come, and nothing is in doubt.
  await app.until('the second try', () => (app.world.tooMany[what] === 0 ? true : undefined), 500);
  await app.until('the end', () => card().includes('**Trained**') || undefined, 500);
  expect(app.world[what]).toHaveLength(made + 1);
  const [first = 0, second = 0, third = 0] = app.world.askedAt[what].slice(asked);
  expect(second - first).toBeGreaterThanOrEqual(30_000);
  expect(third - second).toBeGreaterThanOrEqual(30_000);
  expect(app.world.askedAt[what]).toHaveLength(asked + 3);
  await app.until('its last words', () => check.conclusion ?? undefined, 500);
});
