/**
 * What it takes to watch 10,000 running jobs: really stored runs, really reconciled, tick after tick, against a
 * cloud in memory that counts the requests it would be sent; beside one request for each job and tick.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Insertable } from 'kysely';
import { createLog } from '../../app/log.ts';
import { createMetrics } from '../../app/metrics.ts';
import { Reconciler } from '../../app/reconcile-run.ts';
import { toJsonb } from '../../app/store/jsonb.ts';
import { openStore, type Store } from '../../app/store/open-store.ts';
import type { Tables } from '../../app/store/tables.ts';
import { LogQuota } from '../../app/watch/log-quota.ts';
import { watchTogether } from '../../app/watch/watch-together.ts';
import { googlePorts } from '../../shared/google/index.ts';
import { systemClock, type Clock, type JobLogs, type ManyJobLogs } from '../../shared/ports.ts';
import type { JobSnapshot, Run } from '../../shared/watch/run.ts';
import { plan, World } from '../../test/shared/world.ts';
import { inMegabytes, type Row } from '../row.ts';
import type { Databases } from './databases.ts';

const jobCount = 10_000;
const tickMs = 15_000;
const ticks = 4;
/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.customJobs/list */
const pageSize = 100;
/** Looks under way at once. */
const atOnce = 16;
const place = 'projects/demo-project/locations/us-central1';
const owner = 'bench';

class Cloud {
  now = new Date('2026-01-02T03:00:00.000Z');
  calls = 0;
  readonly clock: Clock = { now: () => this.now, sleep: () => systemClock.sleep(0) };
  readonly jobs: readonly JobSnapshot[];
  private readonly world = new World();

  constructor() {
    const createTime = this.now.toISOString();
    this.jobs = Array.from({ length: jobCount }, (_, at): JobSnapshot => {
      const id = String(10n ** 18n + BigInt(at));
      const labels = { 'trainyard-owner': owner, 'trainyard-run': runId(at) };
      const name = `${place}/customJobs/${id}`;
      return { name, id, state: 'running', createTime, startTime: createTime, labels };
    });
  }

  ports() {
    const { builds, buildLogs, earlierBuilds, images, jobs, objects } = this.world.ports();
    const manyJobLogs: ManyJobLogs = {
      maxJobs: 200,
      readMany: (where) => {
        this.calls += 1;
        const timestamp = this.now.toISOString();
        const entriesOf = new Map(
          where.jobs.map(({ jobId }) => {
            const insertId = `${jobId}/${timestamp}`;
            return [jobId, [{ insertId, timestamp, text: `epoch=${timestamp} loss=0.5` }]];
          }),
        );
        return Promise.resolve({ entriesOf });
      },
    };
    const jobLogs: JobLogs = { read: () => Promise.reject(new Error('read one by one')) };
    return {
      // What is not asked here would find nobody.
      ...googlePorts({ endpoint: 'http://127.0.0.1:9' }),
      builds,
      buildLogs,
      earlierBuilds,
      images,
      objects,
      manyJobLogs,
      jobLogs,
      openBuilds: { list: () => Promise.resolve([]) },
      openJobs: {
        list: () => {
          this.calls += Math.ceil(this.jobs.length / pageSize);
          // As it comes from the wire: new objects each time.
          return Promise.resolve(this.jobs.map((job) => ({ ...job, labels: { ...job.labels } })));
        },
      },
      jobs: {
        ...jobs,
        get: (name: string) => {
          this.calls += 1;
          const job = this.jobs.find((one) => one.name === name);
          return job === undefined ? Promise.reject(new Error('gone')) : Promise.resolve(job);
        },
      },
    };
  }
}

/** Eight letters, as ids of runs are. */
function runId(at: number): string {
  return at
    .toString(26)
    .padStart(8, '0')
    .replace(/\d/g, (digit) => 'qrstuvwxyz'[Number(digit)] ?? '');
}

