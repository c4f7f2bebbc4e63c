/** An entry of Cloud Logging in, its lines out. Pure. */
import type { LogEntry } from '../ports.ts';
import { fromTimestamp, type WireTimestamp } from './from-wire.ts';

/** The fields of google.logging.v2.LogEntry that we read. */
export interface WireEntry {
  readonly insertId?: string | null;
  readonly timestamp?: WireTimestamp | null;
  readonly resource?: { readonly labels?: Readonly<Record<string, string>> | null } | null;
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

/** One LogEntry per line; the lines of one entry share its time and are told apart by a suffix. */
export function toLogEntries(entry: WireEntry): LogEntry[] {
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
export function preciseInstant(timestamp: WireTimestamp | null | undefined): string {
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
