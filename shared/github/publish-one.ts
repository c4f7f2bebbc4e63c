/**
 * One thing on GitHub (a comment, a check run) that is created once and edited in place: what is to be shown
 * and what is known to be shown in, what is shown now out.
 *
 * A failure here never reaches the run. It is remembered and tried again later, the end of a run for days if
 * need be, since a check that is never completed blocks a pull request.
 */
import { createHash } from 'node:crypto';
import { CloudError } from '../errors.ts';
import { isPostponed } from './request-budget.ts';

/** What is known to be shown; plain JSON, to be kept between two calls. */
export interface Published {
  readonly id?: number;
  /** sha256 of what was last written. */
  readonly digest?: string;
  readonly phase?: string;
  readonly at?: string;
  /** Errors in a row. */
  readonly failures?: number;
  readonly retryAt?: string;
  /** True when it is complete in its phase, or can never be. */
  readonly closed?: boolean;
  /** Deleted by somebody, or refused for good: no phase makes it anew. */
  readonly gone?: boolean;
}

/** Where it is shown: its text, and how it is found, made and changed. */
export interface Place {
  /** Undefined: there is nowhere to show it. */
  readonly text: string | undefined;
  find(): Promise<number | undefined>;
  create(): Promise<number>;
  update(id: number): Promise<void>;
}

interface Moment {
  readonly now: Date;
  /** A change of it is shown at once. */
  readonly phase: string;
  /** Nothing comes after this. */
  readonly ended: boolean;
  /** The least time between two edits in one phase. */
  readonly intervalMs: number;
  readonly onFailure: (error: unknown) => void;
}

/** Between the first attempt and the last lie about three days. */
const maxFailures = 300;
const maxRetryMs = 15 * 60_000;

/** Does not throw. */
export async function publishOne(
  known: Published,
  place: Place,
  moment: Moment,
): Promise<Published> {
  const { now, phase, ended } = moment;
  if (known.gone === true || (known.closed === true && known.phase === phase)) return known;
  if (place.text === undefined) return { closed: true, gone: true };
  if (known.retryAt !== undefined && Date.parse(known.retryAt) > now.getTime()) return known;
  const digest = createHash('sha256').update(place.text).digest('hex');
  const isDue =
    known.phase !== phase ||
    known.retryAt !== undefined ||
    (known.digest !== digest && now.getTime() - Date.parse(known.at ?? '') >= moment.intervalMs);
  if (!isDue) return known;
  try {
    // Looked for before it is made: an earlier attempt may have made it and not lived to tell.
    let id = known.id ?? (await place.find());
    if (id === undefined) id = await place.create();
    else if (known.digest !== digest) await place.update(id);
    return { id, digest, phase, at: now.toISOString(), ...(ended ? { closed: true } : {}) };
  } catch (error) {
    if (isPostponed(error)) return afterPostponement(known, error, moment);
    moment.onFailure(error);
    return afterFailure(known, error, now);
  }
}

/** Nothing was sent: progress is told of at the next look, as it is then; a change is not forgotten. */
function afterPostponement(known: Published, error: CloudError, moment: Moment): Published {
  if (known.phase === moment.phase && !moment.ended) return known;
  const afterMs = (error.retryAfterSeconds ?? 1) * 1_000;
  return { ...known, retryAt: new Date(moment.now.getTime() + afterMs).toISOString() };
}

/** A locked conversation takes no comment, an archived repository nothing at all, whoever asks how often. */
function isReadOnly(error: unknown): boolean {
  return (
    error instanceof CloudError &&
    error.status === 403 &&
    /\b(?:locked|archived|read-only)\b/i.test(error.message)
  );
}

function afterFailure(known: Published, error: unknown, now: Date): Published {
  const failures = (known.failures ?? 0) + 1;
  // Somebody deleted it: that is an answer, and making it anew would be rude.
  const isGone =
    error instanceof CloudError &&
    (error.status === 404 || error.status === 410) &&
    known.id !== undefined;
  if (isGone || isReadOnly(error) || failures >= maxFailures)
    return { ...known, failures, closed: true, gone: true };
  const asked = error instanceof CloudError ? (error.retryAfterSeconds ?? 0) * 1_000 : 0;
  const backoff = Math.min(maxRetryMs, 1_000 * 2 ** Math.min(failures, 20));
  const retryAt = new Date(now.getTime() + Math.max(asked, backoff)).toISOString();
  return { ...known, failures, retryAt };
}
