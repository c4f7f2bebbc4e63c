/** What /metrics says: figures of the store, of the budgets and of what was counted, under labels of ours. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetrics } from '../../app/metrics.ts';
import { insertDelivery } from '../../app/store/deliveries.ts';
import { openStore } from '../../app/store/open-store.ts';
import { plannedLimits, RequestBudget } from '../../shared/github/request-budget.ts';
import { systemClock } from '../../shared/ports.ts';
import { startRun } from '../../shared/flow.ts';
import { plan } from '../shared/world.ts';
import { AppUnderTest, log } from './app-under-test.ts';
import { commentCreated } from './deliveries.ts';

let app: AppUnderTest;

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  await app.start();
});
afterAll(() => app.close());

async function metrics(): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${app.url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))] as const;
    }),
  );
}

it('follows a run from its command to its cost', async () => {
  const before = await metrics();
  expect(before.get('trainyard_oldest_due_seconds{queue="delivery"}')).toBe(0);
  expect(before.get('trainyard_running_usd_per_hour')).toBe(0);
  const comment = app.github.comment('/train gpu=T4', 'olivia', app.world.now);
  await app.deliver(commentCreated(comment));
  const job = await app.until('the job', () => app.world.jobs[0], 500);
  await app.until('the job to run', () => (app.world.jobs[0]?.startTime ? true : undefined), 500);
  const running = await eventually((all) => all.get('trainyard_runs{phase="running"}') === 1);
  const usdPerHour = running.get('trainyard_running_usd_per_hour') ?? 0;
  expect(usdPerHour).toBeGreaterThan(0.1);
  expect(usdPerHour).toBeLessThan(2);
  expect(running.get('trainyard_github_budget_left{installation="31",window="hour"}')).toBeLessThan(
    100_000,
  );
  await app.until(
    'the end',
    () => (app.github.checks[0]?.status === 'completed' ? true : undefined),
    500,
  );
  const after = await eventually((all) => (all.get('trainyard_cost_usd_total') ?? 0) > 0);
  expect(after.get('trainyard_runs{phase="succeeded"}')).toBe(1);
  expect(after.get('trainyard_runs_ended_total{outcome="succeeded"}')).toBe(1);
  expect(after.get('trainyard_running_usd_per_hour')).toBe(0);
  expect(job.id).toBe('j0');
});

/** The world goes on meanwhile. */
async function eventually(
  good: (all: ReadonlyMap<string, number>) => boolean,
): Promise<ReadonlyMap<string, number>> {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline;) {
    const all = await metrics();
    if (good(all)) return all;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the metrics did not come to that');
}

it('says for how long what is due has waited', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'trainyard-metrics-'));
  const store = await openStore({ dataDir, databaseUrl: undefined }, log);
  try {
    const receivedAt = new Date();
    const delivery = { event: 'issue_comment', body: Buffer.from('{}') };
    await insertDelivery(store.db, { ...delivery, id: 'one', receivedAt });
    const later = new Date(receivedAt.getTime() + 2_000);
    await insertDelivery(store.db, { ...delivery, id: 'two', receivedAt: later });
    const now = new Date(receivedAt.getTime() + 42_000);
    const asked = createMetrics(store.db, { now: () => now, budgets: () => new Map() });
    const text = await asked.registry.metrics();
    expect(text).toContain('trainyard_oldest_due_seconds{queue="delivery"} 42');
    expect(text).toContain('trainyard_oldest_due_seconds{queue="run"} 0');
  } finally {
    await store.close();
    await rm(dataDir, { recursive: true, force: true });
  }
});

it('counts calls by service, operation and result, and shows what is left to whom', async () => {
  const budget = new RequestBudget(plannedLimits, systemClock);
  await budget.send('POST /repos/{owner}/{repo}/check-runs', 'state', () => Promise.resolve({}));
  await budget.send('PATCH /repos/{owner}/{repo}/check-runs/1', 'state', () => Promise.resolve({}));
  // The store's own gauges are asked of a store that is not there, so they are taken out.
  const counted = createMetrics(undefined as never, {
    now: () => new Date(),
    budgets: () => new Map([[31, budget]]),
  });
  for (const name of ['runs', 'oldest_due_seconds', 'running_usd_per_hour']) {
    counted.registry.removeSingleMetric(`trainyard_${name}`);
  }
  const calls: [string, number][] = [
    ['customJobs.get', 200],
    ['customJobs.get', 200],
    ['customJobs.list', 503],
    ['entries.list', 429],
    ['builds.create', 400],
    ['objects.get', 0],
    ['constructor.get', 200],
  ];
  for (const [operation, status] of calls) counted.cloudCall(operation, status);
  counted.runEnded(startRun(plan, new Date()));
  const text = await counted.registry.metrics();
  const of = (service: string, operation: string, result: string): string =>
    `trainyard_cloud_calls_total{service="${service}",operation="${operation}",result="${result}"}`;
  expect(text).toContain(`${of('aiplatform', 'customJobs.get', 'ok')} 2`);
  expect(text).toContain(`${of('aiplatform', 'customJobs.list', 'failed')} 1`);
  expect(text).toContain(`${of('logging', 'entries.list', 'limited')} 1`);
  expect(text).toContain(`${of('cloudbuild', 'builds.create', 'refused')} 1`);
  expect(text).toContain(`${of('storage', 'objects.get', 'no_answer')} 1`);
  expect(text).toContain(`${of('other', 'constructor.get', 'ok')} 1`);
  expect(text).toContain('budget_left{installation="31",window="minute"} 58');
  expect(text).toContain('budget_left{installation="31",window="hour"} 399');
  expect(text).not.toContain('runs_ended_total{');
});
