/**
 * What GitHub could not deliver while nobody listened. GitHub tries once and never by itself again, so an App
 * that was down asks for what it missed; the receiver drops what it knows already.
 * @see https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries
 */
import type { Kysely } from 'kysely';
import { CloudError } from '../../shared/errors.ts';
import type { Octokit } from '../../shared/github/client.ts';
import {
  listFailedDeliveries,
  redeliver,
  type FailedDelivery,
} from '../../shared/github/deliveries.ts';
import type { Logger } from '../log.ts';
import { knownDeliveries } from '../store/deliveries.ts';
import type { Tables } from '../store/tables.ts';
import { isAskedForAgain } from './handled-events.ts';

/** GitHub keeps deliveries for three days. */
const windowMs = 3 * 24 * 3_600_000;
/** Clocks differ, and what was asked for comes a while later, or fails once more. */
const overlapMs = 3_600_000;
/** A wave after a long silence is taken in parts. */
const maxRedeliveries = 100;

export interface MissedDeliveriesOptions {
  readonly db: Kysely<Tables>;
  /** Acts as the App itself, not in an installation. */
  readonly app: Octokit;
  readonly now: () => Date;
  readonly log: Logger;
}

export class MissedDeliveries {
  private readonly options: MissedDeliveriesOptions;
  /** Of what failed before then nothing is left to be asked for. */
  private doneUntil = new Date(0);

  constructor(options: MissedDeliveriesOptions) {
    this.options = options;
  }

  /** @returns how many were asked for again. Does not throw: the next look comes in minutes. */
  async ask(): Promise<number> {
    const { log, now } = this.options;
    const at = now().getTime();
    try {
      const since = new Date(Math.max(at - windowMs, this.doneUntil.getTime()));
      const missed = await this.missedSince(since);
      for (const one of missed.slice(0, maxRedeliveries)) await this.askFor(one);
      if (missed.length > 0)
        log.info({ missed: missed.length }, 'asked GitHub for what it could not deliver');
      if (missed.length <= maxRedeliveries) this.doneUntil = new Date(at - overlapMs);
      return Math.min(missed.length, maxRedeliveries);
    } catch (error) {
      const isUnknown = error instanceof CloudError && error.status === 401;
      if (isUnknown)
        log.error({ err: error }, 'GitHub does not take PRIVATE_KEY for that of APP_ID');
      else {
        const level = error instanceof CloudError ? 'warn' : 'error';
        log[level]({ err: error }, 'could not ask GitHub for missed deliveries');
      }
      return 0;
    }
  }

  private async missedSince(since: Date): Promise<readonly FailedDelivery[]> {
    const { app, db } = this.options;
    const failed = await listFailedDeliveries(app, since);
    const ours = failed.filter(({ event }) => isAskedForAgain(event));
    const guids = ours.map(({ guid }) => guid);
    const known = await knownDeliveries(db, guids);
    // Oldest first: receipts of heads are wanted in their order.
    return ours.filter(({ guid }) => !known.has(guid)).reverse();
  }

  /** One that GitHub does not send again for good must keep it from none of the others. */
  private async askFor({ id, guid }: FailedDelivery): Promise<void> {
    const { app, log } = this.options;
    await redeliver(app, id).catch((error: unknown) => {
      if (!(error instanceof CloudError) || error.retryable) throw error;
      log.warn({ err: error, delivery: guid }, 'GitHub does not deliver again what it could not');
    });
  }
}
