import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExplainNode, sql, type KyselyPlugin } from 'kysely';
import { createLog } from '../../../app/log.ts';
import { toJsonb } from '../../../app/store/jsonb.ts';
import { openStore, type Store } from '../../../app/store/open-store.ts';
import { builtImage, newestBaseRecord } from '../../../app/store/run-queries.ts';
import type { TrustTier } from '../../../shared/policy/decision.ts';
import type { BuildStatus, Run } from '../../../shared/watch/run.ts';
import { plan } from '../../shared/world.ts';

let store: Store;
let dataDir: string;
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const name = 'us-central1-docker.pkg.dev/demo-project/trainyard/digits';

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'trainyard-store-'));
  store = await openStore({ databaseUrl: undefined, dataDir }, createLog('silent'));
});
afterAll(async () => {
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

let runs = 0;
async function insert(
  repositoryId: number,
  tier: TrustTier,
  change: Partial<Run>,
): Promise<string> {
  runs += 1;
  const runId = `run${'abcdefghijklmnopqrstuvwxyz'.charAt(runs)}aaaa`;
  const createdAt = '2026-01-02T03:00:00Z';
  const run: Run = { plan: { ...plan, runId, tier }, createdAt, ...change };
  await store.db
    .insertInto('runs')
    .values({
      ...{ id: runId, repository_id: repositoryId, origin: runId, installation_id: 1 },
      ...{ state: toJsonb(run), next_wake_at: new Date() },
      publication: toJsonb({ comment: {}, check: {} }),
    })
    .execute();
  return runId;
}

function built(letter: string, status: BuildStatus = 'success'): Partial<Run> {
  const snapshot = { name: 'b', id: 'b', status, tags: [], images: [] };
  return {
    image: `${name}@${digest(letter)}`,
    build: { intent: { at: '2026-01-02T03:00:00Z' }, snapshot },
  };
}

describe('an image by its digest', () => {
  beforeAll(async () => {
    await insert(1, 'pull', built('a'));
    await insert(1, 'fork', built('b'));
    await insert(1, 'base', built('c'));
    await insert(2, 'pull', built('d'));
    await insert(1, 'pull', built('e', 'failure'));
    await insert(1, 'pull', { image: `${name}@${digest('f')}` });
  });

  it.each<[letter: string, tier: TrustTier, found: boolean, project?: string]>([
    ['a', 'pull', true],
    ['a', 'fork', false],
    ['b', 'pull', false],
    ['b', 'fork', true],
    ['c', 'pull', true],
    ['c', 'fork', true],
    ['a', 'base', false],
    ['d', 'pull', false],
    ['e', 'pull', false],
    ['f', 'pull', false],
    ['a', 'pull', false, 'other-project'],
  ])('%s in tier %s: %s', async (letter, tier, found, project = 'demo-project') => {
    const where = { repositoryId: 1, project, tier, digest: digest(letter) };
    const image = await builtImage(store.db, where);
    expect(image).toBe(found ? `${name}@${digest(letter)}` : undefined);
  });
});

it('the newest record of the default branch is one of its own runs that measured something', async () => {
  const over = (day: number, values: Record<string, number>, outcome = 'succeeded'): Partial<Run> =>
    ({
      createdAt: `2026-01-0${day}T00:00:00Z`,
      // The run of an older commit may take longer than that of a newer one.
      end: { outcome, at: `2026-02-0${9 - day}T00:00:00Z` },
      metrics: { values, series: {} },
    }) as Partial<Run>;
  await insert(3, 'base', over(2, { loss: 1 }));
  const newest = await insert(3, 'base', over(3, { loss: 2 }));
  await insert(3, 'base', over(4, {}));
  await insert(3, 'base', over(5, { loss: 3 }, 'failed'));
  await insert(3, 'pull', over(6, { loss: 4 }));
  await insert(4, 'base', over(7, { loss: 5 }));
  expect((await newestBaseRecord(store.db, 3))?.plan.runId).toBe(newest);
  expect(await newestBaseRecord(store.db, 5)).toBeUndefined();
});

it('the newest record is found by its index, however many runs there are', async () => {
  const shown: string[] = [];
  const explaining: KyselyPlugin = {
    transformQuery: ({ node }) =>
      node.kind === 'SelectQueryNode' ? { ...node, explain: ExplainNode.create() } : node,
    transformResult: ({ result }) => {
      shown.push(JSON.stringify(result.rows));
      return Promise.resolve({ ...result, rows: [] });
    },
  };
  await store.db.transaction().execute(async (trx) => {
    // A table of a few rows is read whole, whatever indexes it has; only those that do not fit stay unused then.
    await sql`set local enable_seqscan = off`.execute(trx);
    await newestBaseRecord(trx.withPlugin(explaining), 3);
  });
  expect(shown.join()).toMatch(/Index Scan Backward using runs_base_records/);
  expect(shown.join()).not.toMatch(/Sort|Filter/);
});
