/**
 * Puts a run's secrets into the request for its job, at the last moment: the request in, the same with either
 * the shim that reads them in the job, or their values, out. Neither the plan nor the stored run ever holds one.
 */
import { UserError } from '../errors.ts';
import type { ContainerSpec, WorkerPoolSpec } from '../config/job-spec.ts';
import { escapeExpansion } from '../plan/job-arguments.ts';
import { waysOfSecrets } from '../plan/job-secrets.ts';
import type { ImageProgram, ImagePrograms, JobRequest, Secrets } from '../ports.ts';
import { jobPlanOf, type Run } from '../watch/run.ts';
import { secretsVariable, withEntryShim } from './entry-shim.ts';

interface SecretPorts {
  readonly imagePrograms?: ImagePrograms;
  readonly secrets?: Secrets;
}

export async function withSecrets(
  request: JobRequest,
  run: Run,
  ports: SecretPorts,
): Promise<JobRequest> {
  const { versions } = run.plan.secrets ?? {};
  if (versions === undefined) return request;
  // Asked of the plan, in which the run's own image is still named by its placeholder.
  const ways = waysOfSecrets(jobPlanOf(run).spec);
  const program = ways.includes('entry') ? await programOf(run, ports) : undefined;
  const values = ways.includes('plain') ? await valuesOf(versions, ports) : undefined;
  const workerPoolSpecs = request.spec.workerPoolSpecs.map((pool, at) => {
    if (ways[at] === 'entry' && program !== undefined) return throughShim(pool, program, versions);
    return ways[at] === 'plain' && values !== undefined ? withValues(pool, values) : pool;
  });
  return { ...request, spec: { ...request.spec, workerPoolSpecs } };
}

async function programOf({ image }: Run, { imagePrograms }: SecretPorts): Promise<ImageProgram> {
  if (image === undefined || imagePrograms === undefined) throw new Error('secrets: no image');
  return imagePrograms.read(image);
}

async function valuesOf(
  versions: Readonly<Record<string, string>>,
  { secrets }: SecretPorts,
): Promise<Variables> {
  if (secrets === undefined) throw new Error('secrets: nobody can read them');
  const read = async ([name, version]: [string, string]) => ({
    name,
    value: await secrets.read(version),
  });
  return Promise.all(Object.entries(versions).map(read));
}

/**
 * As Vertex AI has it: `command` replaces the image's ENTRYPOINT and with it its CMD, `args` replace its CMD. What
 * comes from the image is meant literally; what the config says may use the job's variables.
 * @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/ContainerSpec
 */
function throughShim(
  pool: WorkerPoolSpec,
  image: ImageProgram,
  versions: Readonly<Record<string, string>>,
): WorkerPoolSpec {
  const { containerSpec = {} } = pool;
  const { command = [], args = [] } = containerSpec;
  const literal = (words: readonly string[]): readonly string[] => words.map(escapeExpansion);
  const program = command.length > 0 ? command : literal(image.entrypoint);
  const rest = args.length > 0 || command.length > 0 ? args : literal(image.cmd);
  if (program.length + rest.length === 0) {
    throw new UserError(
      'bad_config',
      'the image names no program to run, so none can be given its secrets.',
      'Write an ENTRYPOINT or CMD into the Dockerfile, or a `command` into the job config.',
    );
  }
  const names = { name: secretsVariable, value: escapeExpansion(JSON.stringify(versions)) };
  return {
    ...pool,
    containerSpec: {
      ...containerSpec,
      command: [...withEntryShim([]).map(escapeExpansion), ...program],
      args: rest,
      env: [...variablesBeside(containerSpec, versions), names],
    },
  };
}

type Variables = NonNullable<ContainerSpec['env']>;

function withValues(pool: WorkerPoolSpec, values: Variables): WorkerPoolSpec {
  const escaped = values.map(({ name, value }) => ({ name, value: escapeExpansion(value) }));
  const named = Object.fromEntries(values.map(({ name }) => [name, '']));
  const { containerSpec, pythonPackageSpec } = pool;
  if (pythonPackageSpec !== undefined) {
    const env = [...variablesBeside(pythonPackageSpec, named), ...escaped];
    return { ...pool, pythonPackageSpec: { ...pythonPackageSpec, env } };
  }
  const env = [...variablesBeside(containerSpec ?? {}, named), ...escaped];
  return { ...pool, containerSpec: { ...containerSpec, env } };
}

/** A secret beats a variable of its name. */
function variablesBeside(
  { env = [] }: Pick<ContainerSpec, 'env'>,
  secrets: Readonly<Record<string, string>>,
): Variables {
  return env.filter(({ name }) => !Object.hasOwn(secrets, name));
}
