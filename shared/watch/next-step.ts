/**
 * What a run does next: a pure function of the Run, the time and what was already looked at.
 *
 * The loop in flow.ts calls it again after each step, after a crash too: everything that matters is in
 * the Run, so it does not matter who asks. Money is only spent by `create`, and that is reached only right
 * after its intent was stored by the same call of the loop: whoever finds an older intent cannot know
 * whether the request was sent, and looks the resource up.
 */
import { isImageOnly } from '../plan/plan-image.ts';
import { secondsBetween } from '../units.ts';
import { classifyJob } from './classify.ts';
import { patienceSeconds } from './postponed.ts';
import {
  isBuildOver,
  isJobOver,
  jobPlanOf,
  postponementOf,
  triesAgain,
  type Run,
  type Tracked,
} from './run.ts';

export type Step =
  | { readonly do: 'stage-source' }
  | { readonly do: 'intend'; readonly what: Resource }
  | { readonly do: 'create'; readonly what: Resource }
  /** Somebody else may have created it: note since when we doubt. */
  | { readonly do: 'doubt'; readonly what: Resource }
  | { readonly do: 'find'; readonly what: Resource }
  | { readonly do: 'observe'; readonly what: Resource }
  | { readonly do: 'stop'; readonly what: Resource }
  | { readonly do: 'use-image' }
  | { readonly do: 'give-up-start' }
  /** It runs on though its timeout is over. */
  | { readonly do: 'give-up-run' }
  /** Google takes too many requests to ever take ours. */
  | { readonly do: 'give-up-create'; readonly what: Resource }
  /** The job lost its machine; it is launched again, elsewhere if there is an elsewhere. */
  | { readonly do: 'try-again' }
  | { readonly do: 'collect' }
  | { readonly do: 'finish' }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'done' };

export type Resource = 'build' | 'job';

/** What the loop knows beyond the Run. */
interface StepContext {
  readonly now: Date;
  /** How long a resource may be missing from lists before we believe that it was never created. */
  readonly settleMs: number;
  readonly pollMs: number;
  /** How long after a job's end its last log lines may still arrive. */
  readonly drainMs: number;
  /** Lines of the job's log are there that could not be read yet. */
  readonly logIsBehind: boolean;
  /** Steps already taken since the loop was entered, as `observe job`; each look is taken once, then we wait. */
  readonly taken: ReadonlySet<string>;
}

/** Vertex AI sets the error about a minute after the job ended. @see shared/watch/classify.ts */
const errorGraceSeconds = 90;

/** Some programs print more than can ever be read; neither the run nor what it holds of a ceiling waits for that. */
const longestDrainSeconds = 300;

export function nextStep(run: Run, context: StepContext): Step {
  if (run.end !== undefined) return { do: 'done' };
  if (run.image === undefined && run.plan.build !== undefined) return nextBuildStep(run, context);
  return isImageOnly(run.plan) ? { do: 'finish' } : nextJobStep(run, context);
}

function nextBuildStep(run: Run, context: StepContext): Step {
  if (run.build === undefined) {
    if (run.cancel !== undefined) return { do: 'finish' };
    return run.source === undefined ? { do: 'stage-source' } : { do: 'intend', what: 'build' };
  }
  if (run.build.name === undefined) return nextStepWithoutName(run, run.build, 'build', context);
  const status = run.build.snapshot?.status ?? 'unknown';
  if (!isBuildOver(status)) return watchStep(run, 'build', context);
  if (isStillLogging(run, context)) return watchStep(run, 'build', context);
  // A build that won the race against its cancellation has made an image that nobody wants.
  if (status === 'success' && run.cancel === undefined) return { do: 'use-image' };
  return { do: 'finish' };
}

/** What is in Cloud Logging alone comes late, and the last lines are those that say why a build failed. */
function isStillLogging({ build, cancel }: Run, { now, drainMs }: StepContext): boolean {
  const { logsTo, finishTime } = build?.snapshot ?? {};
  if (logsTo !== 'cloud_logging' || finishTime === undefined || cancel !== undefined) return false;
  return secondsBetween(finishTime, now) * 1_000 < drainMs;
}

