/** The App's Prometheus metrics: counted where things happen, runs by phase asked for when they are read. */
import type { Kysely } from 'kysely';
import { Counter, Gauge, Registry } from 'prom-client';
import { phaseOf } from '../shared/watch/run.ts';
import { listRuns } from './store/runs.ts';
import type { Tables } from './store/tables.ts';

export interface Metrics {
  readonly registry: Registry;
  /** Deliveries by what became of them at the front. */
  delivery(result: 'accepted' | 'duplicate' | 'ignored' | 'refused' | 'failed'): void;
  /** Commands by verdict: `allowed`, `answered`, or the reason of a refusal. */
  command(verdict: string): void;
  /** Errors that got a reference id. */
  bug(): void;
}

/** The newest runs are what a graph of phases is about; older ones have ended. */
const countedRuns = 1_000;

/** A registry of its own, so that two Apps in one process (tests) do not share counters. */
export function createMetrics(db: Kysely<Tables>): Metrics {
  const registry = new Registry();
  const deliveries = new Counter({
    name: 'trainyard_deliveries_total',
    help: 'Webhook deliveries by result.',
    labelNames: ['result'],
    registers: [registry],
  });
  const commands = new Counter({
    name: 'trainyard_commands_total',
    help: 'Commands by verdict.',
    labelNames: ['verdict'],
    registers: [registry],
  });
  const bugs = new Counter({
    name: 'trainyard_unexpected_errors_total',
    help: 'Errors that nobody but us can mend.',
    registers: [registry],
  });
  new Gauge({
    name: 'trainyard_runs',
    help: `The newest ${countedRuns} runs by phase.`,
    labelNames: ['phase'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const { run } of await listRuns(db, countedRuns)) this.inc({ phase: phaseOf(run) });
    },
  });
  return {
    registry,
    delivery: (result) => deliveries.inc({ result }),
    command: (verdict) => commands.inc({ verdict }),
    bug: () => bugs.inc(),
  };
}
