/**
 * Turns stored deliveries into commands and moves runs on. pg-boss only says when to look, so losing its
 * whole queue loses nothing: at start-up and every few seconds everything that is due in our own tables
 * is looked at anyway.
 */
import type { Kysely } from 'kysely';
import { PgBoss } from 'pg-boss';
import { z } from 'zod';
import type { Clock } from '../shared/ports.ts';
import { retryAt } from './delivery-retries.ts';
import type { Logger } from './log.ts';
import type { Reconciler } from './reconcile-run.ts';
import {
  claimDelivery,
  dueDeliveries,
  finishDelivery,
  postponeDelivery,
  releaseDeliveries,
  type ClaimedDelivery,
} from './store/deliveries.ts';
import { appendEvent } from './store/events.ts';
import type { Store } from './store/open-store.ts';
import { dueRuns, releaseRuns } from './store/runs.ts';
import type { Tables } from './store/tables.ts';
import { TaskPool } from './task-pool.ts';

interface WorkerOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Probot's `receive`: throws what the event's handlers throw. */
  readonly receive: (delivery: { id: string; event: string; payload: unknown }) => Promise<void>;
  readonly reconciler: Reconciler;
  readonly log: Logger;
  readonly sweepMs: number;
}

export interface Worker {
  wakeDelivery(id: string): Promise<void>;
  wakeRun(id: string, at?: Date): Promise<void>;
  /** Takes nothing new and waits for what it is doing, up to `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>;
}

const queues = { delivery: 'delivery', run: 'run' } as const;
/** Mostly waiting for other services, so more than there are cores. */
const maxTasks = 16;
const sweepLimit = 200;
const minDelayMs = 100;

const wakeSchema = z.object({ id: z.string() });

/** Starts working at once. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { store, log } = options;
  const boss = new PgBoss({
    ...store.queue,
    application_name: 'trainyard',
    useListenNotify: true,
    // Nothing here is scheduled by cron, and the tables of our own say what happened.
    schedule: false,
  });
  boss.on('error', (error) => log.error({ err: error }, 'the queue reported an error'));
  await boss.start();
  const worker = new QueueWorker(boss, options);
  try {
    await worker.begin();
    return worker;
  } catch (error) {
    await worker.stop(0);
    throw error;
  }
}

class QueueWorker implements Worker {
  private readonly boss: PgBoss;
  private readonly options: WorkerOptions;
  private readonly db: Kysely<Tables>;
  private readonly pool = new TaskPool(maxTasks);
  private sweeping: NodeJS.Timeout | undefined;

  constructor(boss: PgBoss, options: WorkerOptions) {
    this.boss = boss;
    this.options = options;
    this.db = options.store.db;
  }

  async begin(): Promise<void> {
    const { store, clock, sweepMs } = this.options;
    if (store.exclusive) {
      await releaseDeliveries(this.db, clock.now());
      await releaseRuns(this.db, clock.now());
    }
    for (const name of Object.values(queues)) {
      // `short`: one waiting job per key. A wake-up that fails is made up for by the sweep.
      const settings = { policy: 'short', notify: true, retryLimit: 0, deleteAfterSeconds: 600 };
      await this.boss.createQueue(name, settings);
      await this.boss.work(
        name,
        { batchSize: 50, pollingIntervalSeconds: 0.5, notifyPollingIntervalSeconds: 0.5 },
        (jobs) => {
          for (const { data } of jobs) this.start(name, wakeSchema.parse(data).id);
          return Promise.resolve();
        },
      );
    }
    await this.sweep();
    this.sweeping = setInterval(() => void this.sweep(), sweepMs);
  }

  /** What is due now needs no queue: if this process dies first, the sweep of another finds it in our tables. */
  async wakeDelivery(id: string, at?: Date): Promise<void> {
    if (at === undefined) this.start('delivery', id);
    else await this.wake(queues.delivery, id, at);
  }

  async wakeRun(id: string, at?: Date): Promise<void> {
    await this.wake(queues.run, id, at);
  }

  async stop(timeoutMs: number): Promise<void> {
    clearInterval(this.sweeping);
    const timeout = new AbortController();
    await Promise.race([
      Promise.all([this.boss.stop({ graceful: true, timeout: timeoutMs }), this.pool.drain()]),
      this.options.clock.sleep(timeoutMs, timeout.signal),
    ]);
    timeout.abort();
  }

  private async wake(queue: string, id: string, at?: Date): Promise<void> {
    // As a delay, since the database's clock is another one than ours; and never at once, since what is
    // due at once again and again would keep everything else from running.
    const delayMs = at === undefined ? 0 : at.getTime() - this.options.clock.now().getTime();
    const options = at === undefined ? {} : { startAfter: Math.max(minDelayMs, delayMs) / 1_000 };
    await this.boss.send(queue, { id }, { singletonKey: id, ...options });
  }

  /** Finds what is due and was not woken for: after a crash, a lost wake-up, or another replica's death. */
  private async sweep(): Promise<void> {
    try {
      const now = this.options.clock.now();
      for (const id of await dueDeliveries(this.db, now, sweepLimit)) this.start('delivery', id);
      for (const id of await dueRuns(this.db, now, sweepLimit)) this.start('run', id);
    } catch (error) {
      this.options.log.error({ err: error }, 'the sweep failed');
    }
  }

  private start(kind: 'delivery' | 'run', id: string): void {
    const { log } = this.options;
    this.pool.start(`${kind} ${id}`, async () => {
      try {
        await (kind === 'delivery' ? this.processDelivery(id) : this.lookAtRun(id));
      } catch (error) {
        // The row is as it was and stays due, so the sweep comes back to it.
        log.error({ err: error, kind, id }, 'work was interrupted');
      }
    });
  }

  private async lookAtRun(id: string): Promise<void> {
    const next = await this.options.reconciler.reconcile(id);
    if (next !== undefined) await this.wakeRun(id, next);
  }

  private async processDelivery(id: string): Promise<void> {
    const { clock, receive } = this.options;
    const delivery = await claimDelivery(this.db, id, clock.now());
    if (delivery === undefined) return;
    try {
      const payload: unknown = JSON.parse(Buffer.from(delivery.body).toString('utf8'));
      await receive({ id, event: delivery.event, payload });
    } catch (error) {
      return this.afterFailure(delivery, error);
    }
    await finishDelivery(this.db, id, clock.now());
  }

  private async afterFailure(delivery: ClaimedDelivery, error: unknown): Promise<void> {
    const { clock, log } = this.options;
    const { id, attempts, event } = delivery;
    const now = clock.now();
    const message = error instanceof Error ? error.message : String(error);
    log.error({ err: error, delivery: id, event, attempts }, 'a delivery could not be processed');
    const until = retryAt(error, delivery, now);
    if (until === undefined) {
      await appendEvent(this.db, now, {
        kind: 'delivery_given_up',
        detail: { id, event, message },
      });
      return finishDelivery(this.db, id, now, message);
    }
    await postponeDelivery(this.db, id, until, message);
    await this.wakeDelivery(id, until);
  }
}
