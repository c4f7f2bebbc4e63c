/** The `JobLogs` port over Cloud Logging: a job's id in, its lines out, oldest first. */
import type { LoggingServiceV2Client } from '@google-cloud/logging-api/build/src/v2/logging_service_v2_client.js';
import type { JobLogs, LogEntry } from '../ports.ts';
import { fromTimestamp, type WireTimestamp } from './from-wire.ts';
import { pageOptions, type Sender } from './requests.ts';
import * as names from './resource-names.ts';

/** @see https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list (pageSize) */
const maxPageSize = 1_000;

/** The fields of google.logging.v2.LogEntry that we read. */
interface WireEntry {
  readonly insertId?: string | null;
  readonly timestamp?: WireTimestamp | null;
  readonly textPayload?: string | null;
  readonly jsonPayload?: WireStruct | null;
}

/** google.protobuf.Struct, as gax gives it. */
interface WireStruct {
  readonly fields?: Readonly<Record<string, WireValue>> | null;
}

interface WireValue {
  readonly stringValue?: string | null;
  readonly numberValue?: number | null;
  readonly boolValue?: boolean | null;
  readonly structValue?: WireStruct | null;
  readonly listValue?: { readonly values?: readonly WireValue[] | null } | null;
}

export function createJobLogs(
  client: () => Promise<LoggingServiceV2Client>,
  sender: Sender,
): JobLogs {
  return {
    read: async (where) => {
      const request = {
        resourceNames: [`projects/${names.project(where.project)}`],
        // A filter that names no timestamp would be cut off at 24 hours ago.
        filter: [
          'resource.type="ml_job"',
          `resource.labels.job_id="${names.resourceId(where.jobId)}"`,
          `timestamp>="${instant(where.since)}"`,
        ].join(' AND '),
        orderBy: 'timestamp asc',
        pageSize: Math.min(where.limit, maxPageSize),
      };
      const logging = await client();
      // One page: reading entries is limited to 60 requests a minute for a whole project.
      const [entries] = await sender.read(
        'entries.list',
        () => logging.listLogEntries(request, pageOptions),
        { repeat: false },
      );
      return entries.flatMap(toLogEntries);
    },
  };
}

function instant(text: string): string {
  return new Date(text).toISOString();
}

/** One LogEntry per line; the lines of one entry share its time and are told apart by a suffix. */
function toLogEntries(entry: WireEntry): LogEntry[] {
  const insertId = entry.insertId ?? '';
  const timestamp = preciseInstant(entry.timestamp);
  const text = (entry.textPayload ?? '') || messageOf(entry.jsonPayload);
  if (text === '') return [];
  const lines = text.replace(/\r?\n$/, '').split(/\r\n|[\n\r]/);
  return lines.map((line, i) => ({
    insertId: i === 0 ? insertId : `${insertId}#${i}`,
    timestamp,
    text: line,
  }));
}

/** With its nanoseconds: a program prints many lines in a millisecond, and they do not arrive in order. */
function preciseInstant(timestamp: WireTimestamp | null | undefined): string {
  const toSecond = fromTimestamp(timestamp) ?? new Date(0).toISOString();
  const nanos = String(timestamp?.nanos ?? 0).padStart(9, '0');
  return `${toSecond.slice(0, 19)}.${nanos}Z`;
}

/** A structured line's `message`, or the whole of it as JSON when it has none. */
function messageOf(payload: WireStruct | null | undefined): string {
  if (!payload) return '';
  const value = fromStruct(payload);
  const message = value['message'];
  return typeof message === 'string' ? message : JSON.stringify(value);
}

function fromStruct(struct: WireStruct): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(struct.fields ?? {}).map(([key, value]) => [key, fromValue(value)]),
  );
}

function fromValue(value: WireValue): unknown {
  if (value.structValue) return fromStruct(value.structValue);
  if (value.listValue) return (value.listValue.values ?? []).map(fromValue);
  return value.stringValue ?? value.numberValue ?? value.boolValue ?? null;
}
