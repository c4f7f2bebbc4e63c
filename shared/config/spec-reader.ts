/**
 * Holds a parsed job config against the CustomJobSpec of the service's own descriptors: a plain value in,
 * the same value in JSON's wire form and the problems found out.
 */
import { quoteToken } from '../command/quote-token.ts';
import { nearest } from '../units.ts';
import schemaJson from './job-spec.schema.json' with { type: 'json' };
import type { ConfigProblem } from './problem.ts';
import type { Path, YamlFile } from './yaml-file.ts';

interface Field {
  readonly type: string;
  readonly repeated?: boolean;
  readonly map?: boolean;
  readonly required?: boolean;
}
interface Schema {
  readonly messages: Readonly<Record<string, Readonly<Record<string, Field>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}
const schema: Schema = schemaJson;

/** What `$NAME` in the file stands for; every other `$` is left alone, because jobs have variables of their own. */
export interface Substitutions {
  readonly PROJECT_ID?: string;
  readonly IMAGE?: string;
  readonly SHORT_SHA?: string;
}

const integerTypes = new Set(['int32', 'int64']);
const maxProblems = 10;

/** Walks a value along the schema, collects problems and returns the value in JSON's wire form. */
export class SpecReader {
  readonly problems: ConfigProblem[] = [];
  private readonly file: YamlFile;
  private readonly substitutions: Substitutions;

  constructor(file: YamlFile, substitutions: Substitutions) {
    this.file = file;
    this.substitutions = substitutions;
  }

  message(type: string, value: object, path: Path): Record<string, unknown> {
    const fields = schema.messages[type] ?? {};
    const result: Record<string, unknown> = {};
    const seen = new Set<string>();
    for (const [key, child] of Object.entries(value) as [string, unknown][]) {
      const here = [...path, key];
      const name = Object.hasOwn(fields, key) ? key : this.unknown(key, here, Object.keys(fields));
      const field = name === undefined ? undefined : fields[name];
      if (name === undefined || field === undefined || child === null || child === undefined)
        continue;
      seen.add(name);
      result[name] = this.field(field, child, here);
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
    // The course and gcloud's own help write a single worker pool as a mapping.
    if (isMapping(value) && field.type === 'WorkerPoolSpec')
      return [this.single(field.type, value, [...path, 0])];
    // gcloud makes a list of a single word too; of several it makes one argument, which nobody means.
    if (typeof value === 'string' && field.type === 'string' && !/\s/.test(value.trim()))
      return [this.single('string', value, path)];
    if (field.type === 'EnvVar')
      return this.wrong(
        path,
        'must be a list whose entries are `- name: NAME` and `value: "VALUE"`.',
      );
    return this.wrong(path, 'must be a list; start each entry with `- `.');
  }

  private map(field: Field, value: unknown, path: Path): unknown {
    if (!isMapping(value)) return this.wrong(path, 'must be a mapping.');
    const entries = Object.entries(value).map(
      ([key, child]) => [key, this.single(field.type, child, [...path, key])] as const,
    );
    return Object.fromEntries(entries);
  }

  private single(type: string, value: unknown, path: Path): unknown {
    if (schema.enums[type] !== undefined) return this.enumeration(schema.enums[type], value, path);
    if (schema.messages[type] !== undefined) {
      return isMapping(value)
        ? this.message(type, value, path)
        : this.wrong(path, 'must be a mapping.');
    }
    if (type === 'string') return this.string(value, path);
    if (type === 'bool')
      return typeof value === 'boolean' ? value : this.wrong(path, 'must be true or false.');
    if (integerTypes.has(type)) return this.integer(type, value, path);
    if (type === 'google.protobuf.Duration') return this.duration(value, path);
    // The generator's test proves that the descriptors use no other type.
    throw new Error(`no reader for fields of type ${type}`);
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

  private integer(type: string, value: unknown, path: Path): unknown {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
      const isQuoted = typeof value === 'string' && /^-?\d+$/.test(value);
      return this.wrong(path, `must be a whole number${isQuoted ? ', without quotes' : ''}.`);
    }
    if (type === 'int32' && Math.abs(value) > 2_147_483_647)
      return this.wrong(path, 'is too large.');
    // int64 travels as a decimal text in JSON.
    return type.endsWith('64') ? String(value) : value;
  }

  private duration(value: unknown, path: Path): unknown {
    return typeof value === 'string' && /^\d{1,12}(\.\d{1,9})?s$/.test(value)
      ? value
      : this.wrong(path, 'must be a duration in seconds with an `s`, such as "3600s".');
  }

  private enumeration(
    values: Readonly<Record<string, number>>,
    value: unknown,
    path: Path,
  ): unknown {
    if (typeof value === 'string' && Object.hasOwn(values, value)) return value;
    const typed = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
    const names = Object.keys(values);
    // `NVIDIA_T4` is nearer to `NVIDIA_L4` by letters, but `NVIDIA_TESLA_T4` is what is meant.
    const lastWord = typed.toUpperCase().split(/[_-]/).at(-1) ?? '';
    const near =
      names.find((name) => values[name] === value) ??
      (lastWord === '' ? undefined : names.find((name) => name.endsWith(`_${lastWord}`))) ??
      nearest(typed, names);
    const hint =
      near === undefined ? `Valid are ${names.join(', ')}.` : `Did you mean \`${near}\`?`;
    return this.wrong(path, `cannot be ${quoteToken(typed)}. ${hint}`);
  }

  /** Reports the key, and returns the name that it should have had when that is beyond doubt. */
  private unknown(key: string, path: Path, valid: readonly string[]): string | undefined {
    const camel = key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    if (valid.includes(camel)) {
      const message = `${quoteToken(key)} is spelled \`${camel}\` in a job config.`;
      this.add(this.file.problemAt(path, message, true));
      return camel;
    }
    const near = nearest(key, valid);
    const hint =
      key === 'jobSpec'
        ? 'This is a whole CustomJob: keep only what stands below `jobSpec`.'
        : near === undefined
          ? `The keys here are ${valid.slice(0, 20).join(', ')}.`
          : `Did you mean \`${near}\`?`;
    this.add(this.file.problemAt(path, `unknown key ${quoteToken(key)}. ${hint}`, true));
    return undefined;
  }

  private missing(name: string, path: Path): void {
    const hint =
      name === 'imageUri' ? ' Write `imageUri: $IMAGE` for the image that is built here.' : '';
    this.add(this.file.problemAt(path, `\`${name}\` is missing.${hint}`, true));
  }

  private wrong(path: Path, message: string): null {
    const key = path.findLast((part) => typeof part === 'string') ?? '';
    this.add(this.file.problemAt(path, `${quoteToken(key)} ${message}`));
    return null;
  }

  private add(problem: ConfigProblem): void {
    if (this.problems.length < maxProblems) this.problems.push(problem);
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
  );
}
