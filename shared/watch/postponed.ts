/**
 * A build or job that Google would not take yet because too many requests came: an intent and the refusal in, the
 * intent that waits out, and for how long. Such a refusal is definite: nothing was created, so there is nothing to
 * look for. Pure. Whether a run waits so is in run.ts.
 */
import type { CloudError } from '../errors.ts';
import { jobPlanOf, type Intent, type Run } from './run.ts';
import { quote } from './known-errors.ts';

/** A minute's requests are counted anew every minute. @see https://cloud.google.com/docs/quotas/overview */
const firstWindowMs = 5_000;
const longestWindowMs = 60_000;
/** Of a wait that the service has named: those who were refused together come back one after the other. */
const spread = 0.25;

/** @param random in [0, 1) */
export function postpone(intent: Intent, error: CloudError, now: Date, random: number): Intent {
  const times = (intent.postponed?.times ?? 0) + 1;
  const asked = error.retryAfterSeconds;
  const window = Math.min(longestWindowMs, firstWindowMs * 2 ** (times - 1));
  const waitMs =
    asked === undefined ? window * (0.5 + random / 2) : asked * 1_000 * (1 + random * spread);
  const until = new Date(now.getTime() + Math.max(1_000, waitMs)).toISOString();
  return { ...intent, postponed: { until, times, message: quote(error.message) } };
}

/** Where nothing is to be launched, and so no start timeout says for how long it may take. */
const buildPatienceSeconds = 3_600;

/** How long it may be postponed, all in all. */
export function patienceSeconds(run: Run): number {
  return jobPlanOf(run).startTimeoutSeconds || buildPatienceSeconds;
}
