/**
 * What would help a run that ran out of time or memory: its command and plan in, the changes that would be taken out.
 * Found out when the run is planned, while everything that decides is at hand: a card advises nothing else.
 */
import { machineTypes } from '../catalogue/machines.ts';
import type { TrainCommand } from '../command/command.ts';
import type { Refusal } from '../policy/decision.ts';
import { advise, type Limits } from './advise.ts';
import type { Plan, Remedies, Remedy } from './plan.ts';

type Attempt = (
  command: TrainCommand,
) => { readonly kind: 'planned'; readonly plan: Plan } | Refusal;

export function remediesOf(
  command: TrainCommand,
  plan: Plan,
  attempt: Attempt,
  limits: Limits,
): Remedies {
  const [longer, larger] = [
    moreTime(command, plan, attempt, limits),
    moreMemory(command, plan, attempt),
  ];
  return { ...(longer && { longer }), ...(larger && { larger }) };
}

/** A few minutes more help nobody. */
const leastMore = 1.1;

/** Twice as long, or as long as it may take. */
function moreTime(
  command: TrainCommand,
  { job }: Plan,
  attempt: Attempt,
  limits: Limits,
): Remedies['longer'] {
  const wanted = { ...command, timeoutSeconds: 2 * job.timeoutSeconds };
  const answer = attempt(wanted);
  if (answer.kind === 'planned')
    return { timeoutSeconds: wanted.timeoutSeconds, ...costOf(answer.plan) };
  const { timeoutSeconds = 0 } = advise(wanted, answer, attempt, limits) ?? {};
  if (timeoutSeconds < leastMore * job.timeoutSeconds) return undefined;
  const tried = attempt({ ...command, timeoutSeconds });
  return tried.kind === 'planned' ? { timeoutSeconds, ...costOf(tried.plan) } : undefined;
}

/** The smallest machine of its family that leaves more to the code, and takes the same GPUs. */
function moreMemory(command: TrainCommand, { job }: Plan, attempt: Attempt): Remedies['larger'] {
  const now = machineTypes.find(({ name }) => name === job.machine.machineType);
  if (now === undefined) return undefined;
  const { acceleratorType, acceleratorCount = 1 } = job.spec.workerPoolSpecs[0]?.machineSpec ?? {};
  const larger = machineTypes
    .filter(({ name }) => familyOf(name) === familyOf(now.name))
    .filter(({ memoryGb, vcpus }) => memoryGb > now.memoryGb && vcpus >= now.vcpus)
    .filter(
      ({ accelerators }) =>
        acceleratorType === undefined ||
        accelerators[acceleratorType]?.includes(acceleratorCount) === true,
    )
    .sort((a, b) => a.vcpus - b.vcpus || a.memoryGb - b.memoryGb);
  for (const { name: machineType, memoryGb } of larger) {
    const tried = attempt({ ...command, machineType });
    if (tried.kind === 'planned')
      return { machineType, memoryGb: [now.memoryGb, memoryGb], ...costOf(tried.plan) };
  }
  return undefined;
}

function costOf({ estimate }: Plan): Remedy {
  const isKnown = estimate.usdPerHour > 0 && estimate.isIncomplete !== true;
  return isKnown ? { ceilingUsd: estimate.ceilingUsd } : {};
}

/** `n1-standard-8` → `n1` */
function familyOf(name: string): string {
  return name.split('-')[0] ?? '';
}
