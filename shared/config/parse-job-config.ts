/**
 * Reads a job config: the YAML that `gcloud ai custom-jobs create --config` takes, a CustomJobSpec in
 * camelCase. Where gcloud passes nonsense on to the server, this refuses it with its place in the file;
 * what is valid becomes the same JSON that gcloud would send.
 */
import type { Result } from '../errors.ts';
import { checkSpec, type MachinesFromElsewhere } from './check-spec.ts';
import { jobSpecSchema } from './job-spec-schema.ts';
import type { CustomJobSpec } from './job-spec.ts';
import type { ConfigProblem } from './problem.ts';
import { SpecReader, type FileKind, type Substitutions } from './spec-reader.ts';
import { explainJobConfigKey } from './unknown-key.ts';
import { readGcloudMapping } from './gcloud-mapping.ts';

const jobConfig: FileKind = {
  schema: jobSpecSchema,
  nameOf: (key) => key,
  explainUnknownKey: explainJobConfigKey,
};

/**
 * @returns the spec in the service's JSON form, or at most ten problems
 * @see https://cloud.google.com/sdk/gcloud/reference/ai/custom-jobs/create
 */
export function parseJobConfig(
  text: string,
  file: string,
  substitutions: Substitutions,
  machines: MachinesFromElsewhere = 'none',
): Result<CustomJobSpec, ConfigProblem> {
  const yaml = readGcloudMapping(text, file, { name: 'job config', firstKey: 'workerPoolSpecs' });
  if (!yaml.ok) return yaml;
  const { value } = yaml.value;
  const reader = new SpecReader(yaml.value, jobConfig, substitutions);
  const spec = reader.message('CustomJobSpec', value, []);
  const { problems } = reader;
  if (problems.length > 0) return { ok: false, problems };
  const unmet = checkSpec(spec, yaml.value, machines);
  if (unmet.length > 0) return { ok: false, problems: unmet };
  return { ok: true, value: spec as unknown as CustomJobSpec };
}
