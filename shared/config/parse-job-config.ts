/**
 * Reads a job config: the YAML that `gcloud ai custom-jobs create --config` takes, a CustomJobSpec in
 * camelCase. Where gcloud passes nonsense on to the server, this refuses it with its place in the file;
 * what is valid becomes the same JSON that gcloud would send.
 */
import type { Result } from '../errors.ts';
import type { CustomJobSpec } from './job-spec.ts';
import type { ConfigProblem } from './problem.ts';
import { SpecReader, type Substitutions } from './spec-reader.ts';
import { readYaml, type Path, type YamlFile } from './yaml-file.ts';

/**
 * @returns the spec in the service's JSON form, or at most ten problems
 * @see https://cloud.google.com/sdk/gcloud/reference/ai/custom-jobs/create
 */
export function parseJobConfig(
  text: string,
  file: string,
  substitutions: Substitutions,
): Result<CustomJobSpec, ConfigProblem> {
  const yaml = readYaml(text, file, '1.1');
  if (!yaml.ok) return yaml;
  const reader = new SpecReader(yaml.value, substitutions);
  const value = yaml.value.value;
  if (
    value === null ||
    typeof value !== 'object' ||
    Array.isArray(value) ||
    value instanceof Date
  ) {
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
