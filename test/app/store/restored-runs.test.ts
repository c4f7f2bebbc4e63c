/** Runs that are stored without a command, on both databases: replicas that find the same job store one. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { appendEvent } from '../../../app/store/events.ts';
import { newestBaseRecord } from '../../../app/store/run-queries.ts';
import { lostJobs, restoreRun } from '../../../app/store/restored-runs.ts';
import { usageOf } from '../../../app/store/budget.ts';
import { startRun } from '../../../shared/flow.ts';
import { noMetrics } from '../../../shared/metrics/metrics.ts';
import type { Run } from '../../../shared/watch/run.ts';
import { plan } from '../../shared/world.ts';
import { databases, openReplicas, type Replicas } from './databases.ts';

const now = new Date('2026-03-04T05:06:07.000Z');
const place = { project: 'demo-project', region: 'us-central1' };
const publication = { comment: { id: 5 }, check: {} };

for (const kind of databases) {
  (kind.isHere ? describe : describe.skip)(`restored runs on ${kind.name}`, () => {
    let replicas: Replicas;
    beforeAll(async () => {
      replicas = await openReplicas(kind);
    });
    afterAll(() => replicas.close());
    const db = (index?: number) => replicas.db(index);
    const restore = (run: Run, index = 0) =>
      restoreRun(db(index), { run, installationId: 31, publication }, now);

    it('are stored once, with what they may cost and an event, however many find the job', async () => {
      const run = startRun(plan, now);
      const stored = await Promise.all([0, 1, 2, 3].map((index) => restore(run, index)));
      expect(stored.filter(Boolean)).toHaveLength(1);
      const rows = await db().selectFrom('runs').select(['id', 'origin', 'publication']).execute();
      expect(rows).toEqual([{ id: plan.runId, origin: `restored/${plan.runId}`, publication }]);
      const usage = await usageOf(db(), { repositoryId: 1, pullNumber: 1, actorId: 7 }, now);
      expect(usage).toMatchObject({ openRunsOfPull: 1, monthUsd: plan.estimate.ceilingUsd });
      const events = await db().selectFrom('events').select(['kind', 'run_id']).execute();
      expect(events).toEqual([{ kind: 'run_restored', run_id: plan.runId }]);
    });

    it('are never what others are held against', async () => {
      const end = { outcome: 'succeeded', at: now.toISOString() } as const;
      const metrics = { ...noMetrics, values: { loss: 1 } };
      const base = { ...plan, runId: 'bbbbbbbb', tier: 'base' } as const;
      await restore({ ...startRun(base, now), end, metrics });
      expect(await newestBaseRecord(db(), 1)).toBeUndefined();
    });

    it('are missed by jobs that were found lately, have none and were not refused one', async () => {
      const found = async (job: string, runId: string, detail: object = {}, at = now) =>
        appendEvent(db(), at, {
          ...{ kind: 'orphan_found', repositoryId: 1, runId },
          detail: { name: job, what: 'job', ...place, ...detail },
        });
      const long = new Date(now.getTime() - 3_600_000);
      await found('lost', 'cccccccc');
      await found('known', plan.runId);
      await found('build', 'dddddddd', { what: 'build' });
      await found('elsewhere', 'eeeeeeee', { region: 'us-east1' });
      await found('old', 'ffffffff', {}, long);
      await found('refused', 'gggggggg');
      await appendEvent(db(), now, { kind: 'restore_refused', detail: { name: 'refused' } });
      const since = new Date(now.getTime() - 60_000);
      expect(await lostJobs(db(), place, since)).toEqual([{ name: 'lost', foundAt: now }]);
    });
  });
}
