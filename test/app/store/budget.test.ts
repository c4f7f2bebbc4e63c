/** What runs hold of their ceilings, on both databases; commands that come at once never exceed them together. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { approverOf, storeApproval } from '../../../app/store/approvals.ts';
import { monthSpend, settle, usageOf } from '../../../app/store/budget.ts';
import { commentOrigin, registerCommand } from '../../../app/store/commands.ts';
import { insertDelivery } from '../../../app/store/deliveries.ts';
import { pusherOf } from '../../../app/store/heads.ts';
import { budgetAndApprovals } from '../../../app/store/migrations/004-budget-and-approvals.ts';
import { monthOf } from '../../../app/store/month.ts';
import {
  forgetOutside,
  outsideOfMonth,
  recordOutside,
  type OutsideSpend,
} from '../../../app/store/outside-spend.ts';
import { createRun, type Admission } from '../../../app/store/runs.ts';
import { startRun } from '../../../shared/flow.ts';
import type { Refusal } from '../../../shared/policy/decision.ts';
import { plan } from '../../shared/world.ts';
import { databases, openReplicas, type Replicas } from './databases.ts';

const now = new Date('2026-03-04T05:06:07.000Z');
const march = monthOf(now);

for (const kind of databases) {
  (kind.isHere ? describe : describe.skip)(`the budget on ${kind.name}`, () => {
    let replicas: Replicas;
    let nextRun = 0;
    beforeAll(async () => {
      replicas = await openReplicas(kind);
    });
    afterAll(() => replicas.close());
    const db = (index?: number) => replicas.db(index);

    async function ask(
      repositoryId: number,
      admission: Admission,
      { pullNumber = 1, actorId = 7, at = now } = {},
    ): Promise<{ readonly runId: string; readonly created: boolean | Refusal }> {
      const index = nextRun++;
      const runId = `run${String(index).padStart(5, 'a')}`;
      const subject = {
        ...plan.subject,
        pullNumber,
        requestedBy: { id: actorId, login: 'olivia' },
      };
      const run = startRun({ ...plan, runId, subject }, at);
      const key = { repositoryId, origin: commentOrigin(index, 1) };
      await registerCommand(db(index), key, { actorId, pullNumber: 1 }, at);
      const created = { run, key, installationId: 31, admission, now: at };
      return { runId, created: await createRun(db(index), created) };
    }

    const reasonsOf = (asked: readonly { readonly created: boolean | Refusal }[]): string[] =>
      asked.flatMap(({ created }) => (typeof created === 'object' ? [created.reason] : []));

    it('never exceeds a ceiling, however many commands come at once', async () => {
      const limits = { maxUsdPerMonth: 10 };
      const asked = await Promise.all(
        Array.from({ length: 30 }, (_, index) => ask(1, { usd: 3, limits }, { pullNumber: index })),
      );
      expect(asked.filter(({ created }) => created === true)).toHaveLength(3);
      expect(reasonsOf(asked)).toEqual(Array.from({ length: 27 }, () => 'over_budget'));
      expect(await monthSpend(db(), 1, march)).toEqual({ settledUsd: 0, reservedUsd: 9, runs: 3 });
      // Another repository has a budget of its own.
      expect((await ask(2, { usd: 3, limits })).created).toBe(true);
    });

    it.each([
      [3, { maxRunsPerPull: 2 }, {}, { pullNumber: 2 }],
      [4, { maxRunsPerUser: 2 }, {}, { actorId: 8 }],
      [5, { maxRunsPerRepository: 2 }, {}, undefined],
    ])('lets two of repository %d run below %j', async (repositoryId, limits, same, other) => {
      const asked = await Promise.all(
        Array.from({ length: 12 }, () => ask(repositoryId, { usd: 1, limits }, same)),
      );
      const created = asked.filter((one) => one.created === true);
      expect(created).toHaveLength(2);
      expect(new Set(reasonsOf(asked))).toEqual(new Set(['too_many_runs']));
      const elsewhere = await ask(repositoryId, { usd: 1, limits }, other ?? same);
      expect(elsewhere.created === true).toBe(other !== undefined);
      // One that has ended makes room for one more.
      await settle(db(), created[0]!.runId, 0.5, now);
      const again = await Promise.all(
        Array.from({ length: 5 }, () => ask(repositoryId, { usd: 1, limits }, same)),
      );
      expect(again.filter((one) => one.created === true)).toHaveLength(1);
    });

    it('puts what a run has cost in place of what it might have, once', async () => {
      const limits = { maxUsdPerMonth: 10 };
      const { runId } = await ask(6, { usd: 8, limits });
      expect(reasonsOf([await ask(6, { usd: 8, limits })])).toEqual(['over_budget']);
      await Promise.all([1, 2, 3].map((usd) => settle(db(usd), runId, 1.5, now)));
      await settle(db(), runId, 9, now);
      expect(await monthSpend(db(), 6, march)).toEqual({
        ...{ settledUsd: 1.5, reservedUsd: 0, runs: 1 },
      });
      expect((await ask(6, { usd: 8, limits })).created).toBe(true);
    });

    it('keeps what was reserved of a run that nobody could follow', async () => {
      const { runId } = await ask(7, { usd: 4, limits: {} });
      await settle(db(), runId, undefined, now);
      expect(await monthSpend(db(), 7, march)).toMatchObject({ settledUsd: 4, reservedUsd: 0 });
      await settle(db(), 'nosuchrun', 4, now);
    });

    it('begins anew with each month, and counts open runs on, with what they may cost', async () => {
      const april = new Date('2026-04-01T00:00:00.000Z');
      const limits = { maxUsdPerMonth: 5, maxRunsPerRepository: 2 };
      const { runId } = await ask(8, { usd: 3, limits });
      const ended = await ask(8, { usd: 2, limits });
      expect(reasonsOf([await ask(8, { usd: 1, limits: { maxUsdPerMonth: 5 } })])).toEqual([
        'over_budget',
      ]);
      await settle(db(), ended.runId, 2, now);
      // What has ended is March's; what waits for a machine may spend all of it in April.
      expect(reasonsOf([await ask(8, { usd: 3, limits }, { at: april })])).toEqual(['over_budget']);
      expect((await ask(8, { usd: 2, limits }, { at: april })).created).toBe(true);
      const owner = { repositoryId: 8, pullNumber: 1, actorId: 7 };
      expect(await usageOf(db(), owner, april)).toEqual({
        ...{ openRunsOfPull: 2, openRunsOfUser: 2, openRunsOfRepository: 2, monthUsd: 5 },
      });
      await settle(db(), runId, 1, april);
      expect(await monthSpend(db(), 8, monthOf(april))).toEqual({
        ...{ settledUsd: 1, reservedUsd: 2, runs: 2 },
      });
      expect(await monthSpend(db(), 8, march)).toMatchObject({ settledUsd: 2 });
    });

    it('counts what the App did not begin once, and leaves it as it is once it has ended', async () => {
      const seen: OutsideSpend = {
        ...{ resource: 'projects/p/locations/r/customJobs/1', repositoryId: 11 },
        ...{ kind: 'workflow_job', begunAt: now, endedAt: undefined, binds: true, usd: 3 },
      };
      const build: OutsideSpend = {
        ...seen,
        resource: 'b',
        kind: 'trigger_build',
        usd: 1,
        endedAt: now,
      };
      await Promise.all([0, 1, 2].map((index) => recordOutside(db(index), [seen, build], now)));
      const spent = { triggerBuildsUsd: 1, workflowsUsd: 3, bindingUsd: 4 };
      expect(await outsideOfMonth(db(), 11, march)).toEqual(spent);
      const owner = { repositoryId: 11, pullNumber: 1, actorId: 7 };
      expect(await usageOf(db(), owner, now)).toMatchObject({ monthUsd: 4, outsideUsd: 4 });
      const limits = { maxUsdPerMonth: 5 };
      expect(reasonsOf([await ask(11, { usd: 2, limits })])).toEqual(['over_budget']);
      expect((await ask(11, { usd: 1, limits })).created).toBe(true);
      // It goes on into April, which is where it ends.
      const april = new Date('2026-04-02T00:00:00.000Z');
      await recordOutside(db(), [{ ...seen, usd: 5, endedAt: april }, build], april);
      await recordOutside(
        db(),
        [
          { ...seen, usd: 4 },
          { ...build, usd: 9 },
        ],
        april,
      );
      expect(await outsideOfMonth(db(), 11, march)).toEqual({
        ...{ triggerBuildsUsd: 1, workflowsUsd: 0, bindingUsd: 1 },
      });
      expect(await outsideOfMonth(db(), 11, monthOf(april))).toMatchObject({ workflowsUsd: 5 });
      await recordOutside(db(), [{ ...seen, resource: 'c', binds: false, usd: 7 }], april);
      expect(await usageOf(db(), owner, april)).toMatchObject({ outsideUsd: 5 });
      await forgetOutside(db(), april);
      expect(await outsideOfMonth(db(), 11, monthOf(april))).toMatchObject({ workflowsUsd: 7 });
    });

    it('counts once what a list has twice, as it was there last', async () => {
      const seen: OutsideSpend = {
        ...{ resource: 'twice', repositoryId: 12, kind: 'workflow_job', begunAt: now },
        ...{ endedAt: undefined, usd: 1, binds: true },
      };
      await recordOutside(db(), [seen, { ...seen, usd: 2, endedAt: now }], now);
      expect(await outsideOfMonth(db(), 12, march)).toMatchObject({ workflowsUsd: 2 });
    });

    it('reserves nothing for a command that has its run already', async () => {
      const key = { repositoryId: 9, origin: commentOrigin(1, 1) };
      await registerCommand(db(), key, { actorId: 7, pullNumber: 1 }, now);
      const created = await Promise.all(
        ['samerunaa', 'samerunbb', 'sameruncc'].map((runId, index) =>
          createRun(db(index), {
            ...{ run: startRun({ ...plan, runId }, now), key, now },
            ...{ installationId: 31, admission: { usd: 2, limits: {} } },
          }),
        ),
      );
      expect(created.filter((one) => one === true)).toHaveLength(1);
      expect(created.filter((one) => one === false)).toHaveLength(2);
      expect(await monthSpend(db(), 9, march)).toMatchObject({ reservedUsd: 2, runs: 1 });
    });

    it('counts runs of before there was a budget, at their most', async () => {
      const { runId } = await ask(10, { usd: 1, limits: {} });
      await db().deleteFrom('budget').execute();
      await sql.raw(budgetAndApprovals.at(-1) ?? '').execute(db());
      const reservedUsd = plan.estimate.ceilingUsd;
      expect(await monthSpend(db(), 10, march)).toEqual({ settledUsd: 0, reservedUsd, runs: 1 });
      await settle(db(), runId, 0, now);
    });

    it('knows the last approval of a pull request and its commit', async () => {
      const approval = { repositoryId: 1, pullNumber: 1, sha: 'a'.repeat(40) };
      await storeApproval(db(), approval, 8, now);
      await storeApproval(db(), approval, 9, now);
      expect(await approverOf(db(), approval)).toBe(9);
      expect(await approverOf(db(), { ...approval, sha: 'b'.repeat(40) })).toBeUndefined();
      expect(await approverOf(db(), { ...approval, pullNumber: 2 })).toBeUndefined();
      expect(await approverOf(db(), { ...approval, repositoryId: 2 })).toBeUndefined();
    });

    it('knows who brought a commit first', async () => {
      const place = { repositoryId: 1, pullNumber: 1, sha: 'a'.repeat(40) };
      const push = (id: string, minute: number, pusher?: { id: number; isBot: boolean }) =>
        insertDelivery(db(), {
          ...{ id, event: 'pull_request', body: Buffer.from('{}'), receivedAt: now },
          head: {
            ...place,
            happenedAt: new Date(now.getTime() + minute * 60_000),
            ...(pusher && { pusher }),
          },
        });
      await push('without', 0);
      expect(await pusherOf(db(), place)).toBeUndefined();
      await push('later', 2, { id: 8, isBot: false });
      await push('first', 1, { id: 9, isBot: true });
      expect(await pusherOf(db(), place)).toEqual({ id: 9, isBot: true });
      expect(await pusherOf(db(), { ...place, pullNumber: 2 })).toBeUndefined();
    });
  });
}
