/**
 * Reading a build's and a job's log without repeating or losing lines.
 *
 * A build's log is one growing object: we keep a byte offset and the unfinished last line. A job's log
 * arrives in Cloud Logging late and out of order, so each read goes back two minutes and what was seen
 * is dropped by insertId; a line that comes behind one that was given already is called late. Reading is
 * limited for a whole project, so whoever is refused reads less often until all who follow fit in. The
 * cursor lives in memory: after a restart the log is simply read again.
 * @see https://cloud.google.com/logging/docs/view/streaming-live-tailing (late entries)
 * @see https://cloud.google.com/logging/quotas (60 reads a minute for a project)
 */
import { CloudError } from '../errors.ts';
import type { BuildLogs, JobLogs, LogEntry, LogTails } from '../ports.ts';
import { maxLogTailLines } from './run.ts';

/** Late entries arrive behind the newest one; this is how far back each read looks. */
const overlapMs = 120_000;
/** One page of entries.list at its largest. */
const pageSize = 1_000;
/** What does not fit is read at the next look; `isBehind` says that there is more. */
const maxPagesPerRead = 5;
/** The first pause after a refusal, and the longest one: with it forty can follow jobs of one project. */
const firstPauseMs = 10_000;
const maxPauseMs = 40_000;
/** Refusals in a row after which nobody waits for the rest of an ended job's log. */
const maxRefusals = 10;

interface JobLine {
  readonly text: string;
  readonly timestamp: string;
  /** It is older than a line that an earlier read has given. */
  readonly late: boolean;
}

export interface LogCursor {
  build: { offset: number; partial: string };
  job: {
    newest: string | undefined;
    seen: Map<string, string>;
    /** The last lines by their timestamps, whenever they came. */
    tail: JobLine[];
    /** Where the last read stopped before the log's end; undefined when it reached it. */
    resumeAt: string | undefined;
    /** Its end was read without what comes before. */
    isCutShort: boolean;
    /** Between two reads, since one was refused; 0 reads at every look. */
    pauseMs: number;
    notBefore: number;
    refusals: number;
  };
}

export function newLogCursor(): LogCursor {
  return {
    build: { offset: 0, partial: '' },
    job: {
      newest: undefined,
      seen: new Map(),
      tail: [],
      resumeAt: undefined,
      isCutShort: false,
      pauseMs: 0,
      notBefore: 0,
      refusals: 0,
    },
  };
}

/** True while lines that are there have not been read, for their number or because reading was refused. */
export function isBehind({ job }: LogCursor): boolean {
  return job.resumeAt !== undefined || (job.refusals > 0 && job.refusals < maxRefusals);
}

/** Where a build's log is. */
export type BuildLogPlace = Omit<Parameters<BuildLogs['read']>[0], 'offset'>;

