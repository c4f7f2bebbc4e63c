/** Cloud Logging's `entries:list`: filter, order and page in, entries out. */
import { FilterError } from '../filter/filter-error.ts';
import { matches, type FieldValue, type FilterTarget } from '../filter/evaluate-filter.ts';
import { parseFilter } from '../filter/parse-filter.ts';
import type { Lags } from '../options.ts';
import type { SandboxClock } from '../state/clock.ts';
import { pageOf } from '../state/pages.ts';
import { checkProject, type Project } from '../state/project.ts';
import { createRateLimit } from '../state/rate-limit.ts';
import { badRequest, invalidArgument } from '../wire/api-error.ts';
import { isJsonObject, textAt, textsAt, type Json, type JsonObject } from '../wire/json.ts';
import type { RpcHandler } from '../wire/rpc-api.ts';
import type { LogEntry, LogStore } from './log-store.ts';

export interface LoggingPorts {
  readonly project: Project;
  readonly logs: LogStore;
  readonly clock: SandboxClock;
  readonly lags: Lags;
}

/** @see https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry#logseverity */
const severities: readonly (readonly [string, number])[] = [
  ['DEFAULT', 0],
  ['DEBUG', 100],
  ['INFO', 200],
  ['NOTICE', 300],
  ['WARNING', 400],
  ['ERROR', 500],
  ['CRITICAL', 600],
  ['ALERT', 700],
  ['EMERGENCY', 800],
];
const ranks = new Map(severities);

export function loggingHandlers(ports: LoggingPorts): Readonly<Record<string, RpcHandler>> {
  // Empty pages count too. @see https://cloud.google.com/logging/quotas
  const admit = createRateLimit(ports.clock, {
    perMinute: ports.lags.logReadsPerMinute,
    requests: 'Read requests',
    service: 'logging.googleapis.com',
  });
  return {
    ListLogEntries: (request) => {
      admit();
      return listEntries(ports, request);
    },
  };
}

function listEntries(ports: LoggingPorts, request: JsonObject): JsonObject {
  const names = [...textsAt(request, 'resourceNames'), ...textsAt(request, 'projectIds')];
  if (names.length === 0) {
    throw badRequest([
      { field: 'resource_names', description: 'At least one resource name must be specified.' },
    ]);
  }
  for (const name of names) checkProject(ports.project, projectOf(name));
  const order = textAt(request, 'orderBy').trim().replace(/\s+/g, ' ');
  if (!['', 'timestamp', 'timestamp asc', 'timestamp desc'].includes(order)) {
    throw invalidArgument(`Unsupported order_by: ${order}`);
  }
  const now = ports.clock.now().getTime();
  const entries = select(ports, textAt(request, 'filter'))
    .filter((entry) => entry.visibleAtMs <= now)
    .sort(byTimeAndId);
  if (order === 'timestamp desc') entries.reverse();
  const page = pageOf(entries, request, { byDefault: 50, max: 1_000 }, entryKey);
  return {
    ...(page.items.length > 0 ? { entries: page.items.map(toWire) } : {}),
    ...(page.nextPageToken === undefined ? {} : { nextPageToken: page.nextPageToken }),
  };
}

function select(ports: LoggingPorts, text: string): LogEntry[] {
  try {
    const filter = parseFilter(text);
    // An empty store must refuse a wrong filter too.
    if (filter !== undefined) matches(filter, toTarget(sample));
    return ports.logs.all().filter((entry) => matches(filter, toTarget(entry)));
  } catch (error) {
    if (error instanceof FilterError) throw invalidArgument(`Unparseable filter: ${error.message}`);
    throw error;
  }
}

const sample: LogEntry = {
  logName: '',
  resource: { type: '', labels: {} },
  timestamp: '1970-01-01T00:00:00Z',
  receiveTimestamp: '1970-01-01T00:00:00Z',
  severity: 'DEFAULT',
  insertId: '',
  visibleAtMs: 0,
};

function toTarget(entry: LogEntry): FilterTarget {
  return {
    field: (path) => fieldOf(entry, path),
    search: (value) => JSON.stringify(toWire(entry)).toLowerCase().includes(value.toLowerCase()),
  };
}

function fieldOf(entry: LogEntry, path: readonly string[]): FieldValue | undefined {
  const [first, second, ...rest] = path;
  const last = rest.join('.');
  const text = (value: string | undefined): FieldValue => ({
    kind: 'text',
    values: value === undefined ? [] : [value],
  });
  switch (first) {
    case 'resource':
      if (second === 'type' && rest.length === 0) return text(entry.resource.type);
      return second === 'labels' && last !== '' ? text(entry.resource.labels[last]) : undefined;
    case 'labels':
      return second === undefined ? undefined : text(entry.labels?.[[second, ...rest].join('.')]);
    case 'logName':
    case 'log_name':
      return second === undefined ? text(entry.logName) : undefined;
    case 'insertId':
    case 'insert_id':
      return second === undefined ? text(entry.insertId) : undefined;
    case 'textPayload':
      return second === undefined ? text(entry.textPayload) : undefined;
    case 'jsonPayload':
      return text(payloadText(entry.jsonPayload, path.slice(1)));
    case 'timestamp':
      return second === undefined ? { kind: 'time', value: entry.timestamp } : undefined;
    case 'receiveTimestamp':
      return second === undefined ? { kind: 'time', value: entry.receiveTimestamp } : undefined;
    case 'severity':
      return { kind: 'rank', value: ranks.get(entry.severity) ?? 0, rankOf: rankOfSeverity };
    default:
      // Entries of the sandbox never have these, so they never match; other names are refused.
      return absentFields.has(first ?? '') ? text(undefined) : undefined;
  }
}

/** @see https://cloud.google.com/logging/docs/reference/v2/rest/v2/LogEntry */
const absentFields: ReadonlySet<string> = new Set([
  ...['protoPayload', 'httpRequest', 'operation', 'trace', 'spanId', 'traceSampled'],
  ...['sourceLocation', 'split', 'metadata', 'errorGroups', 'apphub'],
]);

/** What is at the path within the payload, as text. */
function payloadText(payload: Json | undefined, path: readonly string[]): string | undefined {
  const [name, ...rest] = path;
  if (name !== undefined) {
    const inner = isJsonObject(payload) && Object.hasOwn(payload, name) ? payload[name] : undefined;
    return payloadText(inner, rest);
  }
  if (payload === undefined) return undefined;
  return typeof payload === 'string' ? payload : JSON.stringify(payload);
}

function rankOfSeverity(text: string): number {
  const rank = ranks.get(text.toUpperCase()) ?? Number(text);
  if (Number.isNaN(rank)) throw new FilterError(`invalid severity: ${text}`);
  return rank;
}

function projectOf(name: string): string {
  const [first = '', second] = name.split('/');
  return second === undefined ? first : first === 'projects' ? second : name;
}

function byTimeAndId(a: LogEntry, b: LogEntry): number {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? -1 : 1;
  return a.insertId < b.insertId ? -1 : a.insertId > b.insertId ? 1 : 0;
}

function entryKey(entry: LogEntry): string {
  return `${entry.timestamp} ${entry.insertId}`;
}

function toWire({ visibleAtMs: _, ...entry }: LogEntry): JsonObject {
  return entry;
}
