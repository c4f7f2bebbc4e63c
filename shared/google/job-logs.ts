/** The ports of job logs over Cloud Logging: ids of jobs in, their lines out, oldest first. */
import type { LoggingServiceV2Client } from '@google-cloud/logging-api/build/src/v2/logging_service_v2_client.js';
import type { JobLogs, LogEntry, ManyJobLogs } from '../ports.ts';
import { fromTimestamp } from './from-wire.ts';
import { preciseInstant, toLogEntries, type WireEntry } from './log-entries.ts';
import { pageOptions, type Sender } from './requests.ts';
import * as names from './resource-names.ts';

/** @see https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list (pageSize) */
const maxPageSize = 1_000;
/**
 * A filter may have 20,000 characters; a job takes at most 99 of them, and the rest is for all.
 * @see https://cloud.google.com/logging/quotas (length of a query)
 */
const maxJobs = 200;

export function createJobLogs(
  client: () => Promise<LoggingServiceV2Client>,
  sender: Sender,
): JobLogs & ManyJobLogs {
  const readMany: ManyJobLogs['readMany'] = async ({ project, jobs, limit }) => {
    const request = {
      resourceNames: [`projects/${names.project(project)}`],
      filter: ['resource.type="ml_job"', ...filterOf(jobs)].join(' AND '),
      orderBy: 'timestamp asc',
      pageSize: Math.min(limit, maxPageSize),
    };
    const logging = await client();
    // One page: reading entries is limited to 60 requests a minute for a whole project.
    const [entries, , response] = await sender.read(
      'entries.list',
      () => logging.listLogEntries(request, pageOptions),
      { repeat: false },
    );
    const rest = response.nextPageToken ? restOf(entries, request.pageSize) : {};
    return { entriesOf: byJob(entries, jobs), ...rest };
  };
  return {
    maxJobs,
    readMany,
    read: async ({ project, jobId, since, limit }) => {
      const page = await readMany({ project, jobs: [{ jobId, since }], limit });
      const { entriesOf, ...rest } = page;
      return { entries: entriesOf.get(jobId) ?? [], ...rest };
    },
  };
}

interface JobSince {
  readonly jobId: string;
  readonly since: string;
}

/** Each job from where it wants to be read, and a lower bound for all: without one, that is 24 hours ago. */
function filterOf(jobs: readonly JobSince[]): string[] {
  const groups = new Map<string, string[]>();
  for (const { jobId, since } of jobs) {
    const instant = new Date(since).toISOString();
    groups.set(instant, [...(groups.get(instant) ?? []), `"${names.resourceId(jobId)}"`]);
  }
  const [earliest = ''] = [...groups.keys()].sort();
  const clauses = [...groups].map(([since, ids]) => {
    const wanted = ids.length === 1 ? ids.join('') : `(${ids.join(' OR ')})`;
    const job = `resource.labels.job_id=${wanted}`;
    return since === earliest ? job : `(${job} AND timestamp>="${since}")`;
  });
  const [only = ''] = clauses;
  return [clauses.length === 1 ? only : `(${clauses.join(' OR ')})`, `timestamp>="${earliest}"`];
}

/**
 * Where to read on: by time, since a page's token is good for the same filter alone. A search may be cut short
 * with less than a page; it is taken up again only from a later instant, so that each page brings something.
 * @see https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list (nextPageToken)
 */
function restOf(entries: readonly WireEntry[], pageSize: number): { readonly continueAt?: string } {
  const last = entries.at(-1)?.timestamp;
  const end = fromTimestamp(last);
  if (end === undefined) return {};
  if (fromTimestamp(entries[0]?.timestamp) !== end) return { continueAt: preciseInstant(last) };
  // A page of a single instant must not be read for ever.
  return entries.length < pageSize
    ? {}
    : { continueAt: new Date(Date.parse(end) + 1).toISOString() };
}

/** A lone job's page is its own, whatever stands in it. */
function byJob(
  entries: readonly WireEntry[],
  jobs: readonly JobSince[],
): ReadonlyMap<string, readonly LogEntry[]> {
  const [lone] = jobs.length === 1 ? jobs : [];
  if (lone !== undefined) return new Map([[lone.jobId, entries.flatMap(toLogEntries)]]);
  const found = new Map<string, LogEntry[]>();
  for (const entry of entries) {
    const jobId = entry.resource?.labels?.['job_id'] ?? '';
    const lines = found.get(jobId) ?? [];
    lines.push(...toLogEntries(entry));
    found.set(jobId, lines);
  }
  return found;
}
