/** Whether a finished Plan is what the policy allows: machines, GPUs, and what code of a fork may have. Pure. */
import { gpuOf } from '../catalogue/find-gpu.ts';
import { quoteToken } from '../command/quote-token.ts';
import type { WorkerPoolSpec } from '../config/job-spec.ts';
import type { Plan } from '../plan/plan.ts';
import { reject, type Refusal } from './decision.ts';
import type { Policy } from './policy.ts';

export function checkPlan(plan: Plan, policy: Policy): Refusal | undefined {
  const pools = plan.job.spec.workerPoolSpecs.filter((pool) => Object.keys(pool).length > 0);
  return (
    refuseForFork(plan) ??
    notListed('machine', pools.map(machineOf), policy.machines) ??
    notListed('GPU', pools.flatMap(gpuNameOf), policy.gpus) ??
    tooManyGpus(pools, policy.maxGpusPerRun)
  );
}

function refuseForFork({ tier, build, secrets }: Plan): Refusal | undefined {
  if (tier !== 'fork') return undefined;
  if (build !== undefined && build.kind !== 'dockerfile') {
    return reject(
      'field_not_allowed',
      'Code of a fork is built from its Dockerfile only.',
      'Remove the build config, or push the branch to this repository after reading it.',
    );
  }
  return secrets === undefined
    ? undefined
    : reject(
        'field_not_allowed',
        'Code of a fork gets no secrets.',
        'Remove them, or push the branch to this repository after reading it.',
      );
}

function machineOf(pool: WorkerPoolSpec): string {
  return pool.machineSpec?.machineType ?? '';
}

function gpuNameOf({ machineSpec }: WorkerPoolSpec): string[] {
  const type = machineSpec?.acceleratorType;
  if (type === undefined || type === 'ACCELERATOR_TYPE_UNSPECIFIED') return [];
  return [gpuOf(type)?.name ?? type];
}

function notListed(
  what: 'machine' | 'GPU',
  used: readonly string[],
  listed: readonly string[] | undefined,
): Refusal | undefined {
  if (listed === undefined) return undefined;
  const wrong = used.find((one) => !listed.includes(one));
  if (wrong === undefined) return undefined;
  const some = listed.slice(0, 10).map((one) => `\`${one}\``);
  return reject(
    'machine_not_allowed',
    `Runs of this repository may not use the ${what} ${quoteToken(wrong)}.`,
    some.length === 0 ? `They may use no ${what} at all.` : `Allowed: ${some.join(', ')}.`,
  );
}

function tooManyGpus(
  pools: readonly WorkerPoolSpec[],
  limit: number | undefined,
): Refusal | undefined {
  const count = pools.reduce(
    (sum, pool) =>
      gpuNameOf(pool).length === 0
        ? sum
        : sum + (pool.machineSpec?.acceleratorCount ?? 1) * Number(pool.replicaCount ?? '1'),
    0,
  );
  if (limit === undefined || count <= limit) return undefined;
  return reject(
    'machine_not_allowed',
    `The run would use ${count} GPUs, and a run of this repository may use ${limit}.`,
    'Ask for fewer, such as `gpu=T4:1`, or for fewer replicas.',
  );
}
