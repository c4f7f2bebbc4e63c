/**
 * The App's Prometheus metrics: counted where things happen; figures of the store and of budgets are asked for when
 * they are read. Labels are words of ours, or an installation that the operator serves: never what people write.
 */
import type { Kysely } from 'kysely';
import { Counter, Gauge, Registry } from 'prom-client';
import type { RequestBudget } from '../shared/github/request-budget.ts';
import { estimatedUsd } from '../shared/report/words.ts';
import type { Run } from '../shared/watch/run.ts';
import { oldestDue, runFigures, type RunFigures } from './store/figures.ts';
import type { Tables } from './store/tables.ts';

export interface Metrics {
  readonly registry: Registry;
  /** Deliveries by what became of them at the front. */
  delivery(result: 'accepted' | 'duplicate' | 'ignored' | 'refused' | 'failed'): void;
  /** Commands by verdict: `allowed`, `answered`, or the reason of a refusal. */
  command(verdict: string): void;
  /** Errors that got a reference id. */
  bug(): void;
  /** Such as `customJobs.get`; its status, or 0 when no answer came. */
  cloudCall(operation: string, status: number): void;
  /** Once for each run. */
  runEnded(run: Run): void;
}

interface MetricsSources {
  readonly now: () => Date;
  readonly budgets: () => ReadonlyMap<number, RequestBudget>;
}

/** A registry of its own, so that two Apps in one process (tests) do not share counters. */
export function createMetrics(db: Kysely<Tables>, sources: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  addStoreGauges(registry, db, sources.now);
  addBudgetGauge(registry, sources.budgets);
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({
      name: `trainyard_${name}_total`,
      help,
      labelNames: [...labelNames],
      registers,
    });
  const deliveries = counter('deliveries', 'Webhook deliveries by result.', ['result']);
  const commands = counter('commands', 'Commands by verdict.', ['verdict']);
  const bugs = counter('unexpected_errors', 'Errors that nobody but us can mend.', []);
  const calls = counter('cloud_calls', 'Requests to Google Cloud.', [
    ...(['service', 'operation', 'result'] as const),
  ]);
  const ended = counter('runs_ended', 'Runs by outcome.', ['outcome']);
  const cost = counter('cost_usd', 'What the jobs of ended runs cost by their list prices.', []);
  return {
    registry,
    delivery: (result) => deliveries.inc({ result }),
    command: (verdict) => commands.inc({ verdict }),
    bug: () => bugs.inc(),
    cloudCall: (operation, status) => {
      calls.inc({ service: serviceOf(operation), operation, result: resultOf(status) });
    },
    runEnded: (run) => {
      if (run.end === undefined) return;
      ended.inc({ outcome: run.end.outcome });
      cost.inc(estimatedUsd(run, new Date(run.end.at)) ?? 0);
    },
  };
}

function addStoreGauges(registry: Registry, db: Kysely<Tables>, now: () => Date): void {
  const registers = [registry];
  let asked: Promise<RunFigures> | undefined;
  // Both gauges are asked together, and one answer is for both.
  const figures = (): Promise<RunFigures> => {
    asked ??= runFigures(db).finally(() => (asked = undefined));
    return asked;
  };
  new Gauge({
    name: 'trainyard_running_usd_per_hour',
    help: 'What the machines of running jobs cost in an hour by their list prices.',
    registers,
    async collect() {
      this.set((await figures()).usdPerHour);
    },
  });
  new Gauge({
    name: 'trainyard_runs',
    help: 'Open runs, and the newest 1,000 of those that have ended, by phase.',
    labelNames: ['phase'],
    registers,
    async collect() {
      const { byPhase } = await figures();
      this.reset();
      for (const [phase, count] of byPhase) this.set({ phase }, count);
    },
  });
  new Gauge({
    name: 'trainyard_oldest_due_seconds',
    help: 'For how long the one that waits longest has been due; 0 when nothing waits.',
    labelNames: ['queue'],
    registers,
    async collect() {
      const due = await oldestDue(db, now());
      for (const queue of ['delivery', 'run'] as const) {
        const since = due[queue]?.getTime() ?? now().getTime();
        this.set({ queue }, Math.max(0, now().getTime() - since) / 1_000);
      }
    },
  });
}

function addBudgetGauge(registry: Registry, budgets: MetricsSources['budgets']): void {
  new Gauge({
    name: 'trainyard_github_budget_left',
    help: 'Writes that are left to an installation: of this minute, and new things of this hour.',
    labelNames: ['installation', 'window'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [id, budget] of budgets()) {
        const installation = String(id);
        const { minute, hour } = budget.left();
        this.set({ installation, window: 'minute' }, minute);
        this.set({ installation, window: 'hour' }, hour);
      }
    },
  });
}

/** Google's service of each kind of resource. */
const services: Readonly<Record<string, string>> = {
  customJobs: 'aiplatform',
  builds: 'cloudbuild',
  triggers: 'cloudbuild',
  entries: 'logging',
  objects: 'storage',
  dockerImages: 'artifactregistry',
  tags: 'artifactregistry',
};

function serviceOf(operation: string): string {
  const [resource = ''] = operation.split('.', 1);
  return Object.hasOwn(services, resource) ? (services[resource] ?? 'other') : 'other';
}

function resultOf(status: number): string {
  if (status === 0) return 'no_answer';
  if (status < 400) return 'ok';
  if (status === 429) return 'limited';
  return status < 500 ? 'refused' : 'failed';
}
