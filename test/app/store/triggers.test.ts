/** What is stored of triggers and their builds, on both databases: the embedded one and a real server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createLog } from '../../../app/log.ts';
import { openStore, type Store } from '../../../app/store/open-store.ts';
import {
  forgetBuilds,
  knownBuilds,
  leasePlace,
  oldestOpen,
  openBuilds,
  returnPlace,
  saveBuild,
  type KnownBuild,
} from '../../../app/store/triggered-builds.ts';
import {
  askForTriggers,
  beginTriggerRun,
  dueTriggers,
  endTriggerRun,
  forgetGoneTriggers,
  forgetInstallation,
  forgetRepository,
  forgetUnlessAsked,
  keptTriggerNamed,
  leaseTriggers,
  noteTriggers,
  recordTrigger,
  releaseTriggers,
  removeTrigger,
  returnTriggers,
  triggerPlaces,
  triggersIn,
  writtenTriggers,
} from '../../../app/store/triggers.ts';
import { buildOf } from '../fake-cloud-build.ts';
import { findPostgres, startPostgres } from './postgres-server.ts';

const log = createLog('silent');
const now = new Date('2026-03-04T05:06:07.000Z');
const after = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);

interface Opened {
  readonly store: Store;
  close(): Promise<void>;
}

async function embedded(): Promise<Opened> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-triggers-'));
  const store = await openStore({ databaseUrl: undefined, dataDir }, log);
  return {
    store,
    close: async () => {
      await store.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

const programs = findPostgres();

async function postgres(): Promise<Opened> {
  const server = await startPostgres(programs ?? '');
  const url = server.createDatabase('triggers');
  const store = await openStore({ databaseUrl: url, dataDir: '' }, log);
  return {
    store,
    close: async () => {
      await store.close();
      await server.stop();
    },
  };
}

const databases: [string, () => Promise<Opened>][] = [['embedded', embedded]];
if (programs !== undefined) databases.push(['PostgreSQL', postgres]);

describe.each(databases)('%s', (_name, open) => {
  let opened: Opened;
  let db: Store['db'];
  beforeAll(async () => {
    opened = await open();
    db = opened.store.db;
  });
  afterAll(() => opened.close());
  beforeEach(async () => {
    for (const table of [
      ...(['trigger_repositories', 'triggers', 'trigger_runs'] as const),
      ...(['build_looks', 'triggered_builds'] as const),
    ]) {
      await db.deleteFrom(table).execute();
    }
  });

  const repository = { id: 2 ** 40, installationId: 31, owner: 'acme', repo: 'digits' };
  const { id } = repository;
  const lease = (holder: string, at: Date) =>
    leaseTriggers(db, id, { holder, now: at, until: after(300) });

  describe('a repository', () => {
    it('is due once asked for, held by one, and due again when it says', async () => {
      await askForTriggers(db, repository, now);
      expect(await dueTriggers(db, now, 10)).toEqual([id]);
      const held = await lease('a', now);
      expect(held).toMatchObject({ ...repository, failures: 0, shown: undefined });
      expect(await lease('b', after(1))).toBeUndefined();
      expect(await dueTriggers(db, after(1), 10)).toEqual([]);
      if (held === undefined) throw new Error('it was free');
      const shown = { headSha: 'c', published: { id: 5 } };
      await returnTriggers(db, held, { holder: 'a', lookAt: after(60), failures: 2, shown });
      expect(await dueTriggers(db, after(59), 10)).toEqual([]);
      expect(await dueTriggers(db, after(60), 10)).toEqual([id]);
      expect(await lease('b', after(60))).toMatchObject({ failures: 2, shown });
    });

    it('that is asked for while it is held is due at once', async () => {
      await askForTriggers(db, repository, now);
      const held = await lease('a', now);
      await askForTriggers(db, { ...repository, repo: 'renamed' }, after(5));
      if (held === undefined) throw new Error('it was free');
      const next = { holder: 'a', lookAt: after(3_600), failures: 0, shown: undefined };
      await returnTriggers(db, held, next);
      expect(await dueTriggers(db, after(6), 10)).toEqual([id]);
      expect(await lease('b', after(6))).toMatchObject({ repo: 'renamed' });
    });

    it('of a process that died is free when its lease ends, or is voided', async () => {
      await askForTriggers(db, repository, now);
      await lease('dead', now);
      expect(await lease('b', after(299))).toBeUndefined();
      await releaseTriggers(db);
      expect(await lease('b', after(299))).toBeDefined();
      expect(await lease('c', after(301))).toBeDefined();
    });

    it('that is only noted keeps its time; one that is forgotten is gone', async () => {
      await noteTriggers(db, repository, now);
      const held = await lease('a', now);
      if (held === undefined) throw new Error('it was free');
      const next = { holder: 'a', lookAt: after(60), failures: 0, shown: undefined };
      await returnTriggers(db, held, next);
      await noteTriggers(db, repository, after(1));
      expect(await dueTriggers(db, after(59), 10)).toEqual([]);
      await forgetInstallation(db, 32);
      expect(await dueTriggers(db, after(60), 10)).toEqual([id]);
      await forgetInstallation(db, 31);
      expect(await dueTriggers(db, after(60), 10)).toEqual([]);
      await noteTriggers(db, repository, now);
      await forgetRepository(db, id);
      expect(await lease('a', after(60))).toBeUndefined();
    });

    it('is forgotten by whoever holds it, unless it was asked for since', async () => {
      await askForTriggers(db, repository, now);
      const held = await lease('a', now);
      if (held === undefined) throw new Error('it was not there');
      await askForTriggers(db, repository, after(1));
      await forgetUnlessAsked(db, held);
      expect(await dueTriggers(db, after(301), 10)).toEqual([id]);
      await forgetUnlessAsked(db, { ...held, askedAt: after(1) });
      expect(await dueTriggers(db, after(301), 10)).toEqual([]);
    });
  });

  it('triggers are known by place, name and repository, with what was written', async () => {
    const place = { project: 'p', region: 'global' };
    const one = { ...place, id: '1', name: 'a', repositoryId: id };
    const written = { sent: { name: 'a' }, answered: { name: 'a', id: '1', odd: '\u0000' } };
    await recordTrigger(db, one, written);
    await recordTrigger(db, one, undefined);
    await recordTrigger(db, { ...one, id: '2', name: 'b' }, undefined);
    await recordTrigger(db, { ...one, id: '3', region: 'r', repositoryId: 9 }, undefined);
    const kept = { ...written, answered: { ...written.answered, odd: '\ufffd' } };
    expect([...(await writtenTriggers(db, id))]).toEqual([['1', kept]]);
    expect((await triggersIn(db, 'p', 'global')).map((each) => each.id).sort()).toEqual(['1', '2']);
    expect(await keptTriggerNamed(db, id, 'a')).toEqual([one]);
    expect(await triggerPlaces(db)).toHaveLength(2);
    await forgetGoneTriggers(db, id, ['2']);
    await removeTrigger(db, { ...place, id: '2' });
    expect(await triggersIn(db, 'p', 'global')).toEqual([]);
    expect(await triggersIn(db, 'p', 'r')).toHaveLength(1);
  });

  it('a command starts one run', async () => {
    const key = { repositoryId: id, origin: 'comment/1/1' };
    expect(await beginTriggerRun(db, key, now)).toEqual({ isNew: true, requestedAt: now });
    expect(await beginTriggerRun(db, key, after(9))).toEqual({ isNew: false, requestedAt: now });
    await endTriggerRun(db, key, 'b-1');
    expect(await beginTriggerRun(db, key, after(9))).toMatchObject({ buildId: 'b-1' });
    const next = { ...key, origin: 'comment/1/2' };
    expect(await beginTriggerRun(db, next, now)).toMatchObject({ isNew: true });
  });

  describe('builds', () => {
    const place = { project: 'p', region: 'global' };
    const known = (changes: Partial<KnownBuild['build']>, closed = false): KnownBuild => ({
      build: buildOf({ ...place, createTime: now.toISOString(), ...changes }),
      ...{ repositoryId: id, name: 'a', logTail: ['\u0000'], published: {}, closed },
    });

    it('of a place are looked through by one at a time', async () => {
      const hold = (holder: string, at: Date) =>
        leasePlace(db, place, { holder, now: at, until: after(60) });
      expect(await hold('a', now)).toEqual({ seenUntil: undefined });
      expect(await hold('b', after(59))).toBeUndefined();
      await returnPlace(db, place, 'b', after(50));
      expect(await hold('b', after(59))).toBeUndefined();
      await returnPlace(db, place, 'a', after(50));
      expect(await hold('b', after(59))).toEqual({ seenUntil: after(50) });
      await returnPlace(db, place, 'b', undefined);
      expect(await hold('c', after(59))).toEqual({ seenUntil: after(50) });
      expect(await hold('d', after(61))).toEqual({ seenUntil: after(50) });
    });

    it('are open until their end is shown, and forgotten a while later', async () => {
      await saveBuild(db, known({ id: '1' }));
      await saveBuild(db, known({ id: '2', createTime: after(-9).toISOString() }));
      const ended = { id: '3', status: 'success', createTime: after(-99).toISOString() } as const;
      await saveBuild(db, known(ended));
      expect(oldestOpen(await openBuilds(db, place))).toEqual(after(-9));
      await saveBuild(db, known(ended, true));
      await saveBuild(db, known({ id: '4', createTime: after(1).toISOString() }, true));
      expect((await openBuilds(db, place)).map(({ build }) => build.id).sort()).toEqual(['1', '2']);
      await forgetBuilds(db, now);
      const left = await knownBuilds(db, place, ['1', '2', '3', '4']);
      expect(left.map(({ build }) => build.id).sort()).toEqual(['1', '2', '4']);
      expect(await knownBuilds(db, { ...place, region: 'r' }, ['1'])).toEqual([]);
    });
  });
});
