/**
 * Values as the client libraries give them (enum names or numbers, Long or text, {seconds, nanos}) in,
 * the domain's snapshots out. What we do not know becomes `unknown` or undefined, never an exception.
 */
import type { BuildSnapshot, BuildStatus, JobSnapshot, JobState } from '../watch/run.ts';

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#status */
const buildStatuses: ReadonlyMap<string, BuildStatus> = new Map([
  ['STATUS_UNKNOWN', 'unknown'],
  ['PENDING', 'pending'],
  ['QUEUED', 'queued'],
  ['WORKING', 'working'],
  ['SUCCESS', 'success'],
  ['FAILURE', 'failure'],
  ['INTERNAL_ERROR', 'internal_error'],
  ['TIMEOUT', 'timeout'],
  ['CANCELLED', 'cancelled'],
  ['EXPIRED', 'expired'],
  ['1', 'queued'],
  ['2', 'working'],
  ['3', 'success'],
  ['4', 'failure'],
  ['5', 'internal_error'],
  ['6', 'timeout'],
  ['7', 'cancelled'],
  ['9', 'expired'],
  ['10', 'pending'],
]);

/** Of a name or a number. */
export function toBuildStatus(status: unknown): BuildStatus {
  return buildStatuses.get(String(status)) ?? 'unknown';
}

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/JobState */
const jobStates: readonly JobState[] = [
  'unknown',
  'queued',
  'pending',
  'running',
  'succeeded',
  'failed',
  'cancelling',
  'cancelled',
  'paused',
  'expired',
  'updating',
  'partially_succeeded',
];

/** A protobuf Timestamp, as gax gives it. */
export interface WireTimestamp {
  /** A number, a decimal text or a Long, whose toString is decimal too. */
  readonly seconds?: number | string | { toString(): string } | null;
  readonly nanos?: number | null;
}

/** The fields of google.devtools.cloudbuild.v1.Build that we read. */
export interface WireBuild {
  readonly name?: string | null;
  readonly id?: string | null;
  readonly status?: string | number | null;
  readonly statusDetail?: string | null;
  readonly failureInfo?: { readonly detail?: string | null } | null;
  readonly createTime?: WireTimestamp | null;
  readonly startTime?: WireTimestamp | null;
  readonly finishTime?: WireTimestamp | null;
  readonly tags?: readonly string[] | null;
  readonly results?: {
    readonly images?:
      readonly { readonly name?: string | null; readonly digest?: string | null }[] | null;
  } | null;
  readonly logUrl?: string | null;
  readonly logsBucket?: string | null;
  readonly options?: { readonly logging?: string | number | null } | null;
  readonly serviceAccount?: string | null;
}

/** The fields of google.cloud.aiplatform.v1.CustomJob that we read. */
interface WireJob {
  readonly name?: string | null;
  readonly state?: string | number | null;
  readonly createTime?: WireTimestamp | null;
  readonly startTime?: WireTimestamp | null;
  readonly endTime?: WireTimestamp | null;
  readonly error?: { readonly code?: number | null; readonly message?: string | null } | null;
  readonly labels?: Readonly<Record<string, string>> | null;
  readonly jobSpec?: {
    readonly serviceAccount?: string | null;
    readonly scheduling?: { readonly timeout?: WireTimestamp | null } | null;
    readonly workerPoolSpecs?:
      readonly { readonly containerSpec?: { readonly imageUri?: string | null } | null }[] | null;
  } | null;
}

/** @param name is used when the service leaves the name out, as Cloud Build does for `global`. */
export function fromBuild(build: WireBuild, name: string): BuildSnapshot {
  const fullName = present(build.name) ?? name;
  return {
    name: fullName,
    id: present(build.id) ?? lastPart(fullName),
    status: toBuildStatus(build.status),
    ...optional('statusDetail', present(build.statusDetail) ?? present(build.failureInfo?.detail)),
    ...optional('createTime', fromTimestamp(build.createTime)),
    ...optional('startTime', fromTimestamp(build.startTime)),
    ...optional('finishTime', fromTimestamp(build.finishTime)),
    tags: build.tags ?? [],
    images: (build.results?.images ?? []).flatMap(({ name: image, digest }) =>
      image && digest ? [{ name: image, digest }] : [],
    ),
    ...optional('logUrl', present(build.logUrl)),
    ...optional('logsBucket', present(build.logsBucket)),
    ...optional('logsTo', fromLogging(build.options?.logging)),
    ...optional('serviceAccount', present(build.serviceAccount)),
  };
}

export function fromJob(job: WireJob): JobSnapshot {
  const name = job.name ?? '';
  const pools = job.jobSpec?.workerPoolSpecs;
  const seconds = Number(job.jobSpec?.scheduling?.timeout?.seconds ?? 0);
  return {
    name,
    id: lastPart(name),
    state: fromJobState(job.state),
    ...optional('createTime', fromTimestamp(job.createTime)),
    ...optional('startTime', fromTimestamp(job.startTime)),
    ...optional('endTime', fromTimestamp(job.endTime)),
    ...(job.error
      ? { error: { code: job.error.code ?? 2, message: job.error.message ?? '' } }
      : {}),
    labels: job.labels ?? {},
    ...optional('serviceAccount', present(job.jobSpec?.serviceAccount)),
    ...(pools ? { images: pools.map(({ containerSpec }) => containerSpec?.imageUri ?? '') } : {}),
    ...(seconds > 0 ? { timeoutSeconds: seconds } : {}),
  };
}

/** @internal */
export function fromJobState(state: string | number | null | undefined): JobState {
  if (typeof state === 'number') return jobStates[state] ?? 'unknown';
  const word = (state ?? '').replace(/^JOB_STATE_/, '').toLowerCase();
  return jobStates.find((known) => known === word) ?? 'unknown';
}

/** ISO 8601 in UTC with milliseconds; undefined for no or an impossible instant. */
export function fromTimestamp(timestamp: WireTimestamp | null | undefined): string | undefined {
  if (timestamp === null || timestamp === undefined) return undefined;
  const seconds = Number((timestamp.seconds ?? 0).toString());
  const date = new Date(seconds * 1_000 + Math.floor((timestamp.nanos ?? 0) / 1e6));
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** By name or number; the older of the two names means the same. */
const loggingModes = new Map<string, 'cloud_logging' | 'nowhere'>([
  ...['CLOUD_LOGGING_ONLY', '5', 'STACKDRIVER_ONLY', '3'].map(
    (mode) => [mode, 'cloud_logging'] as const,
  ),
  ...['NONE', '4'].map((mode) => [mode, 'nowhere'] as const),
]);

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#loggingmode */
function fromLogging(
  mode: string | number | null | undefined,
): 'cloud_logging' | 'nowhere' | undefined {
  return loggingModes.get(String(mode));
}

function present(text: string | null | undefined): string | undefined {
  return text === null || text === undefined || text === '' ? undefined : text;
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  // The computed key is K itself; TypeScript widens computed keys to string.
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}
