/** The messages with a JSON form of their own: Duration, Timestamp, FieldMask, Struct, Value, wrappers. */
import { isJsonObject, type Json } from './json.ts';
import { readScalar } from './read-scalar.ts';

type WellKnown = { readonly value: Json } | { readonly reason: string | undefined };

const wrappers: Readonly<Record<string, string>> = {
  'google.protobuf.StringValue': 'string',
  'google.protobuf.BytesValue': 'bytes',
  'google.protobuf.BoolValue': 'bool',
  'google.protobuf.Int32Value': 'int32',
  'google.protobuf.Int64Value': 'int64',
  'google.protobuf.UInt32Value': 'uint32',
  'google.protobuf.UInt64Value': 'uint64',
  'google.protobuf.FloatValue': 'float',
  'google.protobuf.DoubleValue': 'double',
};

/** Undefined: an ordinary message. `reason` is what the front end says beyond repeating the value. */
export function readWellKnown(type: string, json: Json): WellKnown | undefined {
  const scalar = wrappers[type];
  if (scalar !== undefined) return orRefused(readScalar(scalar, json));
  switch (type) {
    case 'google.protobuf.Duration':
      return readDuration(json);
    case 'google.protobuf.Timestamp':
      return readTimestamp(json);
    case 'google.protobuf.FieldMask':
      return orRefused(typeof json === 'string' ? json : undefined);
    case 'google.protobuf.Value':
      return { value: json };
    case 'google.protobuf.Struct':
    case 'google.protobuf.Any':
      return orRefused(isJsonObject(json) ? json : undefined);
    case 'google.protobuf.ListValue':
      return orRefused(Array.isArray(json) ? json : undefined);
    default:
      return undefined;
  }
}

function orRefused(value: Json | undefined): WellKnown {
  return value === undefined ? { reason: undefined } : { value };
}

/** ±10,000 years. @see https://protobuf.dev/reference/protobuf/google.protobuf/#duration */
const maxDurationSeconds = 315_576_000_000;

/** @see https://github.com/protocolbuffers/protobuf/blob/v3.21.0/src/google/protobuf/util/internal/protostream_objectwriter.cc (RenderDuration) */
function readDuration(json: Json): WellKnown {
  if (typeof json !== 'string') return { reason: undefined };
  if (!json.endsWith('s')) {
    return { reason: "Illegal duration format; duration must end with 's'" };
  }
  const match = /^-?(\d{1,12})(?:\.\d{1,9})?s$/.exec(json);
  if (match === null) return { reason: 'Invalid duration format, failed to parse seconds' };
  if (Number(match[1]) > maxDurationSeconds) return { reason: 'Duration value exceeds limits' };
  return { value: json };
}

/** RFC 3339 with up to nine digits of fractions, in UTC or with an offset; years 1 to 9999. */
function readTimestamp(json: Json): WellKnown {
  if (typeof json !== 'string') return { reason: undefined };
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.exec(
    json.toUpperCase(),
  );
  const ms = match === null ? NaN : Date.parse(`${match[1] ?? ''}${match[3] ?? ''}`);
  if (Number.isNaN(ms)) return { reason: `Invalid time format: ${json}` };
  const fraction = match?.[2] ?? '';
  return { value: `${new Date(ms).toISOString().slice(0, 19)}${fraction}Z` };
}
