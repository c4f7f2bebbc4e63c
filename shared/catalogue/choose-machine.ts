/** Which machine a run gets: what was asked for and what the job config says in, a valid choice or a Refusal out. */
import type { GpuRequest } from '../command/command.ts';
import { quoteToken } from '../command/quote-token.ts';
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

/**
 * The command beats the job config. A machine of the config that cannot take the GPU of the command is
 * exchanged, with a note; a machine that somebody asked for by name never is.
 */
export function chooseMachine(request: MachineRequest): MachineAnswer {
  const { machineType: asked, configured } = request;
  const wanted = wantedGpu(request);
  if ('kind' in wanted) return wanted;
  const { gpu, count } = wanted;
  const named = asked ?? configured?.machineType;
  const machine = machineTypes.find(({ name }) => name === named);
  const isExchangeable = asked === undefined && request.gpu?.kind === 'gpu';
  if (named !== undefined && machine === undefined && !isExchangeable) return unknownMachine(named);
  if (gpu === undefined) return chooseWithoutGpu(machine, asked !== undefined);
  if (machine !== undefined) {
    if (machine.accelerators[gpu.acceleratorType]?.includes(count) === true)
      return chosen(machine.name, gpu, count, []);
    if (asked !== undefined && request.gpu === undefined && machine.acceleratorRequired)
      return chooseBuiltIn(machine, [
        `\`${machine.name}\` has its own accelerators; the job config's ${gpu.name} is not used.`,
      ]);
    if (!isExchangeable) return mismatch(gpu, count, machine, request);
  }
  const fitting = gpu.defaultMachine[count];
  if (fitting === undefined) return badCount(gpu, count);
  const what = `${count} × ${gpu.name}`;
  const notes =
    named === undefined
      ? []
      : [
          `${quoteToken(named)} of the job config cannot take ${what}; the run uses \`${fitting}\`.`,
        ];
  return chosen(fitting, gpu, count, notes);
}

/** `1 × T4 (n1-standard-8)`, or the machine alone. */
export function describeMachine(machine: MachineChoice): string {
  const gpu = gpus.find(({ acceleratorType }) => acceleratorType === machine.acceleratorType);
  if (machine.acceleratorType === undefined) return machine.machineType;
  return `${machine.acceleratorCount ?? 1} × ${gpu?.name ?? machine.acceleratorType} (${machine.machineType})`;
}

/** True when both the machine and its accelerator, if any, are ones that can be checked here. */
export function isInCatalogue(spec: MachineSpec | undefined): boolean {
  const { machineType, acceleratorType } = spec ?? {};
  return (
    machineTypes.some(({ name }) => name === machineType) &&
    (acceleratorType === undefined || findGpu(acceleratorType) !== undefined)
  );
}

/** By the short name or the API's, however it is cased or dashed: `t4`, `NVIDIA_TESLA_T4`, `nvidia-l4`. */
function findGpu(typed: string): Gpu | undefined {
  const plain = plainGpuName(typed);
  return gpus.find(
    ({ name, acceleratorType }) => name === plain || plainGpuName(acceleratorType) === plain,
  );
}

function plainGpuName(typed: string): string {
  return typed
    .toUpperCase()
    .replaceAll('_', '-')
    .replace(/^NVIDIA-(TESLA-)?/, '');
}

function wantedGpu(request: MachineRequest): { gpu: Gpu | undefined; count: number } | Refusal {
  if (request.gpu?.kind === 'none') return { gpu: undefined, count: 0 };
  if (request.gpu !== undefined) {
    const { name, count } = request.gpu;
    const gpu = findGpu(name);
    return gpu === undefined ? unknownGpu(name) : { gpu, count };
  }
  const type = request.configured?.acceleratorType;
  if (type === undefined || type === 'ACCELERATOR_TYPE_UNSPECIFIED')
    return { gpu: undefined, count: 0 };
  const gpu = findGpu(type);
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
  if (asked) return chooseBuiltIn(machine, []);
  const { gpu, count } = builtInGpu(machine);
  return reject(
    'machine_gpu_mismatch',
    `\`${machine.name}\` always comes with ${count} × ${gpu}.`,
    `Ask for it (\`gpu=${gpu}\`), or choose a machine without one, such as \`machine=${defaultCpuMachine}\`.`,
  );
}

