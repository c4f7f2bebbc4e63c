/** What to type after a run that failed for something that another try can mend: the Run in, a command out. Pure. */
import { usdPerHour } from '../catalogue/estimate.ts';
import { machineTypes } from '../catalogue/machines.ts';
import { formatUsd } from '../units.ts';
import { jobPlanOf, type Run } from '../watch/run.ts';
import { codeSpan } from './markdown.ts';

/** ``Try `/retry k7q2m4xa machine=n1-highmem-8` (52 GB instead of 30 GB, est. $0.53/h).`` Undefined where only new code helps. */
export function renderRetryAdvice(run: Run): string | undefined {
  const { plan, end } = run;
  if (end?.outcome !== 'failed' || plan.command === undefined) return undefined;
  switch (end.reason) {
    case 'out_of_memory': {
      const machine = moreMemory(run);
      return machine && retry(run, ` machine=${machine.name}`, machine.what);
    }
    case 'preempted':
      return isSpot(run) ? retry(run, ' spot=false') : retry(run);
    case 'internal':
    case 'stockout':
    case 'quota':
    case 'start_timeout':
    case 'iam_propagating':
      return retry(run);
    default:
      return undefined;
  }
}

function retry({ plan }: Run, changes = '', what?: string): string {
  const detail = what === undefined ? '' : ` (${what})`;
  return `Try ${codeSpan(`/retry ${plan.runId}${changes}`)}${detail}.`;
}

/** The smallest machine of its family that leaves more to the code, and takes the same GPUs. */
function moreMemory(run: Run): { readonly name: string; readonly what: string } | undefined {
  const { machine, region, spec } = jobPlanOf(run);
  const now = machineTypes.find(({ name }) => name === machine.machineType);
  if (now === undefined) return undefined;
  const { acceleratorType, acceleratorCount = 1 } = spec.workerPoolSpecs[0]?.machineSpec ?? {};
  const [next] = machineTypes
    .filter(({ name }) => familyOf(name) === familyOf(now.name))
    .filter(({ memoryGb, vcpus }) => memoryGb > now.memoryGb && vcpus >= now.vcpus)
    .filter(
      ({ accelerators }) =>
        acceleratorType === undefined ||
        accelerators[acceleratorType]?.includes(acceleratorCount) === true,
    )
    .sort((a, b) => a.vcpus - b.vcpus || a.memoryGb - b.memoryGb);
  if (next === undefined) return undefined;
  const choice = {
    machineType: next.name,
    ...(acceleratorType === undefined ? {} : { acceleratorType, acceleratorCount }),
  };
  const usd = usdPerHour(choice, { region });
  const price = usd === undefined ? '' : `, est. ${formatUsd(usd * machine.replicas)}/h`;
  return { name: next.name, what: `${next.memoryGb} GB instead of ${now.memoryGb} GB${price}` };
}

/** `n1-standard-8` → `n1` */
function familyOf(name: string): string {
  return name.split('-')[0] ?? '';
}

function isSpot(run: Run): boolean {
  const strategy = jobPlanOf(run).spec.scheduling?.['strategy'];
  return strategy === 'SPOT' || strategy === 'LOW_COST';
}
