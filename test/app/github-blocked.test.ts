/** GitHub takes nothing from the App for a while: what people asked for meanwhile is not lost. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AppUnderTest } from './app-under-test.ts';
import { commentCreated } from './deliveries.ts';

let app: AppUnderTest;
beforeAll(async () => {
  app = await AppUnderTest.prepare();
  await app.start();
});
afterAll(() => app.close());

it('answers a command once the limit is over, an hour later', async () => {
  app.github.refused = { route: /./, message: 'You have exceeded a secondary rate limit.' };
  const comment = app.github.comment('/help', 'olivia', app.world.now);
  expect(await app.deliver(commentCreated(comment))).toBe(202);
  const over = app.world.now.getTime() + 3_600_000;
  const asked = (): number => app.github.requests.length;
  await app.until(
    'the end of the hour',
    () => (app.world.now.getTime() > over ? true : undefined),
    30_000,
  );
  expect(app.answersTo(comment)).toEqual([]);
  // It was told to wait for a minute each time, and did.
  expect(asked()).toBeLessThan(3 * 60);
  app.github.refused = undefined;
  const answer = await app.until('the answer', () => app.answersTo(comment)[0], 30_000);
  expect(answer).toContain('/train');
});
