/** Vertex AI's JobService, as far as custom jobs go: request messages in, response messages out. */
import { randomBytes } from 'node:crypto';
import { matches, type FieldValue } from '../filter/evaluate-filter.ts';
import { FilterError } from '../filter/filter-error.ts';
import { parseFilter, type Filter } from '../filter/parse-filter.ts';
import type { Lags } from '../options.ts';
import { emptyResponse, type Operations } from '../state/operations.ts';
import { pageOf } from '../state/pages.ts';
import { parseName } from '../state/project.ts';
import { createRateLimit, type Rate } from '../state/rate-limit.ts';
import { regions } from '../state/regions.ts';
import { ApiError, invalidArgument, notFound } from '../wire/api-error.ts';
import { objectAt, textAt, textMapAt, type JsonObject } from '../wire/json.ts';
import type { RpcHandler } from '../wire/rpc-api.ts';
import type { Buckets } from '../storage/buckets.ts';
import { checkBucketRegion } from './check-bucket-region.ts';
import { isOver, jobStates, toCustomJob, type JobRecord } from './job-record.ts';
import { JobRunner, type JobPorts } from './job-runner.ts';
import { validateJob } from './validate-job.ts';

export interface JobsApiPorts extends JobPorts {
  readonly buckets: Pick<Buckets, 'locationOf'>;
  readonly operations: Operations;
  readonly runner: JobRunner;
}

export function jobHandlers(ports: JobsApiPorts): Readonly<Record<string, RpcHandler>> {
  const limits = new Map<string, () => void>();
  const admit = (region: string): void => {
    const limit = limits.get(region) ?? createRateLimit(ports.clock, submissions(ports.lags));
    limits.set(region, limit);
    limit();
  };
  return {
    CreateCustomJob: (request) => create(ports, request, admit),
    GetCustomJob: (request) => shown(ports, find(ports, textAt(request, 'name'))),
    ListCustomJobs: (request) => list(ports, request),
    CancelCustomJob: async (request) => {
      await ports.runner.cancel(find(ports, textAt(request, 'name')));
      return {};
    },
    DeleteCustomJob: (request) => remove(ports, request),
  };
}

function submissions({ jobsPerMinute: perMinute }: Lags): Rate {
  return { perMinute, requests: 'Job submission requests', service: 'aiplatform.googleapis.com' };
}

async function create(
  ports: JobsApiPorts,
  request: JsonObject,
  admit: (region: string) => void,
): Promise<JsonObject> {
  const { location, name: parent } = parseName(ports.project, textAt(request, 'parent'));
  checkRegion(location);
  admit(location);
  const job = objectAt(request, 'customJob');
  validateJob(job, location);
  checkBucketRegion(job, location, (bucket) => ports.buckets.locationOf(bucket));
  // 19 digits, as production's ids have.
  const id = String(10n ** 18n + (randomBytes(8).readBigUInt64BE() % (8n * 10n ** 18n)));
  const now = ports.clock.now().toISOString();
  const record = {
    id,
    location,
    name: `${parent}/customJobs/${id}`,
    displayName: textAt(job, 'displayName'),
    jobSpec: withoutUndefined(objectAt(job, 'jobSpec')),
    labels: textMapAt(job, 'labels'),
    ...('encryptionSpec' in job
      ? { encryptionSpec: withoutUndefined(objectAt(job, 'encryptionSpec')) }
      : {}),
    state: 'JOB_STATE_QUEUED' as const,
    createTime: now,
    updateTime: now,
  };
  await ports.jobs.put(record.name, record);
  ports.runner.start(record);
  return shown(ports, record);
}

/** The words are those of Google's Python client; the service has no host name for other regions. */
function checkRegion(location: string): void {
  if (regions.includes(location)) return;
  throw invalidArgument(
    `Unsupported region for Vertex AI: ${location}. Supported regions: ${regions.join(', ')}.`,
  );
}

function shown({ clock }: JobsApiPorts, job: JobRecord): JsonObject {
  return toCustomJob(job, clock.now());
}

function withoutUndefined(object: JsonObject): JobRecord['jobSpec'] {
  return JSON.parse(JSON.stringify(object)) as JobRecord['jobSpec'];
}

