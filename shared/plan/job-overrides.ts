/**
 * What a workflow's author sets beside the job config, which it beats: a checked spec and the inputs in, the
 * spec with them or a Refusal out. Pure. (A machine and arguments come with the command, for comments too.)
 */
import type { ContainerSpec, CustomJobSpec, WorkerPoolSpec } from '../config/job-spec.ts';
import type { Refusal } from '../policy/decision.ts';
import { vertexImages } from './job-arguments.ts';

export interface JobOverrides {
  readonly displayName?: string;
  /** Besides our own, which nothing replaces. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Over all pools that train. */
  readonly replicaCount?: number;
  /** In place of the images' entry point. */
  readonly command?: readonly string[];
  /** Each replaces the variable of its name, or is added. */
  readonly env?: Readonly<Record<string, string>>;
  /** Undefined leaves it to the file. */
  readonly spot?: boolean;
  /** `gs://bucket/prefix` */
  readonly baseOutputDirectory?: string;
  readonly serviceAccount?: string;
  /** A job that has not begun to run by then is ended. */
  readonly startTimeoutSeconds?: number;
}

type SpecOrRefusal = { readonly kind: 'spec'; readonly spec: CustomJobSpec } | Refusal;

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/ContainerSpec */
const maxVariables = 100;

/** Everything but the replicas, which are counted once the machines are chosen. */
export function withOverrides(spec: CustomJobSpec, overrides: JobOverrides): SpecOrRefusal {
  const { command, env = {}, spot, baseOutputDirectory: output, serviceAccount } = overrides;
  let pools = spec.workerPoolSpecs;
  if (command !== undefined) {
    if (!pools.some(runsOurProgram)) return noContainer();
    pools = pools.map((pool) => inContainer(pool, (container) => ({ ...container, command })));
  }
  if (Object.keys(env).length > 0) pools = pools.map((pool) => withVariables(pool, env));
  if (pools.some((pool) => variablesOf(pool).length > maxVariables)) return tooManyVariables();
  return {
    kind: 'spec',
    spec: {
      ...withSpot(spec, spot),
      workerPoolSpecs: pools,
      ...(output === undefined ? {} : { baseOutputDirectory: { outputUriPrefix: output } }),
      ...(serviceAccount === undefined ? {} : { serviceAccount }),
    },
  };
}

/**
 * As Vertex AI counts them: the first pool has one replica and the second one the rest, which is a copy of the
 * first where the file has none. Further pools (parameter servers, evaluators) stay as they are.
 * @see https://cloud.google.com/vertex-ai/docs/training/distributed-training
 */
export function withReplicas(spec: CustomJobSpec, count: number | undefined): CustomJobSpec {
  const [first, second, ...others] = spec.workerPoolSpecs;
  if (count === undefined || first === undefined) return spec;
  const hasWorkers = second !== undefined && Object.keys(second).length > 0;
  const workers = { ...(hasWorkers ? second : first), replicaCount: String(count - 1) };
  // The service skips a pool `{}`; as the last one it is not needed.
  const rest = count > 1 ? [workers, ...others] : others.length > 0 ? [{}, ...others] : [];
  return { ...spec, workerPoolSpecs: [{ ...first, replicaCount: '1' }, ...rest] };
}

/** Vertex AI's own images (the reduction server and the like) are not the program that trains. */
function runsOurProgram({ containerSpec }: WorkerPoolSpec): boolean {
  return containerSpec !== undefined && !vertexImages.test(containerSpec.imageUri ?? '');
}

function inContainer(
  pool: WorkerPoolSpec,
  change: (container: ContainerSpec) => ContainerSpec,
): WorkerPoolSpec {
  const { containerSpec } = pool;
  return containerSpec !== undefined && runsOurProgram(pool)
    ? { ...pool, containerSpec: change(containerSpec) }
    : pool;
}

type Variables = NonNullable<ContainerSpec['env']>;

function variablesOf({ containerSpec, pythonPackageSpec }: WorkerPoolSpec): Variables {
  return containerSpec?.env ?? (pythonPackageSpec?.['env'] as Variables | undefined) ?? [];
}

function withVariables(
  pool: WorkerPoolSpec,
  env: Readonly<Record<string, string>>,
): WorkerPoolSpec {
  const kept = variablesOf(pool).filter(({ name }) => !Object.hasOwn(env, name));
  const all = [...kept, ...Object.entries(env).map(([name, value]) => ({ name, value }))];
  if (pool.pythonPackageSpec !== undefined)
    return { ...pool, pythonPackageSpec: { ...pool.pythonPackageSpec, env: all } };
  return inContainer(pool, (container) => ({ ...container, env: all }));
}

/** @see https://cloud.google.com/vertex-ai/docs/training/use-spot-vms */
function withSpot(spec: CustomJobSpec, spot: boolean | undefined): CustomJobSpec {
  if (spot === undefined) return spec;
  const { strategy, ...scheduling } = spec.scheduling ?? {};
  if (spot) return { ...spec, scheduling: { ...spec.scheduling, strategy: 'SPOT' } };
  return strategy === 'SPOT' || strategy === 'LOW_COST' ? { ...spec, scheduling } : spec;
}

function noContainer(): Refusal {
  return {
    kind: 'rejected',
    reason: 'bad_argument',
    message: 'No worker pool of the job config runs a container that could be given a command.',
    fix: 'Remove `command_override`, or use a `containerSpec`.',
  };
}

function tooManyVariables(): Refusal {
  return {
    kind: 'rejected',
    reason: 'bad_argument',
    message: `The job config and \`env\` set more than ${maxVariables} variables together.`,
    fix: 'Remove some of them.',
  };
}
