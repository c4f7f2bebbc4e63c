/**
 * What GitHub could not deliver while nobody listened. GitHub tries once and never by itself again, so an App
 * that was down asks for what it missed; the receiver drops what it knows already.
 * @see https://docs.github.com/en/webhooks/using-webhooks/handling-failed-webhook-deliveries
 */
import type { Kysely } from 'kysely';
import { CloudError } from '../../shared/errors.ts';
import type { Octokit } from '../../shared/github/client.ts';
import { listFailedDeliveries, redeliver } from '../../shared/github/deliveries.ts';
import type { Logger } from '../log.ts';
import { knownDeliveries } from '../store/deliveries.ts';
import type { Tables } from '../store/tables.ts';
import { isAskedForAgain } from './handled-events.ts';

/** GitHub keeps deliveries for three days. */
const windowMs = 3 * 24 * 3_600_000;
/** A wave after a long silence is taken in parts. */
const maxRedeliveries = 100;

interface MissedDeliveriesOptions {
  readonly db: Kysely<Tables>;
  /** Acts as the App itself, not in an installation. */
  readonly app: Octokit;
  readonly now: () => Date;
  readonly log: Logger;
}

/** @returns how many were asked for again. Does not throw: the next look comes in minutes. */
export async function askForMissed(options: MissedDeliveriesOptions): Promise<number> {
  const { db, app, now, log } = options;
  try {
    const failed = await listFailedDeliveries(app, new Date(now().getTime() - windowMs));
    const ours = failed.filter(({ event }) => isAskedForAgain(event));
    const known = await knownDeliveries(
      db,
      ours.map(({ guid }) => guid),
    );
    // Oldest first: receipts of heads are wanted in their order.
    const missed = ours.filter(({ guid }) => !known.has(guid)).reverse();
    for (const { id } of missed.slice(0, maxRedeliveries)) await redeliver(app, id);
    if (missed.length > 0)
      log.info({ missed: missed.length }, 'asked GitHub for what it could not deliver');
    return Math.min(missed.length, maxRedeliveries);
  } catch (error) {
    const level = error instanceof CloudError ? 'warn' : 'error';
    log[level]({ err: error }, 'could not ask GitHub for missed deliveries');
    return 0;
  }
}
