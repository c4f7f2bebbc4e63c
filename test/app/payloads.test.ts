/** Every example that GitHub publishes of the events that mean something to us: handled, and nothing comes of them. */
import { createRequire } from 'node:module';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { isHandledEvent } from '../../app/webhooks/handled-events.ts';
import { openStore } from '../../app/store/open-store.ts';
import { AppUnderTest, log } from './app-under-test.ts';
import { commentCreated, deliver } from './deliveries.ts';

/** @see https://github.com/octokit/webhooks/tree/main/payload-examples */
const published = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly {
  readonly name: string;
  readonly examples: readonly Record<string, unknown>[];
}[];
const examples = published
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
  const help = app.github.comment('/help', 'olivia', app.world.now);
  await app.deliver(commentCreated(help));
  await app.until('the help', () => app.answersTo(help)[0]);
  await app.stop();
  const store = await openStore({ databaseUrl: undefined, dataDir: app.dataDir }, log);
  const open = await store.db
    .selectFrom('deliveries')
    .select(['id', 'event', 'error'])
    .where((column) =>
      column.or([column('processed_at', 'is', null), column('error', 'is not', null)]),
    )
    .execute();
  const runs = await store.db.selectFrom('runs').select('id').execute();
  await store.close();
  expect(open).toEqual([]);
  expect(runs).toEqual([]);
  expect(app.github.comments.filter(({ user }) => user.type === 'Bot')).toHaveLength(1);
  expect(app.github.reactions).toEqual([]);
  expect(app.world.jobs).toEqual([]);
});
