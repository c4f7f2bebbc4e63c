/** When a delivery that could not be handled is handled again: what was thrown and its history in, a time out. Pure. */
import { CloudError } from '../shared/errors.ts';
import { isDatabaseAway } from './store/database-away.ts';

interface FailedDelivery {
  readonly receivedAt: Date;
  /** The one that failed included. */
  readonly attempts: number;
}

/** A mistake of ours stays one; with backoff that is about four minutes, and then it needs a person. */
const maxAttempts = 8;
/** A service that does not answer, or not us for now, does so some day; nobody waits for longer than that. */
const maxWaitMs = 6 * 3_600_000;
const maxBackoffMs = 5 * 60_000;

/** Undefined: it is given up. */
export function retryAt(
  error: unknown,
  { receivedAt, attempts }: FailedDelivery,
  now: Date,
): Date | undefined {
  const failures = failuresIn(error);
  const passes = failures.every(
    (one) => (one instanceof CloudError && one.retryable) || isDatabaseAway(one),
  );
  const isOver = passes
    ? now.getTime() - receivedAt.getTime() >= maxWaitMs
    : attempts >= maxAttempts;
  if (isOver) return undefined;
  const asked = failures.map((one) => (one instanceof CloudError ? one.retryAfterSeconds : 0) ?? 0);
  const backoffMs = Math.min(maxBackoffMs, 1_000 * 2 ** Math.min(attempts, 20));
  return new Date(now.getTime() + Math.max(backoffMs, 1_000 * Math.max(...asked)));
}

/** Probot throws what its handlers throw as one. */
function failuresIn(error: unknown): readonly unknown[] {
  return error instanceof AggregateError && error.errors.length > 0
    ? error.errors.flatMap(failuresIn)
    : [error];
}
