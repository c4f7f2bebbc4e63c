/** Lines of a job or a build in, log entries as the service's agent makes them out. */
import { createHash } from 'node:crypto';
import type { Lags } from '../options.ts';
import type { SandboxClock } from '../state/clock.ts';
import type { Json, JsonObject } from '../wire/json.ts';
import type { LogEntry, LogStore } from './log-store.ts';

interface LogSource {
  readonly logName: string;
  readonly resource: LogEntry['resource'];
  readonly labels?: Readonly<Record<string, string>>;
}

export interface LogWriter {
  /** `stderr` becomes severity ERROR, as the agent does, whatever the line says. */
  write(source: LogSource, line: string, stream: 'stdout' | 'stderr'): void;
}

/** @see https://cloud.google.com/logging/docs/structured-logging#special-payload-fields */
const severityNames: ReadonlySet<string> = new Set([
  ...['DEFAULT', 'DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL', 'ALERT', 'EMERGENCY'],
]);

export function createLogWriter(logs: LogStore, clock: SandboxClock, lags: Lags): LogWriter {
  let sequence = 0;
  let lastMs = 0;
  return {
    write: (source, line, stream) => {
      const nowMs = clock.now().getTime();
      // Lines of one millisecond are told apart, and kept in order, by nanoseconds.
      sequence = nowMs === lastMs ? sequence + 1 : 0;
      lastMs = nowMs;
      const stamp = new Date(nowMs).toISOString().slice(0, -1);
      const timestamp = `${stamp}${String(Math.min(sequence, 999_999)).padStart(6, '0')}Z`;
      const insertId = createHash('sha256')
        .update(`${timestamp}/${sequence}/${JSON.stringify(source.resource)}`)
        .digest('base64url')
        .slice(0, 16)
        .toLowerCase();
      const delay = lags.logMinMs + Math.random() * (lags.logMaxMs - lags.logMinMs);
      logs.add({
        logName: source.logName,
        resource: source.resource,
        ...(source.labels === undefined ? {} : { labels: { ...source.labels } }),
        timestamp,
        receiveTimestamp: new Date(nowMs + delay).toISOString(),
        insertId: `${insertId}${String(sequence).padStart(6, '0')}`,
        visibleAtMs: nowMs + delay,
        ...payloadOf(line, stream === 'stderr' ? 'ERROR' : 'INFO'),
      });
    },
  };
}

/** A line of JSON becomes a structured entry; its `severity` is then the entry's. */
function payloadOf(
  line: string,
  severity: string,
):
  | { severity: string; textPayload: string }
  | { severity: string; jsonPayload: Record<string, Json> } {
  const structured = line.startsWith('{') ? parseObject(line) : undefined;
  if (structured === undefined) return { severity, textPayload: line };
  const { severity: own, ...rest } = structured;
  const named = typeof own === 'string' ? own.toUpperCase() : '';
  const jsonPayload = Object.fromEntries(
    Object.entries(rest).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
  return { severity: severityNames.has(named) ? named : severity, jsonPayload };
}

function parseObject(line: string): JsonObject | undefined {
  try {
    const value = JSON.parse(line) as Json;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}
