/** Every example that GitHub publishes of the events that mean something to us: handled, and nothing comes of them. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { isHandledEvent } from '../../app/webhooks/handled-events.ts';
import { AppUnderTest } from './app-under-test.ts';
import { deliver } from './deliveries.ts';
import { publishedPayloads, unfinishedDeliveries } from './published-payloads.ts';

const examples = publishedPayloads
  .filter(({ name }) => isHandledEvent(name))
  .flatMap(({ name, examples: all }) => all.map((payload) => [name, payload] as const));

let app: AppUnderTest;

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  await app.start();
});
afterAll(() => app.close());

it('is one of each event at least', () => {
  expect(new Set(examples.map(([name]) => name)).size).toBeGreaterThan(6);
});

it('is taken and leaves nothing behind', async () => {
  for (const [at, [event, payload]] of examples.entries()) {
    const id = `example-${at}`;
    expect([event, await deliver(app.url, payload, { event, id })]).toEqual([event, 202]);
    // Half of it, as it would be after a connection that broke, properly signed all the same.
    const half = JSON.stringify(payload).slice(0, 500);
    expect(await deliver(app.url, half, { event, id: `half-${at}` })).toBe(400);
    // Parts of it are missing, as a new version of the event might have it.
    for (const key of Object.keys(payload)) {
      const { [key]: _, ...rest } = payload;
      expect(await deliver(app.url, rest, { event, id: `${id}-${key}` })).toBe(202);
    }
  }
  const { unfinished, runs } = await unfinishedDeliveries(app);
  expect(unfinished).toEqual([]);
  expect(runs).toEqual([]);
  expect(app.github.comments.filter(({ user }) => user.type === 'Bot')).toHaveLength(1);
  expect(app.github.reactions).toEqual([]);
  expect(app.world.jobs).toEqual([]);
});
