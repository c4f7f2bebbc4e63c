/** Which machine a run gets: what was asked for and what the job config says in, a valid choice or a Refusal out. */
import type { GpuRequest } from '../command/command.ts';
import type { MachineSpec } from '../config/job-spec.ts';
import type { RefusalReason } from '../errors.ts';
import type { Refusal } from '../policy/decision.ts';
import { nearest } from '../units.ts';
import type { Gpu, MachineChoice, MachineType } from './catalogue.ts';
import { usdPerHour } from './estimate.ts';
import { gpus, machineTypes, retiredGpus } from './machines.ts';

export interface MachineRequest {
  /** From the command or an input. */
  readonly gpu?: GpuRequest;
  /** From the command or an input. */
  readonly machineType?: string;
  /** From the job config. */
  readonly configured?: MachineSpec;
}

export type MachineAnswer =
  | { readonly kind: 'chosen'; readonly machine: MachineChoice; readonly notes: readonly string[] }
  | Refusal;

export function chooseMachine(request: MachineRequest): MachineAnswer {
  const wanted = wantedGpu(request);
  if ('kind' in wanted) return wanted;
  const { gpu, count } = wanted;
  const named = request.machineType ?? request.configured?.machineType;
  const asked = request.machineType !== undefined;
  const machine = named === undefined ? undefined : machineTypes.find(({ name }) => name === named);
  if (named !== undefined && machine === undefined && (asked || gpu === undefined))
    return unknownMachine(named);
  if (gpu === undefined) return chooseWithoutGpu(machine, asked);
  if (machine !== undefined) {
    const counts = machine.accelerators[gpu.acceleratorType];
    if (counts?.includes(count) === true) return chosen(machine.name, gpu, count, []);
    // A machine that somebody asked for by name is not exchanged behind their back.
    if (asked || request.gpu === undefined) return mismatch(gpu, count, machine);
  }
  const fitting = gpu.defaultMachine[count];
  if (fitting === undefined) return badCount(gpu, count);
  const notes =
    machine === undefined
      ? []
      : [
          `\`${machine.name}\` of the job config cannot take ${count} × ${gpu.name}; the run uses \`${fitting}\`.`,
        ];
  return chosen(fitting, gpu, count, notes);
}

/** `1 × T4 (n1-standard-8)`, or the machine alone. */
export function describeMachine(machine: MachineChoice): string {
  const gpu = gpus.find(({ acceleratorType }) => acceleratorType === machine.acceleratorType);
  if (machine.acceleratorType === undefined) return machine.machineType;
  return `${machine.acceleratorCount ?? 1} × ${gpu?.name ?? machine.acceleratorType} (${machine.machineType})`;
}

function wantedGpu(request: MachineRequest): { gpu: Gpu | undefined; count: number } | Refusal {
  if (request.gpu?.kind === 'none') return { gpu: undefined, count: 0 };
  if (request.gpu !== undefined) {
    const { name, count } = request.gpu;
    const gpu = gpus.find((one) => one.name === name.toUpperCase());
    return gpu === undefined ? unknownGpu(name) : { gpu, count };
  }
  const type = request.configured?.acceleratorType;
  if (type === undefined || type === 'ACCELERATOR_TYPE_UNSPECIFIED')
    return { gpu: undefined, count: 0 };
  const gpu = gpus.find(({ acceleratorType }) => acceleratorType === type);
  // gcloud sends a count of one when the file names a type and no count.
  return gpu === undefined
    ? unknownGpu(type)
    : { gpu, count: request.configured?.acceleratorCount ?? 1 };
}

function chosen(
  machineType: string,
  gpu: Gpu,
  count: number,
  notes: readonly string[],
): MachineAnswer {
  return {
    kind: 'chosen',
    machine: { machineType, acceleratorType: gpu.acceleratorType, acceleratorCount: count },
    notes,
  };
}

/** Small, cheap, and enough for a first run. */
const defaultCpuMachine = 'n1-standard-4';

