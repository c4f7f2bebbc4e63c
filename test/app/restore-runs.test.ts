/** The database is lost while a job runs: its run, its card and its check come back, and nothing is bought twice. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../app/store/open-store.ts';
import { defaultSettings } from '../../shared/config/project-settings.ts';
import type { JobSnapshot } from '../../shared/watch/run.ts';
import { AppUnderTest, log } from './app-under-test.ts';
import { commentCreated } from './deliveries.ts';
import { repositoryId, type FakeCheck, type FakeComment } from './fake-github.ts';

let app: AppUnderTest;
let asked: FakeComment;
let job: JobSnapshot;

/** A run that trains, shown on its card and check. */
beforeEach(async () => {
  app = await AppUnderTest.prepare();
  app.github.listsInstalled = true;
  app.github.files['.github/trainyard.yml'] = 'config: config.yaml\nsummary_check: true\n';
  app.world.jobStates = ['queued', 'running'];
  app.world.results = { 'metrics.json': '{"val_accuracy": 0.961}' };
  await app.start();
  asked = app.github.comment('/train', 'olivia', app.world.now);
  await app.deliver(commentCreated(asked));
  job = await app.until('the job', () => app.world.jobs[0], 500);
  await app.until(
    'the card',
    () => app.answersTo(asked)[0]?.includes('**Training**') || undefined,
    500,
  );
});
afterEach(() => app.close());

async function loseDatabase(): Promise<void> {
  await app.stop();
  for (const entry of await readdir(app.dataDir))
    await rm(join(app.dataDir, entry), { recursive: true });
}

/** Starts anew, which sweeps; what is kept of it. */
async function sweep(laterMs = 0): Promise<void> {
  app.world.now = new Date(app.world.now.getTime() + laterMs);
  await app.restart();
  await app.stop();
}

async function inStore<T>(ask: (db: Awaited<ReturnType<typeof openStore>>['db']) => Promise<T>) {
  const store = await openStore({ databaseUrl: undefined, dataDir: app.dataDir }, log);
  try {
    return await ask(store.db);
  } finally {
    await store.close();
  }
}

/** Kinds of what is told of jobs and runs. */
const events = () =>
  inStore(async (db) =>
    (await db.selectFrom('events').selectAll().orderBy('id').execute()).flatMap(
      ({ kind, detail }) =>
        /orphan|foreign|restore/.test(kind)
          ? [`${kind}${typeof detail['why'] === 'string' ? ` ${detail['why']}` : ''}`]
          : [],
    ),
  );

/** The run's own check, once it is completed. */
async function finish(): Promise<FakeCheck> {
  app.world.jobStates = ['succeeded'];
  await app.start();
  const isOwn = ({ external_id, status }: FakeCheck): boolean =>
    external_id === job.labels['trainyard-run'] && status === 'completed';
  return app.until('the end', () => app.github.checks.find(isOwn), 500);
}

function expectNothingNew(): void {
  expect(app.world.jobs).toHaveLength(1);
  expect(app.world.builds).toHaveLength(1);
  expect(app.github.checks.map(({ name }) => name).sort()).toEqual([
    'trainyard',
    'trainyard/train',
  ]);
}

describe('after the database was lost', () => {
  it('a job gets its run, card and check back, and both are completed with its result', async () => {
    await loseDatabase();
    await sweep();
    await sweep();
    expect(await events()).toEqual(['orphan_found']);
    await sweep(21_000);
    expect(await events()).toEqual(['orphan_found', 'run_restored']);
    const held = await inStore((db) => db.selectFrom('budget').selectAll().execute());
    expect(held).toEqual([
      // Olivia's, so that it counts among hers.
      expect.objectContaining({
        run_id: job.labels['trainyard-run'],
        actor_id: 7,
        settled_at: null,
      }),
    ]);
    expect(held[0]?.reserved_usd).toBeGreaterThan(0);

    const check = await finish();
    expect(check.conclusion).toBe('success');
    const card = await app.until(
      'the last card',
      () => app.answersTo(asked).find((body) => body.includes('**Trained**')),
      500,
    );
    expect(card).toContain('val_accuracy **0.961**');
    expect(card).toContain('The record of this run was lost and made anew from its job');
    expect(app.answersTo(asked)).toHaveLength(1);
    expectNothingNew();
    expect(card).toContain('| asked by | `olivia` |');
    const summary = app.github.checks.find(({ external_id }) => external_id === 'summary');
    await app.until('the summary', () => (summary?.status === 'completed' ? true : undefined), 500);
    expect(summary?.conclusion).toBe('success');
  });

  it('a job that is over before it is believed to be lost has its result shown as well', async () => {
    await loseDatabase();
    await sweep();
    app.world.jobStates = ['succeeded'];
    await sweep(21_000);
    expect(await events()).toEqual(['orphan_found', 'run_restored']);
    expect((await finish()).conclusion).toBe('success');
    expectNothingNew();
  });

  it('a job that gets no machine is not launched again', async () => {
    const settings = defaultSettings('demo-project', ['us-central1'], { maxAttempts: 3 });
    app.repositories.set(repositoryId, settings);
    await loseDatabase();
    await sweep();
    await sweep(21_000);
    app.world.shortages.set('us-central1', 'failed');
    expect((await finish()).conclusion).toBe('failure');
    expectNothingNew();
  });

  it('a run whose card is nowhere is followed without one', async () => {
    await loseDatabase();
    app.github.comments.splice(0);
    await sweep();
    await sweep(21_000);
    expect((await finish()).conclusion).toBe('success');
    expect(app.github.comments).toEqual([]);
    expectNothingNew();
  });

  it('the card of somebody else is not taken for it', async () => {
    await loseDatabase();
    const card = app.github.comments.find(({ user }) => user.type === 'Bot');
    Object.assign(card ?? {}, { performed_via_github_app: { id: 1 } });
    const { body } = { ...card };
    await sweep();
    await sweep(21_000);
    expect((await finish()).conclusion).toBe('success');
    expect(card?.body).toBe(body);
    expect(app.answersTo(asked)).toHaveLength(1);
  });

  it('labels on a younger job get no run, also when the first is over', async () => {
    await loseDatabase();
    app.world.jobStates = ['succeeded'];
    await app.world.ports().jobs.get(job.name);
    app.world.jobStates = ['queued', 'running'];
    const createTime = app.world.now.toISOString();
    app.world.jobs.push({ ...job, name: `${job.name}copy`, createTime });
    await sweep();
    await sweep(21_000);
    await sweep();
    expect(await events()).toEqual(['orphan_found', 'restore_refused copy']);
    expect(app.world.cancelled.size).toBe(0);
  });

  it('a job waits for its run while GitHub does not say where the App is installed', async () => {
    await loseDatabase();
    const { installation } = app.github;
    app.github.installation = undefined;
    await sweep();
    await sweep(21_000);
    expect(await events()).toEqual(['orphan_found']);
    app.github.installation = installation;
    await sweep();
    expect(await events()).toEqual(['orphan_found', 'run_restored']);
  });
});
