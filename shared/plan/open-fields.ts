/**
 * Which fields of a job config a pull request's own file may set. Everything is closed but what is named
 * here: identity (`serviceAccount`), a shell (`enableWebAccess`), networks, other people's machines
 * (`persistentResourceId`) and where results go are the operator's to decide, and code that is not in the
 * commit (`pythonPackageSpec`) is nobody's to run.
 */
import type { CustomJobSpec } from '../config/job-spec.ts';

const openFields: Readonly<Record<string, readonly string[]>> = {
  spec: ['workerPoolSpecs', 'scheduling'],
  pool: ['machineSpec', 'replicaCount', 'containerSpec', 'diskSpec'],
  machine: ['machineType', 'acceleratorType', 'acceleratorCount', 'tpuTopology'],
  scheduling: [
    'timeout',
    'restartJobOnWorkerRestart',
    'strategy',
    'disableRetries',
    'maxWaitDuration',
  ],
};

/** What an operator may open besides: neither identity nor output, networks, labels or a shell is among it. */
export const openableFields = [
  ...(['tensorboard', 'experiment', 'experimentRun', 'protectedArtifactLocationId'] as const),
  ...(['gpuPartitionSize', 'reservationAffinity'] as const),
] as const;

/** Environment variables that the service or the loader reads; a job's own must not stand in for them. */
const reservedEnv = /^(AIP_|CLOUD_ML_|GOOGLE_|LD_|PATH$|PYTHONSTARTUP$)/;

export function isReservedEnv(name: string): boolean {
  return reservedEnv.test(name);
}

/**
 * The paths that a pull request may not set, such as `serviceAccount` or `workerPoolSpecs[0].nfsMounts`.
 * @param opened of `openableFields`, those that the policy opens
 */
export function forbiddenFields(
  spec: CustomJobSpec,
  opened: readonly string[] = [],
): readonly string[] {
  const alsoOpen = openableFields.filter((field) => opened.includes(field));
  const closed = (value: object, level: string, path: string): string[] =>
    Object.keys(value)
      .filter((key) => ![...(openFields[level] ?? []), ...alsoOpen].includes(key))
      .map((key) => `${path}${key}`);
  const found = closed(spec, 'spec', '');
  found.push(...closed(spec.scheduling ?? {}, 'scheduling', 'scheduling.'));
  for (const [index, pool] of spec.workerPoolSpecs.entries()) {
    const path = `workerPoolSpecs[${index}].`;
    found.push(...closed(pool, 'pool', path));
    found.push(...closed(pool.machineSpec ?? {}, 'machine', `${path}machineSpec.`));
    for (const { name } of pool.containerSpec?.env ?? []) {
      if (isReservedEnv(name))
        found.push(`${path}containerSpec.env ${name.replaceAll(/\W/g, '?').slice(0, 60)}`);
    }
  }
  return found;
}
