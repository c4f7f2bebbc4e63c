/** What GitHub publishes of its webhooks, and what became of payloads that mean nothing to the App. */
import { createRequire } from 'node:module';
import { openStore } from '../../app/store/open-store.ts';
import { log, type AppUnderTest } from './app-under-test.ts';
import { commentCreated } from './deliveries.ts';

/** @see https://github.com/octokit/webhooks/tree/main/payload-examples */
export const publishedPayloads = createRequire(import.meta.url)(
  '@octokit/webhooks-examples',
) as readonly {
  readonly name: string;
  readonly examples: readonly Record<string, unknown>[];
}[];

/** Has a command answered that comes behind all of them, stops the App, and gives what is open or has failed. */
export async function unfinishedDeliveries(app: AppUnderTest) {
  const help = app.github.comment('/help', 'olivia', app.world.now);
  await app.deliver(commentCreated(help));
  await app.until('the help', () => app.answersTo(help)[0]);
  await app.stop();
  const store = await openStore({ databaseUrl: undefined, dataDir: app.dataDir }, log);
  const unfinished = await store.db
    .selectFrom('deliveries')
    .select(['id', 'event', 'error'])
    .where((column) =>
      column.or([column('processed_at', 'is', null), column('error', 'is not', null)]),
    )
    .execute();
  const runs = await store.db.selectFrom('runs').select('id').execute();
  await store.close();
  return { unfinished, runs };
}
