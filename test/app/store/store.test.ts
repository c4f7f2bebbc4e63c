/** The tables as their users know them, on both databases: the embedded one and a real server. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { createLog } from '../../../app/log.ts';
import {
  commentOrigin,
  decideCommand,
  markAnswered,
  registerCommand,
} from '../../../app/store/commands.ts';
import { claimSign, hasAllSigns } from '../../../app/store/stranger-signs.ts';
import {
  claimDelivery,
  dueDeliveries,
  finishDelivery,
  getDelivery,
  insertDelivery,
  knownDeliveries,
  postponeDelivery,
} from '../../../app/store/deliveries.ts';
import { earlierBuilds } from '../../../app/store/earlier-builds.ts';
import { appendEvent } from '../../../app/store/events.ts';
import { headAtComment, firstReceivedAt } from '../../../app/store/heads.ts';
import { migrate, migrations } from '../../../app/store/migrations/index.ts';
import { openStore, type Store } from '../../../app/store/open-store.ts';
import {
  createRun,
  dueRuns,
  leaseRun,
  LeaseLost,
  listRuns,
  requestCancel,
  newestRunOfCommit,
  runOfRepository,
  runsOfPull,
  supersedeRuns,
  renewLease,
  returnRun,
  saveRun,
} from '../../../app/store/runs.ts';
import { pruneOld } from '../../../app/store/prune.ts';
import { startRun } from '../../../shared/flow.ts';
import type { BuildSnapshot, BuildStatus, Run } from '../../../shared/watch/run.ts';
import { plan } from '../../shared/world.ts';
import { databases, type Database } from './databases.ts';

const log = createLog('silent');
const now = new Date('2026-03-04T05:06:07.000Z');
const after = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);

/** Fits below everything. */
const admission = { usd: 0, limits: {} };

