/**
 * What a replica's container gets: the job's spec in, environment, command and arguments out.
 * @see https://cloud.google.com/vertex-ai/docs/training/code-requirements#environment-variables
 * @see https://cloud.google.com/vertex-ai/docs/training/distributed-training#cluster-variables
 */
import { machineTypes } from '../../../shared/catalogue/machines.ts';
import type { Project } from '../state/project.ts';
import { numberAt, objectAt, objectsAt, textAt, textsAt, type JsonObject } from '../wire/json.ts';
import type { JobRecord } from './job-record.ts';

export interface Replica {
  /** `workerpool0-0` */
  readonly name: string;
  readonly pool: number;
  readonly index: number;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Absent for machines that the catalogue leaves out. */
  readonly machineMemoryBytes?: number;
}

/** All replicas of the job; the first is the primary one. */
export function replicasOf(job: JobRecord, project: Project): Replica[] {
  const pools = objectsAt(job.jobSpec, 'workerPoolSpecs');
  const cluster = clusterOf(job, pools);
  return pools.flatMap((pool, poolIndex) =>
    Array.from({ length: replicaCount(pool) }, (_, index) => {
      const container = containerOf(pool);
      const own = ownVariables(container);
      const given = {
        ...serviceVariables(job, project),
        CLUSTER_SPEC: JSON.stringify({
          cluster,
          environment: 'cloud',
          task: { type: `workerpool${poolIndex}`, index, trial: '' },
          job: JSON.stringify(job.jobSpec),
        }),
        ...tensorflowConfig(cluster, poolIndex, index),
      };
      const all = { ...own, ...given };
      return {
        name: `workerpool${poolIndex}-${index}`,
        pool: poolIndex,
        index,
        image: container.image,
        command: container.command.map((word) => expand(word, all)),
        args: container.args.map((word) => expand(word, all)),
        env: all,
        ...memoryOf(pool),
      };
    }),
  );
}

function replicaCount(pool: JsonObject): number {
  if (Object.keys(pool).length === 0) return 0;
  return 'replicaCount' in pool ? numberAt(pool, 'replicaCount') : 1;
}

function memoryOf(pool: JsonObject): Pick<Replica, 'machineMemoryBytes'> {
  const type = textAt(objectAt(pool, 'machineSpec'), 'machineType');
  const machine = machineTypes.find(({ name }) => name === type);
  return machine === undefined ? {} : { machineMemoryBytes: machine.memoryGb * 1024 ** 3 };
}

interface Container {
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: readonly JsonObject[];
}

function containerOf(pool: JsonObject): Container {
  const container = objectAt(pool, 'containerSpec');
  if ('containerSpec' in pool) {
    return {
      image: textAt(container, 'imageUri'),
      command: textsAt(container, 'command'),
      args: textsAt(container, 'args'),
      env: objectsAt(container, 'env'),
    };
  }
  const python = objectAt(pool, 'pythonPackageSpec');
  return {
    image: textAt(python, 'executorImageUri'),
    command: ['python3', '-m', textAt(python, 'pythonModule')],
    args: textsAt(python, 'args'),
    env: objectsAt(python, 'env'),
  };
}

/** A variable may use those that stand before it. */
function ownVariables(container: Container): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const entry of container.env) {
    const name = textAt(entry, 'name');
    if (name !== '') variables[name] = expand(textAt(entry, 'value'), variables);
  }
  return variables;
}

function serviceVariables(job: JobRecord, project: Project): Record<string, string> {
  const output = textAt(objectAt(job.jobSpec, 'baseOutputDirectory'), 'outputUriPrefix');
  const base = output === '' || output.endsWith('/') ? output : `${output}/`;
  return {
    // Always the number, whatever the request said.
    CLOUD_ML_PROJECT_ID: project.number,
    CLOUD_ML_JOB_ID: job.id,
    CLOUD_ML_REGION: job.location,
    ...(base === ''
      ? {}
      : {
          AIP_MODEL_DIR: `${base}model/`,
          AIP_CHECKPOINT_DIR: `${base}checkpoints/`,
          AIP_TENSORBOARD_LOG_DIR: `${base}logs/`,
        }),
  };
}

type Cluster = Readonly<Record<string, readonly string[]>>;

function clusterOf(job: JobRecord, pools: readonly JsonObject[]): Cluster {
  return Object.fromEntries(
    pools.flatMap((pool, i) => {
      const count = replicaCount(pool);
      const host = (index: number): string =>
        `cmle-training-workerpool${i}-${job.id.slice(-10)}-${index}:2222`;
      return count === 0
        ? []
        : [[`workerpool${i}`, Array.from({ length: count }, (_, index) => host(index))] as const];
    }),
  );
}

/** TensorFlow's names for the pools; set only where there is more than one replica. */
const tensorflowTasks = ['chief', 'worker', 'ps', 'evaluator'];

function tensorflowConfig(cluster: Cluster, pool: number, index: number): Record<string, string> {
  if (Object.values(cluster).flat().length < 2) return {};
  const named = Object.fromEntries(
    Object.entries(cluster).map(([name, hosts]) => {
      const task = tensorflowTasks[Number(name.replace('workerpool', ''))] ?? name;
      return [task, hosts];
    }),
  );
  const task = { type: tensorflowTasks[pool] ?? `workerpool${pool}`, index };
  return { TF_CONFIG: JSON.stringify({ cluster: named, task, environment: 'cloud' }) };
}

/**
 * `$(NAME)` becomes the variable's value, `$$(NAME)` the text `$(NAME)`; unknown names stay as they are.
 * @see https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(
    /\$\$|\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)/g,
    (whole, name: string | undefined) => {
      if (name === undefined) return '$';
      return Object.hasOwn(variables, name) ? (variables[name] ?? '') : whole;
    },
  );
}
