/**
 * The log of a build that writes to Cloud Logging alone: its id in, a text that grows out, as a log in a bucket
 * does. Entries come late and out of order, so each read goes back two minutes and drops what it has seen; a line
 * that comes behind one that was given already says so. Reading is limited for a whole project, so whoever is
 * refused waits longer.
 * @see https://cloud.google.com/build/docs/securing-builds/store-manage-build-logs
 * @see https://cloud.google.com/logging/quotas (60 reads a minute for a project)
 */
import type { LoggingServiceV2Client } from '@google-cloud/logging-api/build/src/v2/logging_service_v2_client.js';
import { CloudError } from '../errors.ts';
import type { BuildLogs, LogEntry } from '../ports.ts';
import { toLogEntries } from './log-entries.ts';
import { pageOptions, type BeforeLogRead, type Sender } from './requests.ts';
import * as names from './resource-names.ts';

const pageSize = 1_000;
/** What does not fit is read at the next look. */
const maxPagesPerRead = 5;
const overlapMs = 120_000;
const firstPauseMs = 10_000;
const maxPauseMs = 40_000;
/** Builds whose place in the log is remembered; one that is forgotten is read again from its beginning. */
const maxBuilds = 50;

type Where = Parameters<BuildLogs['read']>[0] & {
  readonly logged: NonNullable<Parameters<BuildLogs['read']>[0]['logged']>;
};

/** How far a build's log has been read. */
interface Place {
  /** Not yet asked for; it begins at `start`. */
  text: string;
  start: number;
  newest: string;
  /** Where the last read stopped before the end. */
  resumeAt: string | undefined;
  readonly seen: Set<string>;
  pauseMs: number;
  notBefore: number;
}

export function createBuildEntries(
  client: () => Promise<LoggingServiceV2Client>,
  sender: Sender,
  beforeLogRead: BeforeLogRead = () => undefined,
  now: () => number = Date.now,
): { readonly read: (where: Where) => ReturnType<BuildLogs['read']> } {
  const places = new Map<string, Place>();
  const readPage = async (where: Where, place: Place, pageToken: string) => {
    const request = requestFor(where, place);
    const logging = await client();
    beforeLogRead(where.logged.project, 'progress');
    const [entries, , { nextPageToken }] = await sender.read(
      'entries.list',
      () => logging.listLogEntries({ ...request, pageToken }, pageOptions),
      { repeat: false },
    );
    return { lines: entries.flatMap(toLogEntries), nextPageToken: nextPageToken ?? '' };
  };
  const readPages = async (where: Where, place: Place): Promise<LogEntry[]> => {
    // A page's token is good for the same request alone.
    const asked = { ...place };
    const found: LogEntry[] = [];
    let pageToken = '';
    for (let page = 0; page < maxPagesPerRead; page++) {
      try {
        const { lines, nextPageToken } = await readPage(where, asked, pageToken);
        found.push(...lines.filter(({ insertId }) => !place.seen.has(insertId)));
        for (const { insertId } of lines) place.seen.add(insertId);
        pageToken = nextPageToken;
        place.resumeAt = pageToken === '' ? undefined : lines.at(-1)?.timestamp;
      } catch (error) {
        // What came before the refusal is there, and the rest is read from its end on.
        if (page === 0 || !(error instanceof CloudError) || !error.retryable) throw error;
        break;
      }
      if (pageToken === '') break;
    }
    return found;
  };
  return {
    read: async (where) => {
      const place = placeOf(places, where);
      if (now() >= place.notBefore) {
        try {
          append(place, await readPages(where, place));
          place.pauseMs = 0;
        } catch (error) {
          if (!(error instanceof CloudError) || !error.retryable) throw error;
          const asked = (error.retryAfterSeconds ?? 0) * 1_000;
          place.pauseMs = Math.min(maxPauseMs, Math.max(firstPauseMs, place.pauseMs * 2, asked));
        }
        place.notBefore = now() + place.pauseMs;
      }
      place.text = place.text.slice(where.offset - place.start);
      place.start = where.offset;
      return { text: place.text, nextOffset: where.offset + place.text.length };
    },
  };
}

function placeOf(places: Map<string, Place>, { buildId, offset }: Where): Place {
  const known = places.get(buildId);
  if (known !== undefined && offset >= known.start) return known;
  const place = {
    text: '',
    start: 0,
    newest: '',
    resumeAt: undefined,
    seen: new Set<string>(),
    pauseMs: 0,
    notBefore: 0,
  };
  places.delete(buildId);
  places.set(buildId, place);
  const [oldest] = places.keys();
  if (places.size > maxBuilds && oldest !== undefined) places.delete(oldest);
  return place;
}

/** @see https://cloud.google.com/build/docs/securing-builds/store-manage-build-logs#view-build-logs */
function requestFor({ buildId, logged }: Where, { newest, resumeAt }: Place) {
  const project = names.project(logged.project);
  const overlapped = newest === '' ? logged.since : earlier(newest);
  return {
    resourceNames: [`projects/${project}`],
    filter: [
      `logName="projects/${project}/logs/cloudbuild"`,
      'resource.type="build"',
      `resource.labels.build_id="${names.resourceId(buildId)}"`,
      // Without one, entries older than a day are left out.
      `timestamp>="${resumeAt ?? new Date(overlapped).toISOString()}"`,
    ].join(' AND '),
    orderBy: 'timestamp asc',
    pageSize,
  };
}

function earlier(instant: string): string {
  return new Date(Date.parse(instant) - overlapMs).toISOString();
}

function append(place: Place, entries: readonly LogEntry[]): void {
  const { newest } = place;
  const ordered = entries.toSorted((a, b) =>
    a.timestamp === b.timestamp ? 0 : a.timestamp < b.timestamp ? -1 : 1,
  );
  for (const { text, timestamp } of ordered) {
    place.text += `${timestamp < newest ? '(late) ' : ''}${text}\n`;
    if (timestamp > place.newest) place.newest = timestamp;
  }
}
