/**
 * A Run: a Plan and how far it has come. It is the one record that the App stores, the Action keeps in
 * memory and reports are rendered from. Instants are ISO 8601 texts in UTC, so a Run is plain JSON.
 */
import type { EndReason } from '../errors.ts';
import type { Metrics, Progress } from '../metrics/metrics.ts';
import type { JobPlan, Plan } from '../plan/plan.ts';

export interface Run {
  readonly plan: Plan;
  readonly createdAt: string;
  /** The packed commit, once it is in the source bucket. */
  readonly source?: StagedSource;
  readonly build?: Tracked<BuildSnapshot>;
  /** The earlier build whose image is used, because nothing that goes into it has changed. */
  readonly reused?: { readonly build: string; readonly digest: string };
  /** `name@sha256:…` that the job runs. */
  readonly image?: string;
  readonly job?: Tracked<JobSnapshot>;
  /** Launches of the job that did not get, or lost, their machine; `job` is the one after them. */
  readonly attempts?: readonly EndedAttempt[];
  /** The newest line of output that carries numbers. */
  readonly progress?: Progress;
  /** The last lines of the build's or job's log, oldest first, at most `maxLogTailLines`, raw and hostile. */
  readonly logTail?: readonly string[];
  readonly cancel?: CancelRequest;
  /** A newer commit came to its pull request. */
  readonly superseded?: Superseded;
  readonly metrics?: Metrics;
  /** Chosen when the run ended, so that what is shown of it stays as it is. */
  readonly baseline?: Baseline;
  readonly end?: RunEnd;
}

/** What the default branch's newest run measured, which this one is held against. */
export interface Baseline {
  readonly runId: string;
  readonly headSha: string;
  /** The default branch's name; hostile text, as the values' names. */
  readonly branch?: string;
  readonly values: Metrics['values'];
  /** Of what both runs have a series of: the most important ones, thinned. Runs that ended earlier have none. */
  readonly series?: Metrics['series'];
  /** What its program was told, by name: hostile texts, bounded. */
  readonly parameters?: Readonly<Record<string, string>>;
}

export const maxLogTailLines = 20;

export interface EndedAttempt {
  readonly region: string;
  /** The job's resource name; undefined when it was refused. */
  readonly job?: string;
  readonly startTime?: string;
  readonly endTime: string;
  readonly reason: EndReason;
  /** One sentence for people. */
  readonly message: string;
}

/** The job as that attempt launches it, the newest one unless told. @param attempt from 0 */
export function jobPlanOf(run: Run, attempt = run.attempts?.length ?? 0): JobPlan {
  const places = [run.plan.job, ...(run.plan.elsewhere ?? [])];
  return places[attempt % places.length] ?? run.plan.job;
}

/** Ends that say nothing about the job: the same one may do well at another place or time. */
const passingReasons: ReadonlySet<EndReason> = new Set(['quota', 'stockout', 'preempted']);

/** True when the run goes on with another launch after one that ended so. */
export function triesAgain(run: Run, reason: EndReason): boolean {
  const launched = (run.attempts?.length ?? 0) + 1;
  return (
    run.cancel === undefined && passingReasons.has(reason) && launched < (run.plan.maxAttempts ?? 1)
  );
}

export interface StagedSource {
  readonly bucket: string;
  readonly object: string;
  readonly generation: string;
  /** Hex sha256 over what goes into the image: the context's files, modes and names. */
  readonly contentHash: string;
}

/**
 * A paid resource and the intent that came before it. The intent is stored *before* the create call, so
 * that after a crash or an unclear answer the resource is looked up by its label and not bought twice.
 */
export interface Tracked<Snapshot> {
  readonly intent: Intent;
  /** The full resource name, once known; it beats every look-up. */
  readonly name?: string;
  readonly snapshot?: Snapshot;
}

export interface Intent {
  readonly at: string;
  /** When it was meant for the first time, where nothing was found of that and it is meant again. */
  readonly firstAt?: string;
  /** Since when we look for a resource that may or may not exist; undefined while nothing is in doubt. */
  readonly inDoubtSince?: string;
  /** Google took too many requests to take this one; it is meant anew after that. See postponed.ts. */
  readonly postponed?: Postponement;
}

interface Postponement {
  readonly until: string;
  /** In a row. */
  readonly times: number;
  /** The service's own words; hostile text. */
  readonly message: string;
}

/** Cloud Build's `Build.Status`, `unknown` for words we do not know. */
export type BuildStatus =
  | 'unknown'
  | 'pending'
  | 'queued'
  | 'working'
  | 'success'
  | 'failure'
  | 'internal_error'
  | 'timeout'
  | 'cancelled'
  | 'expired';