async function storeRuns(store: Store, cloud: Cloud): Promise<void> {
  const rows = cloud.jobs.map((job, at): Insertable<Tables['runs']> => {
    const run: Run = {
      plan: { ...plan, runId: runId(at), owner },
      createdAt: cloud.now.toISOString(),
      image: `${plan.build.imageName}@sha256:${'a'.repeat(64)}`,
      job: { intent: { at: cloud.now.toISOString() }, name: job.name, snapshot: job },
    };
    return {
      id: runId(at),
      repository_id: 1,
      origin: `comment/${at}/1`,
      installation_id: 31,
      state: toJsonb(run),
      next_wake_at: cloud.now,
      publication: toJsonb({ comment: {}, check: {} }),
    };
  });
  for (let at = 0; at < rows.length; at += 500) {
    await store.db
      .insertInto('runs')
      .values(rows.slice(at, at + 500))
      .execute();
  }
}

/** A GitHub that takes everything. */
const github = {
  request: (route: string) =>
    Promise.resolve({
      status: 200,
      data: route.startsWith('GET ')
        ? route.includes('check')
          ? { check_runs: [] }
          : []
        : { id: 1 },
      headers: {},
    }),
};

/** Rows for `npm run bench -- --app`. */
export async function benchWatching(databases: Databases): Promise<Row[]> {
  const directory = mkdtempSync(join(tmpdir(), 'trainyard-bench-watch-'));
  const log = createLog('silent');
  const { DATABASE_URL } = databases.next();
  const store = await openStore({ databaseUrl: DATABASE_URL, dataDir: directory }, log);
  const cloud = new Cloud();
  try {
    await storeRuns(store, cloud);
    const before = usedMemory();
    const google = watchTogether(cloud.ports(), {
      clock: cloud.clock,
      tickMs,
      owner,
      logQuota: new LogQuota(50, cloud.clock),
    });
    const now = (): Date => cloud.now;
    const reconciler = new Reconciler({
      db: store.db,
      clock: cloud.clock,
      appId: 1,
      sandbox: true,
      incarnation: 'bench',
      log,
      tickMs,
      settleMs: 30_000,
      drainMs: 20_000,
      cardIntervalMs: 60_000,
      config: { owner, repositories: new Map() },
      githubUrl: 'https://github.com',
      mac: () => '',
      launchers: { ofRepository: () => google, ofProject: () => google },
      octokitFor: () => github,
      metrics: createMetrics(store.db, { now, budgets: () => new Map() }),
    });
    await lookAtAll(reconciler);
    cloud.calls = 0;
    const startedAt = performance.now();
    for (let tick = 0; tick < ticks; tick++) {
      cloud.now = new Date(cloud.now.getTime() + tickMs);
      await lookAtAll(reconciler);
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    return rowsOf(cloud.calls, usedMemory() - before, seconds);
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function rowsOf(calls: number, bytes: number, seconds: number): Row[] {
  const perMinute = (calls / ticks) * (60_000 / tickMs);
  const reference = jobCount * (60_000 / tickMs);
  const looks = (jobCount * ticks) / seconds;
  return [
    {
      what: `calls a minute for ${jobCount.toLocaleString('en')} jobs`,
      measured: perMinute.toFixed(0),
      ratio: { value: perMinute / reference, of: 'one a job and tick', atMost: 0.02 },
    },
    {
      what: 'memory for them',
      measured: inMegabytes(bytes),
      note: `${(bytes / jobCount / 1_000).toFixed(1)} KB a job`,
    },
    {
      what: 'looks a second',
      measured: looks.toFixed(0),
      target: {
        text: `at least ${(jobCount / (tickMs / 1_000)).toFixed(0)}`,
        isMet: looks >= jobCount / (tickMs / 1_000),
      },
      note: '(by one replica, with 15 s a tick)',
    },
  ];
}

async function lookAtAll(reconciler: Reconciler): Promise<void> {
  let next = 0;
  const lookOn = async (): Promise<void> => {
    while (next < jobCount) await reconciler.reconcile(runId(next++));
  };
  await Promise.all(Array.from({ length: atOnce }, lookOn));
}

/** Of what is still in use: garbage says nothing. */
function usedMemory(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
