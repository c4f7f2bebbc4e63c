/**
 * Holds a parsed file against a message of the service's own descriptors: a plain value in, the same value
 * in JSON's wire form and the problems found out.
 */
import { quoteToken } from '../command/quote-token.ts';
import { nearest } from '../units.ts';
import type { EnumValues, Field, Fields, MessageSchema } from './message-schema.ts';
import type { ConfigProblem } from './problem.ts';
import type { UnknownKey } from './unknown-key.ts';
import type { Path, YamlFile } from './yaml-file.ts';

/** What `$NAME` in the file stands for; every other `$` is left alone, because jobs have variables of their own. */
export interface Substitutions {
  readonly PROJECT_ID?: string;
  readonly IMAGE?: string;
  readonly SHORT_SHA?: string;
}

/** What is particular to one kind of file. */
export interface FileKind {
  readonly schema: MessageSchema;
  /** The field that a key stands for, as gcloud converts keys before it reads them. */
  nameOf(key: string): string;
  explainUnknownKey(key: string, message: string, fields: Fields): UnknownKey;
}

/** The values that an integer type can hold. */
const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};
/**
 * The least number that stands for one value in the service's descriptors and for another in gcloud, which
 * counts the values of its own list: from there on a number could buy another GPU than was meant.
 * @see https://github.com/google/apitools/blob/master/apitools/gen/message_registry.py (enum values)
 */
const differsFrom: Readonly<Record<string, number>> = {
  AcceleratorType: 6,
  'Scheduling.Strategy': 5,
  'BuildOptions.LoggingMode': 4,
  'BuildOptions.MachineType': 3,
};
const maxProblems = 10;
/** Aliases can make a small file stand for a large one. */
const maxValues = 100_000;

/** Walks a value along the schema, collects problems and returns the value in JSON's wire form. */
export class SpecReader {
  readonly problems: ConfigProblem[] = [];
  private readonly file: YamlFile;
  private readonly kind: FileKind;
  private readonly substitutions: Substitutions;
  private values = 0;

  constructor(file: YamlFile, kind: FileKind, substitutions: Substitutions = {}) {
    this.file = file;
    this.kind = kind;
    this.substitutions = substitutions;
  }

  message(type: string, value: object, path: Path): Record<string, unknown> {
    const fields = this.kind.schema.fieldsOf(type) ?? {};
    const result: Record<string, unknown> = {};
    const seen = new Set<string>();
    for (const [key, child] of Object.entries(value) as [string, unknown][]) {
      const here = [...path, key];
      const spelled = this.kind.nameOf(key);
      const name = Object.hasOwn(fields, spelled) ? spelled : this.unknown(key, type, here);
      const field = name === undefined ? undefined : fields[name];
      if (name === undefined || field === undefined || child === null || child === undefined)
        continue;
      if (seen.has(name))
        this.wrong(here, `is \`${name}\` in another spelling, which is given too.`);
      const wire = this.field(field, child, here);
      // A list without entries is the same as none, and gcloud sends none.
      if (Array.isArray(wire) && wire.length === 0) continue;
      seen.add(name);
      result[name] = wire;
      if (field.required === true && result[name] === '' && type !== 'EnvVar')
        this.wrong(here, 'must not be empty.');
    }
    for (const [name, { required }] of Object.entries(fields)) {
      if (required === true && !seen.has(name)) this.missing(name, path);
    }
    return result;
  }

  private field(field: Field, value: unknown, path: Path): unknown {
    if (field.map === true) return this.map(field, value, path);
    if (field.repeated !== true) return this.single(field.type, value, path);
    if (Array.isArray(value))
      return value.map((item, index) => this.single(field.type, item, [...path, index]));
    return this.oneAsList(field, value, path);
  }

  /** gcloud makes a list of what should have been one; that is done here where it is what was meant. */
  private oneAsList(field: Field, value: unknown, path: Path): unknown {
    // Google's own samples write a single worker pool as a mapping; one of variables has another shape.
    if (
      isMapping(value) &&
      (field.type !== 'EnvVar' || Object.hasOwn(value, 'name')) &&
      this.kind.schema.fieldsOf(field.type) !== undefined
    )
      return [this.single(field.type, value, [...path, 0])];
    // A text of several words would become one argument, which nobody means.
    if (typeof value === 'string' && field.type === 'string' && /^\S+$/.test(value))
      return [this.single('string', value, path)];
    if (typeof value === 'bigint' && ranges[field.type] !== undefined)
      return [this.single(field.type, value, path)];
    if (field.type === 'EnvVar')
      return this.wrong(
        path,
        'must be a list whose entries are `- name: NAME` and `value: "VALUE"`.',
      );
    return this.wrong(
      path,
      path.at(-1) === 'args'
        ? 'must be a list with one argument an entry, such as `["--epochs", "3"]`.'
        : 'must be a list; start each entry with `- `.',
    );
  }

  private map(field: Field, value: unknown, path: Path): unknown {
    if (!isMapping(value)) return this.wrong(path, 'must be a mapping.');
    const entries = Object.entries(value).map(
      ([key, child]) => [key, this.single(field.type, child, [...path, key])] as const,
    );
    return Object.fromEntries(entries);
  }