function chooseBuiltIn(machine: MachineType, notes: readonly string[]): MachineAnswer {
  const { acceleratorType, count } = builtInGpu(machine);
  return {
    kind: 'chosen',
    machine: { machineType: machine.name, acceleratorType, acceleratorCount: count },
    notes,
  };
}

function builtInGpu(machine: MachineType): { acceleratorType: string; gpu: string; count: number } {
  const [acceleratorType = '', [count = 1] = []] = Object.entries(machine.accelerators)[0] ?? [];
  const gpu = gpus.find((one) => one.acceleratorType === acceleratorType)?.name ?? acceleratorType;
  return { acceleratorType, gpu, count };
}

function mismatch(gpu: Gpu, count: number, machine: MachineType, request: MachineRequest): Refusal {
  const counts = machine.accelerators[gpu.acceleratorType];
  if (counts !== undefined) {
    return reject(
      'gpu_count_invalid',
      `\`${machine.name}\` takes ${counts.join(', ')} × ${gpu.name}, not ${count}.`,
      `Write \`gpu=${gpu.name}:${nearestCount(counts, count)}\`, or leave the machine out.`,
    );
  }
  const [lowest = 1] = Object.keys(gpu.defaultMachine).map(Number);
  const fittingCount = gpu.defaultMachine[count] === undefined ? lowest : count;
  const pick = gpu.defaultMachine[fittingCount] ?? '';
  const written = `gpu=${gpu.name}${fittingCount === 1 ? '' : `:${fittingCount}`}`;
  const subject =
    request.gpu === undefined
      ? `The job config's ${gpu.name}`
      : `\`gpu=${gpu.name}${count === 1 ? '' : `:${count}`}\``;
  const price = usdPerHour({
    machineType: pick,
    acceleratorType: gpu.acceleratorType,
    acceleratorCount: fittingCount,
  });
  const estimate = price === undefined ? '' : ` (est. $${price.toFixed(2)}/h)`;
  return reject(
    'machine_gpu_mismatch',
    `${subject} cannot be attached to \`${machine.name}\`. ${gpu.name} comes with ${pick.split('-')[0] ?? ''} machines.`,
    `\`/train ${written}\` alone picks ${pick}${estimate}.`,
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
  const name = plainGpuName(typed);
  const names = gpus.map((gpu) => gpu.name);
  const retired = Object.hasOwn(retiredGpus, name) ? retiredGpus[name] : undefined;
  const near = nearest(name, names);
  const all = `The GPUs are ${names.join(', ')}.`;
  if (retired !== undefined) {
    return reject(
      'unknown_gpu',
      `\`${name}\` ${retired} on Vertex AI.`,
      `T4 is the nearest small one: \`gpu=T4\`. ${all}`,
    );
  }
  return reject(
    'unknown_gpu',
    `There is no GPU ${quoteToken(typed)}.`,
    near === undefined ? all : `Did you mean \`gpu=${near}\`? ${all}`,
  );
}

function unknownMachine(typed: string): Refusal {
  const names = machineTypes.map(({ name }) => name);
  const near = nearest(typed, names);
  const family = names.filter((name) => name.split('-')[0] === typed.split('-')[0]);
  const choices = (
    family.length > 0
      ? family
      : ['n1-standard-4', 'n1-standard-8', 'g2-standard-8', 'a2-highgpu-1g']
  ).slice(0, 8);
  return reject(
    'unknown_machine',
    `Vertex AI does not train on ${quoteToken(typed)}.`,
    `${near === undefined ? '' : `Did you mean \`machine=${near}\`? `}Machines are ${choices.join(', ')} …`,
  );
}

function reject(reason: RefusalReason, message: string, fix: string): Refusal {
  return { kind: 'rejected', reason, message, fix };
}
