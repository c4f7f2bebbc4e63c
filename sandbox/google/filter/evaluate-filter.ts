/** A parsed filter and what a resource has in its fields in; whether it passes out. */
import { FilterError } from './filter-error.ts';
import type { Comparator, Filter } from './parse-filter.ts';

/** What a field of one resource is; `has` asks whether a map has a key at all. */
export type FieldValue =
  | { readonly kind: 'text'; readonly values: readonly string[] }
  /** ISO 8601 with any precision; undefined when not set. */
  | { readonly kind: 'time'; readonly value: string | undefined }
  /** Compared by rank, such as a severity. */
  | { readonly kind: 'rank'; readonly value: number; readonly rankOf: (text: string) => number };

export interface FilterTarget {
  /** Undefined: filters must not name this field. */
  field(path: readonly string[]): FieldValue | undefined;
  /** Whether a bare value is found anywhere; absent where bare values are refused. */
  search?(value: string): boolean;
}

/** @throws FilterError for a field or a comparison that the resource does not have. */
export function matches(filter: Filter | undefined, target: FilterTarget): boolean {
  if (filter === undefined) return true;
  switch (filter.kind) {
    // Not short-circuited: a wrong field is an error wherever it stands.
    case 'and':
      return filter.of.map((term) => matches(term, target)).every(Boolean);
    case 'or':
      return filter.of.map((term) => matches(term, target)).some(Boolean);
    case 'not':
      return !matches(filter.of, target);
    case 'search':
      if (target.search === undefined)
        throw new FilterError(`invalid restriction: ${filter.value}`);
      return target.search(filter.value);
    case 'compare': {
      const name = filter.field.join('.');
      const value = target.field(filter.field);
      if (value === undefined) throw new FilterError(`unsupported field: ${name}`);
      return compare(value, filter, name);
    }
  }
}

type Comparison = Extract<Filter, { kind: 'compare' }>;

function compare(
  field: FieldValue,
  { comparator, value, quoted }: Comparison,
  name: string,
): boolean {
  switch (field.kind) {
    case 'text':
      return compareTexts(field.values, comparator, value, quoted, name);
    case 'time':
      return compareTimes(field.value, comparator, value, name);
    case 'rank':
      return ordered(comparator, field.value - field.rankOf(value), name);
  }
}

function compareTexts(
  values: readonly string[],
  comparator: Comparator,
  wanted: string,
  quoted: boolean,
  name: string,
): boolean {
  switch (comparator) {
    case '=':
      return values.some((value) => equalsOrFits(value, wanted, quoted));
    case '!=':
      return !values.some((value) => equalsOrFits(value, wanted, quoted));
    case ':':
      if (wanted === '*') return values.length > 0;
      return values.some((value) => has(value, wanted));
    case '=~':
    case '!~': {
      const found = values.some((value) => regular(wanted).test(value));
      return comparator === '=~' ? found : !found;
    }
    default: {
      const [first] = values;
      return (
        first !== undefined &&
        ordered(comparator, first < wanted ? -1 : first > wanted ? 1 : 0, name)
      );
    }
  }
}

/** `*` at either end is a wildcard in AIP-160's strings. */
function equalsOrFits(value: string, wanted: string, quoted: boolean): boolean {
  if (value === wanted) return true;
  if (quoted || !wanted.includes('*')) return false;
  return has(value, wanted);
}

function has(value: string, wanted: string): boolean {
  const text = value.toLowerCase();
  const parts = wanted.toLowerCase().split('*');
  if (parts.length === 1) return text.includes(wanted.toLowerCase());
  const [first = '', ...others] = parts;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  const last = others.pop() ?? '';
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** Long patterns over long lines are how a filter would keep the server busy; RE2 has no such trouble. */
const maxPatternLength = 200;

function regular(pattern: string): RegExp {
  const nested = /[+*}]\s*\)\s*[+*{]/.test(pattern);
  if (pattern.length > maxPatternLength || nested) {
    throw new FilterError('the regular expression is too complex for the sandbox');
  }
  try {
    return new RegExp(pattern, 'u');
  } catch {
    throw new FilterError(`invalid regular expression: ${pattern}`);
  }
}

function compareTimes(
  value: string | undefined,
  comparator: Comparator,
  wanted: string,
  name: string,
): boolean {
  const bound = toNanoseconds(wanted);
  if (bound === undefined) throw new FilterError(`invalid timestamp for ${name}: ${wanted}`);
  const time = value === undefined ? undefined : toNanoseconds(value);
  if (time === undefined) return comparator === '!=';
  return ordered(comparator, time < bound ? -1 : time > bound ? 1 : 0, name);
}

/** RFC 3339, also without a time or an offset, as Cloud Logging takes it. */
function toNanoseconds(text: string): bigint | undefined {
  const match =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?$/i.exec(text);
  if (match === null) return undefined;
  const [, date = '', time = '00:00:00', fraction = '', zone = 'Z'] = match;
  const ms = Date.parse(`${date}T${time.length === 5 ? `${time}:00` : time}${zone.toUpperCase()}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

function ordered(comparator: Comparator, sign: number, name: string): boolean {
  switch (comparator) {
    case '=':
    case ':':
      return sign === 0;
    case '!=':
      return sign !== 0;
    case '<':
      return sign < 0;
    case '<=':
      return sign <= 0;
    case '>':
      return sign > 0;
    case '>=':
      return sign >= 0;
    default:
      throw new FilterError(`${name} cannot be compared with ${comparator}`);
  }
}