  private single(type: string, value: unknown, path: Path): unknown {
    if (++this.values > maxValues) return this.tooLarge();
    const { schema } = this.kind;
    const values = schema.valuesOf(type);
    if (values !== undefined) return this.enumeration(type, values, value, path);
    if (schema.fieldsOf(type) !== undefined) {
      return isMapping(value)
        ? this.message(type, value, path)
        : this.wrong(path, 'must be a mapping.');
    }
    if (type === 'string') return this.string(value, path);
    if (type === 'bool')
      return typeof value === 'boolean' ? value : this.wrong(path, 'must be true or false.');
    // The official client cannot send them: its serializer has no bytes in maps, where all of ours are.
    if (type === 'bytes')
      return this.wrong(path, 'cannot be sent; keep it in Secret Manager: `secretManager:`.');
    if (type === 'google.protobuf.Duration') return this.duration(value, path);
    const range = ranges[type];
    // The generator's test proves that the descriptors use no other type.
    if (range === undefined) throw new Error(`no reader for fields of type ${type}`);
    return this.integer(type, range, value, path);
  }

  private string(value: unknown, path: Path): unknown {
    if (typeof value !== 'string') {
      const isScalar = typeof value !== 'object' || value instanceof Date;
      return this.wrong(path, isScalar ? 'must be text; put it in quotes.' : 'must be text.');
    }
    return value.replaceAll(
      /\$(?:\{(PROJECT_ID|IMAGE|SHORT_SHA)\}|(PROJECT_ID|IMAGE|SHORT_SHA)\b)/g,
      (whole, braced, bare) => {
        const name = (braced ?? bare) as keyof Substitutions;
        return this.substitutions[name] ?? whole;
      },
    );
  }

  /** gcloud takes the digits in quotes too. */
  private integer(
    type: string,
    [least, most]: readonly [bigint, bigint],
    value: unknown,
    path: Path,
  ): unknown {
    const isDigits = typeof value === 'string' && /^[-+]?\d{1,30}$/.test(value);
    const number = isDigits ? BigInt(value.replace('+', '')) : value;
    if (typeof number !== 'bigint') return this.wrong(path, 'must be a whole number.');
    if (number < least || number > most) return this.wrong(path, 'is too large a number.');
    // int64 travels as a decimal text in JSON.
    return type === 'int64' ? String(number) : Number(number);
  }

  private duration(value: unknown, path: Path): unknown {
    return typeof value === 'string' && /^\d{1,12}(\.\d{1,9})?s$/.test(value)
      ? value
      : this.wrong(path, 'must be a duration in seconds with an `s`, such as "3600s".');
  }

  private enumeration(type: string, values: EnumValues, value: unknown, path: Path): unknown {
    if (typeof value === 'string' && Object.hasOwn(values, value)) return value;
    const typed = /^(?:string|number|bigint|boolean)$/.test(typeof value) ? String(value) : '';
    const names = Object.keys(values);
    if (typeof value === 'bigint' && value < (differsFrom[type] ?? Infinity)) {
      const named = names.find((name) => String(values[name]) === typed);
      if (named !== undefined) return named;
    }
    const near = sharingWords(typed, names) ?? nearest(typed, names);
    const hint =
      near === undefined ? `Valid are ${names.join(', ')}.` : `Did you mean \`${near}\`?`;
    return this.wrong(path, `cannot be ${quoteToken(typed)}. ${hint}`);
  }

  /** Reports the key, and returns the name that it should have had when that is beyond doubt. */
  private unknown(key: string, type: string, path: Path): string | undefined {
    if (this.problems.length >= maxProblems) return undefined;
    const { message, meant } = this.kind.explainUnknownKey(
      key,
      type,
      this.kind.schema.fieldsOf(type) ?? {},
    );
    this.problems.push(this.file.problemAt(path, message, true));
    return meant;
  }

  private tooLarge(): null {
    if (this.values === maxValues + 1) {
      const message = `the file stands for more than ${maxValues} values.`;
      this.problems.unshift(this.file.problemAt([], message));
    }
    return null;
  }

  private missing(name: string, path: Path): void {
    if (this.problems.length >= maxProblems) return;
    const hint =
      name === 'imageUri'
        ? ' Write `imageUri: $IMAGE` for the image that is built here.'
        : name === 'value'
          ? ' Write `value: ""` for an empty one.'
          : '';
    this.problems.push(this.file.problemAt(path, `\`${name}\` is missing.${hint}`, true));
  }

  private wrong(path: Path, message: string): null {
    if (this.problems.length >= maxProblems) return null;
    const key = path.findLast((part) => typeof part === 'string') ?? '';
    this.problems.push(this.file.problemAt(path, `${quoteToken(key)} ${message}`));
    return null;
  }
}

/** `NVIDIA_T4` is nearer to `NVIDIA_L4` by letters, but `NVIDIA_TESLA_T4` is what is meant. */
function sharingWords(typed: string, names: readonly string[]): string | undefined {
  const common = new Set(['', 'NVIDIA', 'TESLA', 'UNSPECIFIED']);
  const words = typed.toUpperCase().split(/[_\s-]/);
  const shared = (name: string): number =>
    name.split('_').filter((word) => !common.has(word) && words.includes(word)).length;
  const most = Math.max(...names.map(shared));
  return most === 0 ? undefined : names.find((name) => shared(name) === most);
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
