/** The views that people ask in SQL, on both databases: what they say is what the run says. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createLog } from '../../../app/log.ts';
import { toJsonb } from '../../../app/store/jsonb.ts';
import { openStore, type Store } from '../../../app/store/open-store.ts';
import type { Run } from '../../../shared/watch/run.ts';
import { ended, created, succeeded } from '../../shared/report/runs.ts';
import { databases, type Database } from './databases.ts';

const preempted: Run = ended(
  { outcome: 'failed', reason: 'stockout' },
  {
    attempts: [
      {
        ...{ region: 'us-east1', job: 'projects/p/locations/us-east1/customJobs/7' },
        ...{ startTime: '2026-01-02T03:00:10Z', endTime: '2026-01-02T03:00:50Z' },
        ...{ reason: 'preempted', message: 'Taken away.' },
      },
      {
        ...{ region: 'us-west1', endTime: '2026-01-02T03:01:00Z' },
        ...{ reason: 'quota', message: 'No T4 left.' },
      },
    ],
  },
);

for (const { name, prepare, isHere } of databases) {
  (isHere ? describe : describe.skip)(`questions on ${name}`, () => {
    let database: Database;
    let store: Store;
    beforeAll(async () => {
      database = await prepare();
      store = await openStore(database.options, createLog('silent'));
      for (const [id, run] of Object.entries({ preempted, succeeded, created })) {
        await store.db
          .insertInto('runs')
          .values({
            ...{ id, repository_id: 1, origin: id, installation_id: 1, next_wake_at: new Date() },
            ...{ state: toJsonb(run), publication: toJsonb({ comment: {}, check: {} }) },
          })
          .execute();
      }
    });
    afterAll(async () => {
      await store.close();
      await database.remove();
    });

    it('attempts: each launch with its place, its times and how it ended', async () => {
      const { rows } = await sql`select run_id, attempt, region, job, reason,
        extract(epoch from ended_at - started_at)::int as seconds
        from attempts order by run_id, attempt`.execute(store.db);
      const last = 'projects/p/locations/r/customJobs/1';
      expect(rows).toEqual([
        {
          ...{ run_id: 'preempted', attempt: 1, region: 'us-east1', reason: 'preempted' },
          ...{ job: 'projects/p/locations/us-east1/customJobs/7', seconds: 40 },
        },
        {
          ...{ run_id: 'preempted', attempt: 2, region: 'us-west1', reason: 'quota' },
          ...{ job: null, seconds: null },
        },
        {
          ...{ run_id: 'preempted', attempt: 3, region: 'r', job: last, reason: 'stockout' },
          seconds: 240,
        },
        {
          ...{ run_id: 'succeeded', attempt: 1, region: 'r', job: last, reason: null },
          seconds: 240,
        },
      ]);
    });

    it('metrics: each final value', async () => {
      const { rows } = await sql`select run_id, repository_id, name, value from metrics
        order by name`.execute(store.db);
      expect(rows).toEqual([
        { run_id: 'succeeded', repository_id: 1, name: 'loss', value: 0.118 },
        { run_id: 'succeeded', repository_id: 1, name: 'val_accuracy', value: 0.961 },
      ]);
    });
  });
}
