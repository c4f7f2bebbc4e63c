/**
 * Reading a build's and a job's log without repeating or losing lines.
 *
 * A build's log is one growing object: we keep a byte offset and the unfinished last line. A job's log
 * arrives in Cloud Logging late and out of order, so each read goes back two minutes and what was seen
 * is dropped by insertId. The cursor lives in memory: after a restart the log is simply read again.
 * @see https://cloud.google.com/logging/docs/view/streaming-live-tailing (late entries)
 */
import type { BuildLogs, JobLogs, LogEntry } from '../ports.ts';

/** Late entries arrive behind the newest one; this is how far back each read looks. */
const overlapMs = 120_000;
/** One page of entries.list at its largest. */
const pageSize = 1_000;
/** A run that prints more than this between two reads loses nothing, it is read in further pages. */
const maxPagesPerRead = 5;

export interface LogCursor {
  build: { offset: number; partial: string };
  job: { newest: string | undefined; seen: Map<string, string> };
}

export function newLogCursor(): LogCursor {
  return { build: { offset: 0, partial: '' }, job: { newest: undefined, seen: new Map() } };
}

/** The build's new whole lines; with `atEnd` also an unfinished last one. */
export async function readBuildLog(
  cursor: LogCursor,
  logs: BuildLogs,
  where: { readonly uri: string; readonly buildId: string },
  atEnd: boolean,
): Promise<readonly string[]> {
  const { text, nextOffset } = await logs.read({ ...where, offset: cursor.build.offset });
  cursor.build.offset = nextOffset;
  const lines = (cursor.build.partial + text).split('\n');
  cursor.build.partial = lines.pop() ?? '';
  if (atEnd && cursor.build.partial !== '') {
    lines.push(cursor.build.partial);
    cursor.build.partial = '';
  }
  return lines;
}

/** The job's lines that were not seen before, in the order of their timestamps within this read. */
export async function readJobLog(
  cursor: LogCursor,
  logs: JobLogs,
  where: { readonly project: string; readonly jobId: string; readonly jobCreatedAt: string },
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (let page = 0; page < maxPagesPerRead; page++) {
    const entries = await logs.read({
      project: where.project,
      jobId: where.jobId,
      since: readFrom(cursor, where.jobCreatedAt, page),
      limit: pageSize,
    });
    const fresh = entries.filter((entry) => !cursor.job.seen.has(entry.insertId));
    for (const entry of fresh) {
      remember(cursor, entry);
      lines.push(entry.text);
    }
    if (entries.length < pageSize || fresh.length === 0) break;
  }
  forget(cursor);
  return lines;
}

/** The first page of a read looks back for late entries; further pages go on from the newest one. */
function readFrom(cursor: LogCursor, jobCreatedAt: string, page: number): string {
  if (cursor.job.newest === undefined) return jobCreatedAt;
  if (page > 0) return cursor.job.newest;
  const overlapped = new Date(new Date(cursor.job.newest).getTime() - overlapMs).toISOString();
  return overlapped < jobCreatedAt ? jobCreatedAt : overlapped;
}

function remember(cursor: LogCursor, entry: LogEntry): void {
  cursor.job.seen.set(entry.insertId, entry.timestamp);
  if (cursor.job.newest === undefined || entry.timestamp > cursor.job.newest) {
    cursor.job.newest = entry.timestamp;
  }
}

/** Drops what no later read can return, so that a week-long job does not grow the cursor. */
function forget(cursor: LogCursor): void {
  if (cursor.job.newest === undefined) return;
  const limit = new Date(new Date(cursor.job.newest).getTime() - 2 * overlapMs).toISOString();
  for (const [insertId, timestamp] of cursor.job.seen) {
    if (timestamp < limit) cursor.job.seen.delete(insertId);
  }
}