for (const { name, prepare, isHere } of databases) {
  (isHere ? describe : describe.skip)(`the store on ${name}`, () => {
    let database: Database;
    let store: Store;
    beforeAll(async () => {
      database = await prepare();
      store = await openStore(database.options, log);
    });
    afterAll(async () => {
      await store.close();
      await database.remove();
    });

    it('migrates once, also when several start together', async () => {
      await Promise.all([migrate(store.db), migrate(store.db)]);
      const { rows } = await sql<{ count: number }>`
        select count(*)::int as count from kysely_migration`.execute(store.db);
      expect(rows).toEqual([{ count: Object.keys(migrations).length }]);
    });

    it('says so when a newer version has migrated', async () => {
      const name = '999-of-a-newer-version';
      const timestamp = '9999-12-31T00:00:00.000Z';
      await sql`insert into kysely_migration (name, timestamp) values (${name}, ${timestamp})`.execute(
        store.db,
      );
      await expect(migrate(store.db)).rejects.toThrow(`a newer version of Trainyard (${name})`);
      await sql`delete from kysely_migration where name = ${name}`.execute(store.db);
      await migrate(store.db);
    });

    it('keeps a delivery byte for byte, once', async () => {
      const body = Buffer.from('{"text":"\\u0000 é"}\u0000');
      const delivery = { id: 'd1', event: 'issue_comment', body, receivedAt: now };
      const stored = await Promise.all([1, 2, 3].map(() => insertDelivery(store.db, delivery)));
      expect(stored.filter(Boolean)).toHaveLength(1);
      expect(await dueDeliveries(store.db, now, 10)).toEqual(['d1']);
      const claims = await Promise.all([1, 2, 3].map(() => claimDelivery(store.db, 'd1', now)));
      const [claimed, ...others] = claims.filter((claim) => claim !== undefined);
      expect(others).toEqual([]);
      expect(Buffer.from(claimed?.body ?? [])).toEqual(body);
      expect(await getDelivery(store.db, 'd1')).toMatchObject({ receivedAt: now, attempts: 1 });
    });

    it('gives a delivery whose worker died to the next one', async () => {
      expect(await claimDelivery(store.db, 'd1', after(59))).toBeUndefined();
      expect(await dueDeliveries(store.db, after(61), 10)).toEqual(['d1']);
      expect(await claimDelivery(store.db, 'd1', after(61))).toMatchObject({ attempts: 2 });
      await postponeDelivery(store.db, 'd1', after(90), 'GitHub said \u0000');
      expect(await claimDelivery(store.db, 'd1', after(89))).toBeUndefined();
      expect(await claimDelivery(store.db, 'd1', after(90))).toMatchObject({ attempts: 3 });
      await finishDelivery(store.db, 'd1', after(91));
      expect(await dueDeliveries(store.db, after(9_999), 10)).toEqual([]);
    });

    it('knows where a head was when somebody commented', async () => {
      const receipts = [
        { id: 'h1', sha: '1'.repeat(40), at: 0 },
        { id: 'h2', sha: '2'.repeat(40), at: 10 },
      ];
      for (const { id, sha, at } of receipts) {
        const head = { repositoryId: 2 ** 52, pullNumber: 3, sha, happenedAt: after(at) };
        const received = { event: 'pull_request', body: Buffer.of(), receivedAt: after(at + 1) };
        await insertDelivery(store.db, { id, head, ...received });
      }
      const at = (seconds: number, pullNumber = 3) =>
        headAtComment(store.db, {
          ...{ repositoryId: 2 ** 52, pullNumber },
          ...{ commentedAt: after(seconds), commentReceivedAt: after(seconds + 1) },
        });
      expect(await at(-1)).toEqual({ kind: 'unknown' });
      expect(await at(5)).toEqual({ kind: 'known', sha: '1'.repeat(40) });
      // Within one second GitHub's clock says nothing; what arrived here first was first.
      expect(await at(10)).toEqual({ kind: 'known', sha: '1'.repeat(40) });
      expect(await at(11)).toEqual({ kind: 'known', sha: '2'.repeat(40) });
      expect(await at(11, 4)).toEqual({ kind: 'never_seen' });
    });

    it('forgets deliveries that were done long ago, and nothing that is open', async () => {
      const body = Buffer.from('{}');
      const daysAgo = (days: number): Date => after(-days * 86_400);
      for (const [id, days, done] of [
        ['old', 15, true],
        ['recent', 13, true],
        ['open', 99, false],
      ] as const) {
        const receivedAt = daysAgo(days);
        await insertDelivery(store.db, { id, event: 'push', body, receivedAt });
        if (done) await finishDelivery(store.db, id, receivedAt);
      }
      await pruneOld(store.db, now);
      const known = await knownDeliveries(store.db, ['old', 'recent', 'open']);
      expect([...known].sort()).toEqual(['open', 'recent']);
      await store.db.deleteFrom('deliveries').where('id', 'in', ['recent', 'open']).execute();
    });

    const key = { repositoryId: 1, origin: commentOrigin(2 ** 40, 1) };

    it('registers a command once and remembers what became of it', async () => {
      const first = await registerCommand(store.db, key, { actorId: 7, pullNumber: 1 }, now);
      expect(first).toEqual({ fresh: true, verdict: null, answered: false });
      await decideCommand(store.db, key, 'refused', 'no_permission');
      await markAnswered(store.db, key, now);
      expect(await registerCommand(store.db, key, { actorId: 7, pullNumber: 1 }, now)).toEqual({
        ...{ fresh: false, verdict: 'refused', answered: true },
      });
    });

    it('gives a stranger one answer in a pull request and five signs an hour, whatever comes at once', async () => {
      const limit = { recently: 5, windowMs: 3_600_000 };
      const claim = (id: number, pullNumber = 1, at = now): Promise<string> =>
        claimSign(store.db, { id, actorId: 667, repositoryId: 1, pullNumber }, limit, at);
      const ids = Array.from({ length: 20 }, (_, id) => id + 1);
      const signs = await Promise.all(ids.map((id) => claim(id)));
      const count = (kind: string): number => signs.filter((sign) => sign === kind).length;
      expect([count('answer'), count('reaction'), count('silence')]).toEqual([1, 4, 15]);
      // The same comment gets the same, after a crash as well.
      expect(await claim(signs.indexOf('answer') + 1)).toBe('answer');
      expect(await claim(99, 2)).toBe('silence');
      expect(await hasAllSigns(store.db, 667, limit, now)).toBe(true);
      expect(await hasAllSigns(store.db, 668, limit, now)).toBe(false);
      expect(await claim(100, 1, after(3_601))).toBe('reaction');
      expect(await claim(101, 2, after(3_601))).toBe('answer');
    });

    it('keeps the first receipt of a push, whatever comes again', async () => {
      const pull = { repositoryId: 5, pullNumber: 5 };
      const receipt = (id: string, sha: string, seconds: number): Promise<boolean> =>
        insertDelivery(store.db, {
          ...{ id, event: 'pull_request', body: Buffer.from('{}'), receivedAt: after(seconds) },
          ...{ isDone: true, head: { ...pull, sha, happenedAt: now } },
        });
      await receipt('first', 'a', 1);
      await receipt('second', 'b', 2);
      expect(await receipt('again', 'a', 3)).toBe(true);
      const at = { ...pull, commentedAt: after(60), commentReceivedAt: after(60) };
      expect(await headAtComment(store.db, at)).toEqual({ kind: 'known', sha: 'b' });
      const first = { ...pull, sha: 'a', happenedAt: now };
      expect(await firstReceivedAt(store.db, first)).toEqual(after(1));
    });

    it('creates one run for a command, whoever asks at the same time', async () => {
      const created = await Promise.all(
        ['aaaaaaaa', 'bbbbbbbb', 'cccccccc'].map((runId) =>
          createRun(store.db, {
            ...{ run: startRun({ ...plan, runId }, now), key },
            ...{ installationId: 31, now, admission },
          }),
        ),
      );
      expect(created.filter(Boolean)).toHaveLength(1);
      expect(await listRuns(store.db, 10)).toHaveLength(1);
      expect(
        await registerCommand(store.db, key, { actorId: 7, pullNumber: 1 }, now),
      ).toMatchObject({ verdict: 'allowed' });
    });

    it('lets one hold a run, and nobody else write it', async () => {
      const [id = ''] = await dueRuns(store.db, now, 10);
      const lease = (holder: string, seconds: number) =>
        leaseRun(store.db, id, { holder, now: after(seconds), until: after(seconds + 30) });
      const both = await Promise.all([lease('a', 0), lease('b', 0)]);
      const held = both.find((one) => one !== undefined);
      expect(both.filter((one) => one !== undefined)).toHaveLength(1);
      if (held === undefined) throw new Error('nobody got the run');
      const holder = both[0] === undefined ? 'b' : 'a';
      const other = holder === 'a' ? 'b' : 'a';
      expect(await dueRuns(store.db, after(29), 10)).toEqual([]);
      expect(await renewLease(store.db, id, { holder: other, until: after(99) })).toBe(false);
      const run: Run = { ...held.run, cancel: { at: now.toISOString(), by: 'ol\u0000ivia' } };
      const version = await saveRun(store.db, { id, version: held.version, holder }, { run });
      const stale = { id, version: held.version, holder };
      await expect(saveRun(store.db, stale, { run })).rejects.toThrow(LeaseLost);
      await expect(saveRun(store.db, { id, version, holder: other }, { run })).rejects.toThrow(
        LeaseLost,
      );

      // The holder died: its lease runs out, and what it wrote is there.
      const next = await lease(other, 31);
      expect(next?.run.cancel?.by).toBe('ol\ufffdivia');
      await expect(saveRun(store.db, { id, version, holder }, { run })).rejects.toThrow(LeaseLost);
      const open = { wakeAt: after(60), failures: 2, closed: false, superseded: false };
      await returnRun(store.db, { id, holder: other }, open);
      expect(await dueRuns(store.db, after(59), 10)).toEqual([]);
      expect(await dueRuns(store.db, after(60), 10)).toEqual([id]);
      await lease(other, 60);
      await returnRun(store.db, { id, holder: other }, { ...open, closed: true });
      expect(await dueRuns(store.db, after(9_999), 10)).toEqual([]);
      expect(await lease('c', 9_999)).toBeUndefined();
    });

    it('keeps a request to cancel for whoever holds the run next', async () => {
      const place = { repositoryId: 9, origin: commentOrigin(1, 1) };
      const run = startRun({ ...plan, runId: 'cancelme' }, now);
      await registerCommand(store.db, place, { actorId: 7, pullNumber: 1 }, now);
      await createRun(store.db, {
        ...{ run, key: place, installationId: 31, admission },
        now: after(500),
      });
      const cancel = { at: now.toISOString(), by: 'olivia' };
      const lease = { holder: 'a', now, until: after(30) };
      expect((await leaseRun(store.db, 'cancelme', lease))?.run.cancel).toBeUndefined();
      // The holder may write on; what was asked for is not lost by it.
      expect(await requestCancel(store.db, ['cancelme', 'nobody'], cancel, now)).toEqual([
        'cancelme',
      ]);
      expect(await requestCancel(store.db, ['cancelme'], cancel, now)).toEqual([]);
      const open = { wakeAt: after(60), failures: 0, closed: false, superseded: false };
      await returnRun(store.db, { id: 'cancelme', holder: 'a' }, open);
      expect((await leaseRun(store.db, 'cancelme', lease))?.run.cancel).toEqual(cancel);
      const pull = { repositoryId: 9, pullNumber: plan.subject.pullNumber ?? 0 };
      const found = await runsOfPull(store.db, pull, 10);
      expect(found.map(({ plan: { runId }, cancel: asked }) => [runId, asked])).toEqual([
        ['cancelme', cancel],
      ]);
      expect(await runsOfPull(store.db, { ...pull, pullNumber: 99 }, 10)).toEqual([]);
      await returnRun(store.db, { id: 'cancelme', holder: 'a' }, { ...open, closed: true });
    });

    it('looks at an ended run once more when a newer commit supersedes it', async () => {
      const key = { repositoryId: 11, origin: commentOrigin(1, 1) };
      const run = startRun({ ...plan, runId: 'olderrun' }, now);
      await registerCommand(store.db, key, { actorId: 7, pullNumber: 1 }, now);
      const created = { run, key, installationId: 31, admission, now };
      await createRun(store.db, created);
      const lease = { holder: 'a', now, until: after(30) };
      const closing = { wakeAt: after(60), failures: 0, closed: true };
      const held = { id: 'olderrun', holder: 'a' };
      await leaseRun(store.db, 'olderrun', lease);
      const pull = { repositoryId: 11, pullNumber: plan.subject.pullNumber ?? 0 };
      const { headSha } = plan.subject;
      expect(await supersedeRuns(store.db, { ...pull, headSha, before: now }, now)).toEqual([]);
      const newer = { ...pull, headSha: 'f'.repeat(40), before: now };
      const ofBefore = { ...newer, before: after(-1) };
      expect(await supersedeRuns(store.db, ofBefore, now)).toEqual([]);
      expect(await supersedeRuns(store.db, newer, now)).toEqual(['olderrun']);
      // Whoever held it did not know yet, so it is not closed.
      await returnRun(store.db, held, { ...closing, superseded: false });
      expect((await leaseRun(store.db, 'olderrun', lease))?.run.superseded?.by).toBe(newer.headSha);
      await returnRun(store.db, held, { ...closing, superseded: true });
      expect(await leaseRun(store.db, 'olderrun', lease)).toBeUndefined();
      expect(await supersedeRuns(store.db, { ...newer, headSha: 'e'.repeat(40) }, now)).toEqual([]);
      expect(await runOfRepository(store.db, 12, 'olderrun')).toBeUndefined();
      expect((await runOfRepository(store.db, 11, 'olderrun'))?.plan.runId).toBe('olderrun');
      expect((await newestRunOfCommit(store.db, 11, headSha))?.plan.runId).toBe('olderrun');
      expect(await newestRunOfCommit(store.db, 12, headSha)).toBeUndefined();
    });

    it('finds the digest that a build of its own reported, in its repository and trust tier only', async () => {
      const image = `${plan.build.imageName}:c-1`;
      const reported = `sha256:${'d'.repeat(64)}`;
      const built = (id: string, status: BuildStatus, images: BuildSnapshot['images']): Run => {
        const name = `projects/demo-project/locations/global/builds/${id}`;
        const snapshot = {
          name,
          id,
          status,
          tags: ['trainyard', 'c-1'],
          images,
          createTime: now.toISOString(),
        };
        const run = startRun({ ...plan, runId: id }, now);
        return { ...run, build: { intent: { at: now.toISOString() }, name, snapshot } };
      };
      const runs = [
        built('failedrun', 'failure', [{ name: image, digest: `sha256:${'e'.repeat(64)}` }]),
        built('goodrun', 'success', [{ name: image, digest: reported }]),
      ];
      for (const [index, run] of runs.entries()) {
        const place = { repositoryId: 5, origin: commentOrigin(index, 1) };
        await registerCommand(store.db, place, { actorId: 7, pullNumber: 1 }, now);
        await createRun(store.db, {
          ...{ run, key: place, installationId: 31, admission, now },
        });
      }
      const where = { project: 'demo-project', region: 'global', contentTag: 'c-1' };
      const own = earlierBuilds(store.db, 5, 'pull');
      const build = 'projects/demo-project/locations/global/builds/goodrun';
      expect(await own.find(where)).toEqual([
        { build, images: [{ name: image, digest: reported }] },
      ]);
      expect(await own.find({ ...where, contentTag: 'c-12' })).toEqual([]);
      expect(await own.find({ ...where, project: 'other-project' })).toEqual([]);
      expect(await earlierBuilds(store.db, 6, 'pull').find(where)).toEqual([]);
      expect(await earlierBuilds(store.db, 5, 'fork').find(where)).toEqual([]);
    });

    it('appends to the audit trail and changes nothing in it', async () => {
      await appendEvent(store.db, now, { kind: 'command', detail: { text: '\u0000' } });
      const change = sql`update events set kind = 'other'`.execute(store.db);
      await expect(change).rejects.toThrow('append-only');
      await expect(sql`delete from events`.execute(store.db)).rejects.toThrow('append-only');
    });

    it('finds everything again after it was closed', async () => {
      const runs = await listRuns(store.db, 10);
      await store.close();
      store = await openStore(database.options, log);
      expect(await listRuns(store.db, 10)).toEqual(runs);
      expect(runs).toHaveLength(5);
    });
  });
}
