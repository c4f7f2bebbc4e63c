/** Proto3 scalars from JSON: the canonical value, or undefined when the JSON is not of that type. */
import type { Json } from './json.ts';

const bounds: Readonly<Record<string, readonly [min: bigint, max: bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};
const sameAs: Readonly<Record<string, string>> = {
  sint32: 'int32',
  sfixed32: 'int32',
  fixed32: 'uint32',
  sint64: 'int64',
  sfixed64: 'int64',
  fixed64: 'uint64',
};

/** @param type the proto's word, such as `int64`. 64-bit integers come out as text, as JSON has them. */
export function readScalar(type: string, json: Json): Json | undefined {
  switch (type) {
    case 'string':
      return typeof json === 'string' ? json : undefined;
    case 'bool':
      if (json === 'true' || json === 'false') return json === 'true';
      return typeof json === 'boolean' ? json : undefined;
    case 'bytes':
      return typeof json === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(json) ? json : undefined;
    case 'double':
    case 'float':
      return readFloat(json);
    default:
      return readInteger(sameAs[type] ?? type, json);
  }
}

function readInteger(type: string, json: Json): Json | undefined {
  const range = bounds[type];
  if (range === undefined) return undefined;
  if (typeof json !== 'number' && typeof json !== 'string') return undefined;
  if (typeof json === 'number' && !Number.isSafeInteger(json)) return undefined;
  const text = String(json);
  // 1.0 and 1e3 are integers too in proto3 JSON, when they have no fraction.
  if (!/^-?\d{1,20}$/.test(text)) {
    if (!/^-?\d{1,15}(?:\.0{1,15})?(?:e\+?\d{1,2})?$/i.test(text)) return undefined;
    const number = Number(text);
    return Number.isSafeInteger(number) ? readInteger(type, number) : undefined;
  }
  const value = BigInt(text);
  if (value < range[0] || value > range[1]) return undefined;
  return type.endsWith('64') ? value.toString() : Number(value);
}

function readFloat(json: Json): Json | undefined {
  if (typeof json === 'number') return json;
  if (typeof json !== 'string') return undefined;
  if (['NaN', 'Infinity', '-Infinity'].includes(json)) return json;
  return /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(json) ? Number(json) : undefined;
}
