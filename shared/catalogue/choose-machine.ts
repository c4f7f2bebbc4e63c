/** Which machine a run gets: what was asked for and what the job config says in, a valid choice or a Refusal out. */
import type { GpuRequest } from '../command/command.ts';
import { quoteToken } from '../command/quote-token.ts';
import type { MachineSpec } from '../config/job-spec.ts';
import type { Refusal } from '../policy/decision.ts';
import type { Gpu, MachineChoice, MachineType, Rates } from './catalogue.ts';
import { findGpu, gpuOf } from './find-gpu.ts';
import { machineTypes, tpuNames } from './machines.ts';
import * as refuse from './refusals.ts';
import { regionsOf } from './regions-of.ts';

export interface MachineRequest {
  /** From the command or an input. */
  readonly gpu?: GpuRequest;
  /** From the command or an input. */
  readonly machineType?: string;
  /** From the job config. */
  readonly configured?: MachineSpec;
  /** Where the job is to run; undefined checks no region. */
  readonly region?: string;
  /** The regions that may be proposed instead; undefined proposes all. */
  readonly regions?: readonly string[];
  /** What the catalogue does not know or thinks wrong is sent as it is written, with a note. */
  readonly allowUnknown?: boolean;
  readonly rates?: Rates;
  /** Whom the answer is for: somebody who comments, or the author of a workflow. */
  readonly audience?: 'comment' | 'workflow';
}

type MachineAnswer =
  | { readonly kind: 'chosen'; readonly machine: MachineChoice; readonly notes: readonly string[] }
  | Refusal;

/**
 * The command beats the job config. A machine of the config that cannot take the GPU of the command is
 * exchanged, with a note; a machine that somebody asked for by name never is.
 */
export function chooseMachine(request: MachineRequest): MachineAnswer {
  const answer = inRegion(chooseByCatalogue(request), request);
  if (answer.kind === 'chosen' || request.allowUnknown !== true) return answer;
  const machine = asWritten(request);
  if (machine === undefined) return answer;
  const note = `${answer.message} It is tried all the same, because unknown machines are allowed.`;
  return { kind: 'chosen', machine, notes: [note] };
}

/** `1 × T4 (n1-standard-8)`, or the machine alone. */
export function describeMachine(machine: MachineChoice): string {
  const { machineType, acceleratorType, acceleratorCount = 1 } = machine;
  if (acceleratorType === undefined) return machineType;
  return `${acceleratorCount} × ${gpuOf(acceleratorType)?.name ?? acceleratorType} (${machineType})`;
}

function chooseByCatalogue(request: MachineRequest): MachineAnswer {
  const { machineType: asked, configured } = request;
  const named = asked ?? configured?.machineType;
  const isExchangeable = asked === undefined && request.gpu?.kind === 'gpu';
  if (named !== undefined && tpuNames.test(named) && !isExchangeable)
    return refuse.tpu(named, request);
  const wanted = wantedGpu(request);
  if ('kind' in wanted) return wanted;
  const { gpu, count } = wanted;
  const machine = machineTypes.find(({ name }) => name === named);
  if (named !== undefined && machine === undefined && !isExchangeable)
    return refuse.unknownMachine(named, request);
  if (gpu === undefined) return chooseWithoutGpu(machine, request);
  if (machine !== undefined) {
    if (machine.accelerators[gpu.acceleratorType]?.includes(count) === true)
      return chosen(machine.name, gpu, count, notesOf(machine));
    if (asked !== undefined && request.gpu === undefined && machine.acceleratorRequired)
      return chooseBuiltIn(machine, [
        `\`${machine.name}\` has its own accelerators; the job config's ${gpu.name} is not used.`,
      ]);
    if (!isExchangeable) return refuse.mismatch(gpu, count, machine, request);
  }
  const fitting = machineTypes.find(({ name }) => name === gpu.defaultMachine[count]);
  if (fitting === undefined) return refuse.badCount(gpu, count, request);
  const what = `${count} × ${gpu.name}`;
  const notes = [...notesOf(fitting)];
  if (named !== undefined)
    notes.push(
      `${quoteToken(named)} of the job config cannot take ${what}; the run uses \`${fitting.name}\`.`,
    );
  return chosen(fitting.name, gpu, count, notes);
}

function notesOf({ note }: MachineType): readonly string[] {
  return note === undefined ? [] : [note];
}

function wantedGpu(request: MachineRequest): { gpu: Gpu | undefined; count: number } | Refusal {
  if (request.gpu?.kind === 'none') return { gpu: undefined, count: 0 };
  if (request.gpu !== undefined) {
    const { name, count } = request.gpu;
    const gpu = findGpu(name);
    return gpu === undefined ? refuse.unknownGpu(name, request) : { gpu, count };
  }
  const type = request.configured?.acceleratorType;
  if (type === undefined || type === 'ACCELERATOR_TYPE_UNSPECIFIED')
    return { gpu: undefined, count: 0 };
  const gpu = findGpu(type);
  return gpu === undefined
    ? refuse.unknownGpu(type, request)
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

function chooseWithoutGpu(
  machine: MachineType | undefined,
  request: MachineRequest,
): MachineAnswer {
  if (machine?.acceleratorRequired !== true) {
    const machineType = machine?.name ?? defaultCpuMachine;
    return { kind: 'chosen', machine: { machineType }, notes: [] };
  }
  if (request.machineType !== undefined) return chooseBuiltIn(machine, notesOf(machine));
  const { acceleratorType, count } = builtInGpu(machine);
  return refuse.comesWithGpu(machine, acceleratorType, count, defaultCpuMachine, request);
}

function chooseBuiltIn(machine: MachineType, notes: readonly string[]): MachineAnswer {
  const { acceleratorType, count } = builtInGpu(machine);
  return {
    kind: 'chosen',
    machine: { machineType: machine.name, acceleratorType, acceleratorCount: count },
    notes,
  };
}

function builtInGpu(machine: MachineType): { acceleratorType: string; count: number } {
  const [acceleratorType = '', [count = 1] = []] = Object.entries(machine.accelerators)[0] ?? [];
  return { acceleratorType, count };
}

function inRegion(answer: MachineAnswer, request: MachineRequest): MachineAnswer {
  const { region } = request;
  if (answer.kind === 'rejected' || region === undefined) return answer;
  const offered = regionsOf(answer.machine);
  if (offered === undefined || offered.includes(region)) return answer;
  return refuse.notInRegion(describeMachine(answer.machine), region, offered, request);
}

/** What was asked for, as it is; undefined when that is no machine. */
function asWritten({ gpu, machineType, configured }: MachineRequest): MachineChoice | undefined {
  const named = machineType ?? configured?.machineType;
  if (gpu?.kind === 'gpu') {
    const known = findGpu(gpu.name);
    const machine = named ?? known?.defaultMachine[gpu.count];
    if (known === undefined || machine === undefined) return undefined;
    const { acceleratorType } = known;
    return { machineType: machine, acceleratorType, acceleratorCount: gpu.count };
  }
  if (named === undefined) return undefined;
  const { acceleratorType, acceleratorCount = 1 } = configured ?? {};
  const hasGpu = gpu === undefined && machineType === undefined && acceleratorType !== undefined;
  return hasGpu
    ? { machineType: named, acceleratorType, acceleratorCount }
    : { machineType: named };
}