function nextJobStep(run: Run, context: StepContext): Step {
  if (run.job === undefined) {
    return run.cancel === undefined ? { do: 'intend', what: 'job' } : { do: 'finish' };
  }
  if (run.job.name === undefined) return nextStepWithoutName(run, run.job, 'job', context);
  const snapshot = run.job.snapshot;
  if (snapshot !== undefined && isJobOver(snapshot.state)) return nextStepAfterJob(run, context);
  if (run.cancel === undefined && hasWaitedTooLong(run, context.now))
    return { do: 'give-up-start' };
  if (run.cancel === undefined && hasOutrunItsTimeout(run, context.now))
    return { do: 'give-up-run' };
  return watchStep(run, 'job', context);
}

/** The intent is stored but no name is: either nothing was sent yet, or nobody knows. */
function nextStepWithoutName(
  run: Run,
  tracked: Tracked<unknown>,
  what: Resource,
  context: StepContext,
): Step {
  const { intent } = tracked;
  const postponed = postponementOf(intent);
  if (postponed !== undefined) return nextStepWhilePostponed(run, tracked, what, context);
  if (intent.inDoubtSince === undefined) {
    if (!context.taken.has(`intend ${what}`)) return { do: 'doubt', what };
    return run.cancel === undefined ? { do: 'create', what } : { do: 'finish' };
  }
  if (!context.taken.has(`find ${what}`)) return { do: 'find', what };
  const doubtMs = secondsBetween(intent.inDoubtSince, context.now) * 1_000;
  if (doubtMs < context.settleMs)
    return { do: 'wait', ms: Math.min(context.pollMs, context.settleMs - doubtMs) };
  return run.cancel === undefined ? { do: 'intend', what } : { do: 'finish' };
}

/** Nothing was created, so nothing is in doubt: it is meant and asked for again when its time has come. */
function nextStepWhilePostponed(
  run: Run,
  { intent }: Tracked<unknown>,
  what: Resource,
  { now, pollMs }: StepContext,
): Step {
  if (run.cancel !== undefined) return { do: 'finish' };
  const until = intent.postponed?.until ?? intent.at;
  if (secondsBetween(intent.firstAt ?? intent.at, until) > patienceSeconds(run))
    return { do: 'give-up-create', what };
  const ms = secondsBetween(now, until) * 1_000;
  return ms > 0 ? { do: 'wait', ms: Math.min(pollMs, ms) } : { do: 'intend', what };
}

function watchStep(run: Run, what: Resource, context: StepContext): Step {
  if (run.cancel !== undefined && !context.taken.has(`stop ${what}`)) return { do: 'stop', what };
  if (!context.taken.has(`observe ${what}`)) return { do: 'observe', what };
  return { do: 'wait', ms: context.pollMs };
}

/** The job is over, but its last lines and its error may still be on their way. */
function nextStepAfterJob(run: Run, context: StepContext): Step {
  const snapshot = run.job?.snapshot;
  const secondsSinceEnd = secondsBetween(snapshot?.endTime ?? run.createdAt, context.now);
  const lacksError =
    snapshot?.state === 'failed' &&
    snapshot.error === undefined &&
    secondsSinceEnd < errorGraceSeconds;
  // Whoever cancels does not wait for the last lines.
  const mayCome =
    secondsSinceEnd * 1_000 < context.drainMs ||
    (context.logIsBehind && secondsSinceEnd < longestDrainSeconds);
  const drains = run.cancel === undefined && mayCome;
  if (lacksError || drains) {
    if (!context.taken.has('observe job')) return { do: 'observe', what: 'job' };
    return { do: 'wait', ms: Math.min(context.pollMs, Math.max(context.drainMs, 250)) };
  }
  if (snapshot?.state === 'succeeded' && run.metrics === undefined) return { do: 'collect' };
  if (snapshot?.state === 'failed') {
    const { reason } = classifyJob(snapshot, run.logTail ?? [], jobPlanOf(run).timeoutSeconds);
    if (triesAgain(run, reason)) return { do: 'try-again' };
  }
  return { do: 'finish' };
}

function hasOutrunItsTimeout(run: Run, now: Date): boolean {
  const { state, startTime } = run.job?.snapshot ?? {};
  if (state !== 'running' || startTime === undefined) return false;
  return secondsBetween(startTime, now) > (jobPlanOf(run).deadlineSeconds ?? Infinity);
}

function hasWaitedTooLong(run: Run, now: Date): boolean {
  const snapshot = run.job?.snapshot;
  if (snapshot?.startTime !== undefined || snapshot?.state === 'running') return false;
  const since = snapshot?.createTime ?? run.job?.intent.at ?? run.createdAt;
  return secondsBetween(since, now) > jobPlanOf(run).startTimeoutSeconds;
}