export interface BuildSnapshot {
  /** `projects/P/locations/R/builds/ID` */
  readonly name: string;
  readonly id: string;
  readonly status: BuildStatus;
  readonly statusDetail?: string;
  readonly createTime?: string;
  readonly startTime?: string;
  readonly finishTime?: string;
  readonly tags: readonly string[];
  /** As Cloud Build reports them; only images listed in the request appear. */
  readonly images: readonly { readonly name: string; readonly digest: string }[];
  readonly logUrl?: string;
  /** `gs://bucket` or `gs://bucket/prefix` that holds `log-ID.txt`. */
  readonly logsBucket?: string;
  /** Where its log is instead of a bucket. */
  readonly logsTo?: 'cloud_logging' | 'nowhere';
  /** `projects/P/serviceAccounts/EMAIL` */
  readonly serviceAccount?: string;
}

/** Vertex AI's `JobState`, lower case and without its prefix; `unknown` for words we do not know. */
export type JobState =
  | 'unknown'
  | 'queued'
  | 'pending'
  | 'running'
  | 'succeeded'
  | 'failed'
  | 'cancelling'
  | 'cancelled'
  | 'paused'
  | 'expired'
  | 'updating'
  | 'partially_succeeded';

export interface JobSnapshot {
  /** `projects/P/locations/R/customJobs/ID` */
  readonly name: string;
  readonly id: string;
  readonly state: JobState;
  readonly createTime?: string;
  /** When it first ran. */
  readonly startTime?: string;
  readonly endTime?: string;
  readonly error?: { readonly code: number; readonly message: string };
  readonly labels: Readonly<Record<string, string>>;
  /** E-mail of whom it runs as; undefined for Vertex AI's own. */
  readonly serviceAccount?: string;
  /** What its worker pools run, in their order; empty texts for pools without a container. */
  readonly images?: readonly string[];
  readonly timeoutSeconds?: number;
}

export interface CancelRequest {
  readonly at: string;
  readonly by: string;
  /** Set when we gave up on the run ourselves; the run then ends as failed, not as cancelled. */
  readonly because?: EndReason;
}

export interface Superseded {
  readonly at: string;
  /** The newer head, 40 hex digits. */
  readonly by: string;
}

export interface RunEnd {
  readonly outcome: 'succeeded' | 'failed' | 'cancelled';
  readonly at: string;
  readonly reason?: EndReason;
  /** One sentence for people: why it failed. */
  readonly message?: string;
  /** One sentence for people: what to do next. */
  readonly fix?: string;
}

/** True when nothing of it will happen any more. */
export function isOver(run: Run): boolean {
  return run.end !== undefined;
}

/** Where a run is, for cards and checks; derived, never stored. */
export type RunPhase =
  | 'building'
  | 'queued'
  | 'running'
  | 'collecting'
  | 'cancelling'
  | 'succeeded'
  | 'failed'
  | 'cancelled';

export function phaseOf(run: Run): RunPhase {
  if (run.end !== undefined) return run.end.outcome;
  if (run.cancel !== undefined) return 'cancelling';
  const state = run.job?.snapshot?.state;
  if (state !== undefined && isJobOver(state)) return 'collecting';
  if (state === 'running') return 'running';
  if (run.image !== undefined || run.job !== undefined) return 'queued';
  return 'building';
}

/** While it is not meant anew and nothing is in doubt. */
export function postponementOf({ at, inDoubtSince, postponed }: Intent): Postponement | undefined {
  const isMeantAnew = postponed !== undefined && at >= postponed.until;
  return isMeantAnew || inDoubtSince !== undefined ? undefined : postponed;
}

/** What of a run waits now, for those who show it. */
export function waitingOf(
  run: Run,
): (Postponement & { readonly what: 'build' | 'job' }) | undefined {
  if (run.end !== undefined || run.cancel !== undefined) return undefined;
  for (const what of ['job', 'build'] as const) {
    const tracked = run[what];
    if (tracked === undefined) continue;
    const postponed = tracked.name === undefined ? postponementOf(tracked.intent) : undefined;
    return postponed && { ...postponed, what };
  }
  return undefined;
}

/** True for the states after which a job changes no more. Cancelling is not one: it may still succeed. */
export function isJobOver(state: JobState): boolean {
  switch (state) {
    case 'succeeded':
    case 'failed':
    case 'cancelled':
    case 'expired':
    case 'partially_succeeded':
      return true;
    case 'unknown':
    case 'queued':
    case 'pending':
    case 'running':
    case 'cancelling':
    case 'paused':
    case 'updating':
      return false;
  }
}

/** True for the statuses after which a build changes no more. */
export function isBuildOver(status: BuildStatus): boolean {
  switch (status) {
    case 'success':
    case 'failure':
    case 'internal_error':
    case 'timeout':
    case 'cancelled':
    case 'expired':
      return true;
    case 'unknown':
    case 'pending':
    case 'queued':
    case 'working':
      return false;
  }
}
