/**
 * What to type instead of a command that was refused: the person's own with as little changed as possible, and
 * only if that would be planned. A limit that is met is no help when the next one refuses what was advised.
 */
import { gpus, machineTypes } from '../catalogue/machines.ts';
import type { TrainCommand } from '../command/command.ts';
import type { Refusal } from '../policy/decision.ts';
import { nearest } from '../units.ts';

export interface Limits {
  readonly maxTimeoutSeconds: number;
  readonly regions: readonly string[];
}

/** Everything that decides whether the command would be taken. */
export type Attempt = (command: TrainCommand) => { readonly kind: 'planned' } | Refusal;

/** One mistake hides the next; more than these are not mended for anybody. */
const maxChanges = 3;
/** Nobody trains for less. */
const leastMinutes = 5;

/** @returns undefined when nothing is known that would be taken */
export function advise(
  command: TrainCommand,
  refusal: Refusal,
  attempt: Attempt,
  limits: Limits,
): TrainCommand | undefined {
  let [current, why]: [TrainCommand, Refusal] = [command, refusal];
  for (let change = 0; change < maxChanges; change++) {
    const tried = changesFor(why, current, attempt, limits).map(
      (changed) => [changed, attempt(changed)] as const,
    );
    const taken = tried.find(([, answer]) => answer.kind === 'planned');
    if (taken !== undefined) return taken[0];
    // Refused for something else: that much is mended.
    const { reason } = why;
    for (const [changed, answer] of tried) {
      if (answer.kind === 'planned' || answer.reason === reason) continue;
      [current, why] = [changed, answer];
      break;
    }
    if (why.reason === reason) return undefined;
  }
  return undefined;
}

/** The likeliest first. */
function changesFor(
  { reason }: Refusal,
  command: TrainCommand,
  attempt: Attempt,
  { maxTimeoutSeconds, regions }: Limits,
): readonly TrainCommand[] {
  const { gpu, machineType, region } = command;
  switch (reason) {
    case 'timeout_too_long':
    case 'over_ceiling':
      return longestAllowed(command, attempt, maxTimeoutSeconds);
    case 'unknown_gpu':
    case 'gpu_count_invalid':
      return gpu?.kind === 'gpu' ? otherGpus(command, gpu) : [];
    case 'unknown_machine': {
      const near =
        machineType &&
        nearest(
          machineType,
          machineTypes.map(({ name }) => name),
        );
      return [
        ...(near ? [{ ...command, machineType: near }] : []),
        without(command, 'machineType'),
      ];
    }
    case 'machine_gpu_mismatch':
      return machineType === undefined ? [] : [without(command, 'machineType')];
    case 'region_not_allowed': {
      const near = region && nearest(region, regions);
      return [...(near ? [{ ...command, region: near }] : []), without(command, 'region')];
    }
    default:
      return [];
  }
}

function otherGpus(
  command: TrainCommand,
  { name, count }: { readonly name: string; readonly count: number },
): readonly TrainCommand[] {
  const near =
    nearest(
      name,
      gpus.map((one) => one.name),
    ) ?? 'T4';
  // The same number first, then the nearest that machines come with.
  const counts = [1, 2, 4, 8, 16].sort((a, b) => Math.abs(a - count) - Math.abs(b - count));
  return [count, ...counts].map((each) => ({
    ...command,
    gpu: { kind: 'gpu', name: near, count: each },
  }));
}

/** By both limits at once: time and money. */
function longestAllowed(
  command: TrainCommand,
  attempt: Attempt,
  maxTimeoutSeconds: number,
): readonly TrainCommand[] {
  const lasting = (minutes: number): TrainCommand => ({ ...command, timeoutSeconds: minutes * 60 });
  const isTaken = (minutes: number): boolean => attempt(lasting(minutes)).kind === 'planned';
  let taken = leastMinutes;
  const asked = Math.min(command.timeoutSeconds ?? Infinity, maxTimeoutSeconds);
  let refused = Math.ceil(asked / 60) + 1;
  if (taken >= refused || !isTaken(taken)) return [];
  while (refused - taken > 1) {
    const middle = Math.floor((taken + refused) / 2);
    if (isTaken(middle)) taken = middle;
    else refused = middle;
  }
  return [lasting(taken)];
}

function without(command: TrainCommand, key: 'machineType' | 'region'): TrainCommand {
  const { [key]: _, ...rest } = command;
  return rest;
}
