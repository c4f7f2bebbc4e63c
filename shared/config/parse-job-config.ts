/**
 * Reads a job config: the YAML that `gcloud ai custom-jobs create --config` takes, a CustomJobSpec in
 * camelCase. Where gcloud passes nonsense on to the server, this refuses it with its place in the file;
 * what is valid becomes the same JSON that gcloud would send.
 */
import type { Result } from '../errors.ts';
import { nearest } from '../units.ts';
import type { CustomJobSpec } from './job-spec.ts';
import schemaJson from './job-spec.schema.json' with { type: 'json' };
import type { ConfigProblem } from './problem.ts';
import { readYaml, type Path, type YamlFile } from './yaml-file.ts';

interface Field {
  readonly type: string;
  readonly repeated?: boolean;
  readonly map?: boolean;
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

export function parseJobConfig(
  text: string,
  file: string,
  substitutions: Substitutions,
): Result<CustomJobSpec, ConfigProblem> {
  const yaml = readYaml(text, file);
  if (!yaml.ok) return yaml;
  const reader = new Reader(yaml.value, substitutions);
  const value = yaml.value.value;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    return {
      ok: false,
      problems: [yaml.value.problemAt([], 'the file must be a mapping with `workerPoolSpecs`.')],
    };
  }
  const spec = reader.message('CustomJobSpec', value, []) as unknown as CustomJobSpec;
  if (reader.problems.length === 0) checkPools(spec, yaml.value, reader.problems);
  if (reader.problems.length > 0) return { ok: false, problems: reader.problems };
  return { ok: true, value: spec };
}

/** gcloud's one rule beyond types, and the service's first. */
function checkPools(spec: CustomJobSpec, file: YamlFile, problems: ConfigProblem[]): void {
  const pools =
    (spec as { workerPoolSpecs?: CustomJobSpec['workerPoolSpecs'] }).workerPoolSpecs ?? [];
  if (pools.length === 0)
    problems.push(file.problemAt([], '`workerPoolSpecs` is missing: the job has no machine.'));
  for (const [index, pool] of pools.entries()) {
    const path: Path = ['workerPoolSpecs', index];
    const kinds = [pool.containerSpec, pool.pythonPackageSpec].filter((kind) => kind !== undefined);
    // A pool `{}` is skipped by the service, all but the first.
    const isSkipped = index > 0 && Object.keys(pool).length === 0;
    if (!isSkipped && kinds.length !== 1) {
      problems.push(
        file.problemAt(
          path,
          'a worker pool needs exactly one of `containerSpec` and `pythonPackageSpec`.',
        ),
      );
    }
    const replicas = Number(pool.replicaCount ?? '1');
    if (index === 0 && replicas !== 1) {
      problems.push(
        file.problemAt(
          [...path, 'replicaCount'],
          'the first worker pool has exactly 1 replica; more go into a second pool.',
        ),
      );
    } else if (replicas < 1) {
      problems.push(file.problemAt([...path, 'replicaCount'], 'must be at least 1.'));
    }
  }
}

const integerTypes = new Set([
  'int32',
  'int64',
  'uint32',
  'uint64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
]);
const maxProblems = 10;

/** Walks a value along the schema, collects problems and returns the value in JSON's wire form. */
class Reader {
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
    for (const [key, child] of Object.entries(value) as [string, unknown][]) {
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (field === undefined) this.unknown(key, [...path, key], Object.keys(fields));
      else if (child !== null && child !== undefined)
        result[key] = this.field(field, child, [...path, key]);
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
    if (typeof value === 'string' && field.type === 'string')
      return [this.single('string', value, path)];
    return this.wrong(
      path,
      isMapping(value) ? 'must be a list; start each entry with `- `.' : 'must be a list.',
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
    if (type === 'double' || type === 'float') {
      return typeof value === 'number' ? value : this.wrong(path, 'must be a number.');
    }
    return value;
  }

  private string(value: unknown, path: Path): unknown {
    if (typeof value !== 'string') {
      return this.wrong(path, `must be text; put it in quotes: "${String(value).slice(0, 40)}".`);
    }
    return value.replaceAll(
      /\$(?:\{(PROJECT_ID|IMAGE|SHORT_SHA)\}|(PROJECT_ID|IMAGE|SHORT_SHA)\b)/g,
      (whole, braced, bare) => {
        const name = (braced ?? bare) as keyof Substitutions;
        return this.substitutions[name] ?? String(whole);
      },
    );
  }

  private integer(type: string, value: unknown, path: Path): unknown {
    const number = typeof value === 'string' && /^-?\d{1,18}$/.test(value) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isSafeInteger(number)) {
      return this.wrong(path, `must be a whole number, not ${JSON.stringify(value).slice(0, 40)}.`);
    }
    // int64 travels as a decimal text in JSON.
    return type.endsWith('64') ? String(number) : number;
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
    const name = Object.entries(values).find(([, number]) => number === value)?.[0];
    if (name !== undefined) return name;
    const near = nearest(String(value), Object.keys(values));
    return this.wrong(
      path,
      `\`${String(value).slice(0, 60)}\` is no valid value.${near === undefined ? '' : ` Did you mean \`${near}\`?`}`,
    );
  }

  private unknown(key: string, path: Path, valid: readonly string[]): void {
    const camel = key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    const near = valid.includes(camel) ? camel : nearest(key, valid);
    const hint =
      near === undefined
        ? `The keys here are ${valid.slice(0, 20).join(', ')}.`
        : `Did you mean \`${near}\`?`;
    this.add(
      this.file.problemAt(
        path,
        `unknown key \`${key.slice(0, 60).replaceAll('`', "'")}\`. ${hint}`,
        true,
      ),
    );
  }

  private wrong(path: Path, message: string): undefined {
    this.add(this.file.problemAt(path, `\`${String(path.at(-1)).slice(0, 60)}\` ${message}`));
    return undefined;
  }

  private add(problem: ConfigProblem): void {
    if (this.problems.length < maxProblems) this.problems.push(problem);
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