function chooseWithoutGpu(machine: MachineType | undefined, asked: boolean): MachineAnswer {
  if (machine?.acceleratorRequired !== true) {
    return {
      kind: 'chosen',
      machine: { machineType: machine?.name ?? defaultCpuMachine },
      notes: [],
    };
  }
  const [acceleratorType = '', counts = [1]] = Object.entries(machine.accelerators)[0] ?? [];
  const gpu = gpus.find((one) => one.acceleratorType === acceleratorType);
  if (asked && gpu !== undefined) return chosen(machine.name, gpu, counts[0] ?? 1, []);
  return reject(
    'machine_gpu_mismatch',
    `\`${machine.name}\` always comes with ${counts[0] ?? 1} × ${gpu?.name ?? acceleratorType}.`,
    `Ask for it (\`gpu=${gpu?.name ?? acceleratorType}\`), or choose a machine without one, such as \`machine=${defaultCpuMachine}\`.`,
  );
}

function mismatch(gpu: Gpu, count: number, machine: MachineType): Refusal {
  const counts = machine.accelerators[gpu.acceleratorType];
  if (counts !== undefined) {
    return reject(
      'gpu_count_invalid',
      `\`${machine.name}\` takes ${counts.join(', ')} × ${gpu.name}, not ${count}.`,
      `Write \`gpu=${gpu.name}:${nearestCount(counts, count)}\`, or leave the machine out.`,
    );
  }
  const first = Object.values(gpu.defaultMachine)[0] ?? '';
  const pick = gpu.defaultMachine[count] ?? first;
  const price = usdPerHour({
    machineType: pick,
    acceleratorType: gpu.acceleratorType,
    acceleratorCount: count,
  });
  const estimate = price === undefined ? '' : ` (est. $${price.toFixed(2)}/h)`;
  return reject(
    'machine_gpu_mismatch',
    `\`gpu=${gpu.name}\` cannot be attached to \`${machine.name}\`. ${gpu.name} comes with ${pick.split('-')[0] ?? ''} machines.`,
    `\`/train gpu=${gpu.name}\` alone picks ${pick}${estimate}.`,
  );
}

function badCount(gpu: Gpu, count: number): Refusal {
  const counts = Object.keys(gpu.defaultMachine).map(Number);
  return reject(
    'gpu_count_invalid',
    `${gpu.name} comes in counts of ${counts.join(', ')}, not ${count}.`,
    `Write \`gpu=${gpu.name}:${nearestCount(counts, count)}\`.`,
  );
}

function nearestCount(counts: readonly number[], wanted: number): number {
  return counts.reduce((best, count) =>
    Math.abs(count - wanted) < Math.abs(best - wanted) ? count : best,
  );
}

function unknownGpu(typed: string): Refusal {
  const name = typed.toUpperCase().replace(/^NVIDIA_(TESLA_)?/, '');
  const names = gpus.map((gpu) => gpu.name);
  const retired = retiredGpus[name];
  const near = nearest(name, names);
  const all = `The GPUs are ${names.join(', ')}.`;
  if (retired !== undefined) {
    return reject(
      'unknown_gpu',
      `\`${name}\` ${retired} on Vertex AI.`,
      `T4 is the nearest small one: \`gpu=T4\`. ${all}`,
    );
  }
  const shown = typed.replaceAll(/[^A-Za-z0-9_-]/g, '?').slice(0, 40);
  return reject(
    'unknown_gpu',
    `There is no GPU \`${shown}\`.`,
    near === undefined ? all : `Did you mean \`gpu=${near}\`? ${all}`,
  );
}

function unknownMachine(typed: string): Refusal {
  const names = machineTypes.map(({ name }) => name);
  const near = nearest(typed, names);
  const family = names.filter((name) => name.split('-')[0] === typed.split('-')[0]);
  const shown = typed.replaceAll(/[^A-Za-z0-9_-]/g, '?').slice(0, 40);
  const choices = (
    family.length > 0
      ? family
      : ['n1-standard-4', 'n1-standard-8', 'g2-standard-8', 'a2-highgpu-1g']
  ).slice(0, 8);
  return reject(
    'unknown_machine',
    `Vertex AI does not train on \`${shown}\`.`,
    `${near === undefined ? '' : `Did you mean \`machine=${near}\`? `}Machines are ${choices.join(', ')} …`,
  );
}

function reject(reason: RefusalReason, message: string, fix: string): Refusal {
  return { kind: 'rejected', reason, message, fix };
}
