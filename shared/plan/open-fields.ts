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

/** Environment variables that the service or the loader reads; a job's own must not stand in for them. */
const reservedEnv = /^(AIP_|CLOUD_ML_|GOOGLE_|LD_|PATH$|PYTHONSTARTUP$)/;

export function isReservedEnv(name: string): boolean {
  return reservedEnv.test(name);
}

/** The paths that a pull request may not set, such as `serviceAccount` or `workerPoolSpecs[0].nfsMounts`. */
export function forbiddenFields(spec: CustomJobSpec): readonly string[] {
  const found = closed(spec, openFields['spec'], '');
  found.push(...closed(spec.scheduling ?? {}, openFields['scheduling'], 'scheduling.'));
  for (const [index, pool] of spec.workerPoolSpecs.entries()) {
    const path = `workerPoolSpecs[${index}].`;
    found.push(...closed(pool, openFields['pool'], path));
    found.push(...closed(pool.machineSpec ?? {}, openFields['machine'], `${path}machineSpec.`));
    for (const { name } of pool.containerSpec?.env ?? []) {
      if (isReservedEnv(name))
        found.push(`${path}containerSpec.env ${name.replaceAll(/\W/g, '?').slice(0, 60)}`);
    }
  }
  return found;
}

function closed(value: object, open: readonly string[] | undefined, path: string): string[] {
  return Object.keys(value)
    .filter((key) => open?.includes(key) !== true)
    .map((key) => `${path}${key}`);
}