function find(ports: JobsApiPorts, name: string): JobRecord {
  const parsed = parseName(ports.project, name);
  const canonical = `${parsed.name}/${parsed.rest.join('/')}`;
  const job = ports.jobs.get(canonical);
  if (job === undefined) throw notFound(`The CustomJob does not exist: ${canonical}`);
  return job;
}

async function remove(ports: JobsApiPorts, request: JsonObject): Promise<JsonObject> {
  const job = find(ports, textAt(request, 'name'));
  if (!isOver(job.state)) {
    throw new ApiError(
      'FAILED_PRECONDITION',
      `The CustomJob ${job.name} is in state ${job.state} and cannot be deleted. Cancel it first.`,
    );
  }
  await ports.jobs.delete(job.name);
  const now = ports.clock.now().toISOString();
  const parent = job.name.slice(0, job.name.indexOf('/customJobs/'));
  const metadata = {
    '@type': 'type.googleapis.com/google.cloud.aiplatform.v1.DeleteOperationMetadata',
    genericMetadata: { createTime: now, updateTime: now },
  };
  return ports.operations.done(parent, metadata, emptyResponse);
}

function list(ports: JobsApiPorts, request: JsonObject): JsonObject {
  const { name: parent, location } = parseName(ports.project, textAt(request, 'parent'));
  checkRegion(location);
  const visibleBefore = ports.clock.now().getTime() - ports.lags.listMs;
  const jobs = select(ports.jobs.values(), textAt(request, 'filter'))
    .filter(({ name }) => name.startsWith(`${parent}/`))
    .filter(({ createTime }) => Date.parse(createTime) <= visibleBefore)
    .sort((a, b) => (a.createTime === b.createTime ? 0 : a.createTime > b.createTime ? -1 : 1));
  const page = pageOf(jobs, request, { byDefault: 100, max: 100 }, ({ name }) => name);
  return {
    ...(page.items.length > 0 ? { customJobs: page.items.map((job) => shown(ports, job)) } : {}),
    ...(page.nextPageToken === undefined ? {} : { nextPageToken: page.nextPageToken }),
  };
}

function select(jobs: readonly JobRecord[], text: string): JobRecord[] {
  try {
    const filter = parseFilter(text);
    // So that a wrong field is refused also where there is no job to hold it against.
    matches(filter, { field: (path) => fieldOf(undefined, path) });
    checkStates(filter);
    return jobs.filter((job) => matches(filter, { field: (path) => fieldOf(job, path) }));
  } catch (error) {
    if (error instanceof FilterError) throw invalidArgument(`Invalid filter: ${error.message}`);
    throw error;
  }
}

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/projects.locations.customJobs/list (filter) */
function fieldOf(job: JobRecord | undefined, path: readonly string[]): FieldValue | undefined {
  const [field = '', ...rest] = path;
  const text = (value: string | undefined): FieldValue => ({
    kind: 'text',
    values: value === undefined ? [] : [value],
  });
  if (field === 'labels' && rest.length > 0) return text(job?.labels[rest.join('.')]);
  if (rest.length > 0) return undefined;
  switch (field) {
    case 'display_name':
    case 'displayName':
      return text(job?.displayName);
    case 'state':
      return text(job?.state);
    case 'create_time':
    case 'createTime':
      return { kind: 'time', value: job?.createTime };
    case 'update_time':
    case 'updateTime':
      return { kind: 'time', value: job?.updateTime };
    default:
      return undefined;
  }
}

/** A state that does not exist is refused, not silently never found. */
function checkStates(filter: Filter | undefined): void {
  if (filter === undefined || filter.kind === 'search') return;
  if (filter.kind === 'not') return checkStates(filter.of);
  if (filter.kind !== 'compare') return filter.of.forEach(checkStates);
  const known = [...jobStates, 'JOB_STATE_PAUSED', 'JOB_STATE_EXPIRED', 'JOB_STATE_UPDATING'];
  if (filter.field[0] !== 'state' || known.some((state) => state === filter.value)) return;
  if (['JOB_STATE_UNSPECIFIED', 'JOB_STATE_PARTIALLY_SUCCEEDED'].includes(filter.value)) return;
  throw new FilterError(`invalid value for state: ${filter.value}`);
}