/** The build's new whole lines; with `atEnd` also an unfinished last one. */
export async function readBuildLog(
  cursor: LogCursor,
  logs: BuildLogs,
  where: BuildLogPlace,
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

interface JobPlace {
  readonly project: string;
  readonly jobId: string;
  readonly jobCreatedAt: string;
  readonly isOver?: boolean;
}

/** The job's lines that were not seen before, in the order of their timestamps; none while reading has to pause. */
export async function readJobLog(
  cursor: LogCursor,
  logs: JobLogs,
  where: JobPlace,
  now: Date,
): Promise<readonly JobLine[]> {
  const { job } = cursor;
  if (now.getTime() < job.notBefore) return [];
  const before = job.newest;
  const entries: LogEntry[] = [];
  try {
    await readPages(cursor, logs, where, entries);
    job.refusals = 0;
    job.pauseMs = Math.floor(job.pauseMs * 0.85);
    // Too short to matter, and then nothing is left to wait for.
    if (job.pauseMs < firstPauseMs / 2) job.pauseMs = 0;
  } catch (error) {
    if (!(error instanceof CloudError) || !error.retryable) throw error;
    job.refusals += 1;
    const asked = (error.retryAfterSeconds ?? 0) * 1_000;
    job.pauseMs = Math.min(maxPauseMs, Math.max(firstPauseMs, job.pauseMs * 2, asked));
  }
  job.notBefore = now.getTime() + job.pauseMs;
  const lines = inOrder(
    entries.map(({ text, timestamp }) => ({
      text,
      timestamp,
      late: before !== undefined && timestamp < before,
    })),
  );
  job.tail = inOrder([...job.tail, ...lines]).slice(-maxLogTailLines);
  forget(cursor);
  return lines;
}

/** An ended job's log is longer than could be read so far: who needs its end alone need not read up to it. */
export function isTailWanted({ job }: LogCursor): boolean {
  return job.resumeAt !== undefined || job.isCutShort;
}

/**
 * The last lines alone, whatever is between them and what was read; nothing is left to be read then. Again for those
 * that come late.
 */
export async function readJobTail(
  cursor: LogCursor,
  logs: LogTails,
  { project, jobId, jobCreatedAt: since }: JobPlace,
): Promise<readonly JobLine[]> {
  const { job } = cursor;
  const entries = await logs.tail({ project, jobId, since, limit: maxLogTailLines });
  const lines = inOrder(
    entries.map(({ text, timestamp }) => ({
      text,
      timestamp: toNanoseconds(timestamp),
      late: false,
    })),
  ).slice(-maxLogTailLines);
  Object.assign(job, { tail: lines, resumeAt: undefined, isCutShort: true, refusals: 0 });
  job.seen.clear();
  return lines;
}

/** Adds each page to `into` as it comes, so that a refusal in the middle loses nothing. */
async function readPages(
  cursor: LogCursor,
  logs: JobLogs,
  where: JobPlace,
  into: LogEntry[],
): Promise<void> {
  const { job } = cursor;
  let since = readFrom(cursor, where.jobCreatedAt);
  for (let page = 0; page < maxPagesPerRead; page++) {
    const { project, jobId, isOver = false } = where;
    const read = await logs.read({ project, jobId, since, limit: pageSize, isOver });
    for (const one of read.entries) {
      if (job.seen.has(one.insertId)) continue;
      const entry = { ...one, timestamp: toNanoseconds(one.timestamp) };
      remember(cursor, entry);
      into.push(entry);
    }
    job.resumeAt = read.continueAt === undefined ? undefined : toNanoseconds(read.continueAt);
    // Nothing was read this time: asking at once would bring the same.
    if (job.resumeAt === undefined || job.resumeAt <= toNanoseconds(since)) return;
    since = job.resumeAt;
  }
}

/** Stable, so that lines of the same millisecond stay as the service ordered them. */
function inOrder(lines: readonly JobLine[]): JobLine[] {
  return lines.toSorted((a, b) =>
    a.timestamp === b.timestamp ? 0 : a.timestamp < b.timestamp ? -1 : 1,
  );
}

/** Back to where late entries may be; straight on while there is more to read than fits. */
function readFrom({ job }: LogCursor, jobCreatedAt: string): string {
  if (job.resumeAt !== undefined) return job.resumeAt;
  if (job.newest === undefined) return jobCreatedAt;
  const overlapped = plusMs(job.newest, -overlapMs);
  return overlapped < toNanoseconds(jobCreatedAt) ? jobCreatedAt : overlapped;
}

/** All with nine digits of fraction, so that they sort as texts. */
function toNanoseconds(instant: string): string {
  const [, second = '', fraction = ''] = /^(.{19})(?:\.(\d{1,9}))?\d*Z$/.exec(instant) ?? [];
  return second === '' ? instant : `${second}.${fraction.padEnd(9, '0')}Z`;
}

function plusMs(instant: string, ms: number): string {
  return toNanoseconds(new Date(new Date(instant).getTime() + ms).toISOString());
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
  const limit = plusMs(cursor.job.newest, -2 * overlapMs);
  for (const [insertId, timestamp] of cursor.job.seen) {
    if (timestamp < limit) cursor.job.seen.delete(insertId);
  }
}
