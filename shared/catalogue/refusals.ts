/** Why a machine cannot be had, in words: what was asked for in, a Refusal with valid choices out. */
import { quoteToken } from '../command/quote-token.ts';
import { reject, type Refusal } from '../policy/decision.ts';
import { nearest } from '../units.ts';
import type { Gpu, MachineType } from './catalogue.ts';
import type { MachineRequest } from './choose-machine.ts';
import { usdPerHour } from './estimate.ts';
import { gpuOf, plainGpuName } from './find-gpu.ts';
import { gpus, machineTypes, retiredGpus, tpuNames } from './machines.ts';
import { trainingRegions } from './regions.ts';

export function unknownGpu(typed: string, request: MachineRequest): Refusal {
  if (tpuNames.test(typed)) return tpu(typed, request);
  const name = plainGpuName(typed);
  const names = gpus.map((gpu) => gpu.name);
  const retired = Object.hasOwn(retiredGpus, name) ? retiredGpus[name] : undefined;
  const near = nearest(name, names);
  const all = `The GPUs are ${names.join(', ')}.`;
  if (retired !== undefined) {
    return reject(
      'unknown_gpu',
      `\`${name}\` ${retired} on Vertex AI.`,
      `T4 is the nearest small one: ${askFor('T4', 1, request)}. ${all}`,
    );
  }
  return reject(
    'unknown_gpu',
    `There is no GPU ${quoteToken(typed)}.`,
    near === undefined ? all : `Did you mean ${askFor(near, 1, request)}? ${all}`,
  );
}

export function tpu(typed: string, request: MachineRequest): Refusal {
  return reject(
    'unknown_machine',
    `${quoteToken(typed)} is a TPU, and Trainyard runs CPU and GPU machines only.`,
    `Choose a GPU, such as ${askFor('L4', 1, request)}.${orAllow(request)}`,
  );
}

export function unknownMachine(typed: string, request: MachineRequest): Refusal {
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
    `${near === undefined ? '' : `Did you mean ${askForMachine(near, request)}? `}Machines are ${choices.join(', ')} …${orAllow(request)}`,
  );
}

export function comesWithGpu(
  machine: MachineType,
  acceleratorType: string,
  count: number,
  cpuMachine: string,
  request: MachineRequest,
): Refusal {
  const gpu = gpuOf(acceleratorType)?.name ?? acceleratorType;
  const inFile = `\`acceleratorType: ${acceleratorType}\` and \`acceleratorCount: ${count}\``;
  const fix =
    request.audience === 'workflow'
      ? `Add ${inFile} to the job config, or choose a machine without one, such as \`${cpuMachine}\`.`
      : `Ask for it (${askFor(gpu, count, request)}), or choose a machine without one, such as ${askForMachine(cpuMachine, request)}.`;
  return reject(
    'machine_gpu_mismatch',
    `\`${machine.name}\` always comes with ${count} × ${gpu}.`,
    fix,
  );
}

export function mismatch(
  gpu: Gpu,
  count: number,
  machine: MachineType,
  request: MachineRequest,
): Refusal {
  const counts = machine.accelerators[gpu.acceleratorType];
  if (counts !== undefined) return badCountOf(gpu, count, counts, machine, request);
  const [lowest = 1] = Object.keys(gpu.defaultMachine).map(Number);
  const fittingCount = gpu.defaultMachine[count] === undefined ? lowest : count;
  const pick = gpu.defaultMachine[fittingCount] ?? '';
  const subject =
    request.gpu === undefined ? `The job config's ${gpu.name}` : askFor(gpu.name, count, request);
  const price = usdPerHour(
    { machineType: pick, acceleratorType: gpu.acceleratorType, acceleratorCount: fittingCount },
    request.rates,
  );
  const estimate = price === undefined ? '' : ` (est. $${price.toFixed(2)}/h)`;
  const command =
    request.audience === 'workflow'
      ? askFor(gpu.name, fittingCount, request)
      : `\`/train ${askFor(gpu.name, fittingCount, request).slice(1)}`;
  return reject(
    'machine_gpu_mismatch',
    `${subject} cannot be attached to \`${machine.name}\`. ${gpu.name} comes with ${pick.split('-')[0] ?? ''} machines.`,
    `${command} alone picks ${pick}${estimate}. \`${machine.name}\` takes ${takenBy(machine)}.${orAllow(request)}`,
  );
}

function takenBy({ accelerators }: MachineType): string {
  const all = Object.entries(accelerators).map(
    ([type, counts]) => `${listOf(counts)} × ${gpuOf(type)?.name ?? type}`,
  );
  return all.length === 0 ? 'no GPU' : all.join(', ');
}

function listOf(counts: readonly number[]): string {
  return counts.join(counts.length === 2 ? ' or ' : '/');
}

function badCountOf(
  gpu: Gpu,
  count: number,
  counts: readonly number[],
  machine: MachineType,
  request: MachineRequest,
): Refusal {
  const near = nearestCount(counts, count);
  const inFile = request.gpu === undefined && request.audience === 'workflow';
  const larger = gpu.defaultMachine[count];
  const other = larger === undefined ? 'another machine' : `a machine such as \`${larger}\``;
  return reject(
    'gpu_count_invalid',
    `\`${machine.name}\` takes ${counts.join(', ')} × ${gpu.name}, not ${count}.`,
    inFile
      ? `Write \`acceleratorCount: ${near}\` in the job config, or choose ${other}.${orAllow(request)}`
      : `Write ${askFor(gpu.name, near, request)}, or leave the machine out.`,
  );
}

export function badCount(gpu: Gpu, count: number, request: MachineRequest): Refusal {
  const counts = Object.keys(gpu.defaultMachine).map(Number);
  return reject(
    'gpu_count_invalid',
    `${gpu.name} comes in counts of ${counts.join(', ')}, not ${count}.`,
    `Write ${askFor(gpu.name, nearestCount(counts, count), request)}.`,
  );
}

function nearestCount(counts: readonly number[], wanted: number): number {
  return counts.reduce((best, count) =>
    Math.abs(count - wanted) < Math.abs(best - wanted) ? count : best,
  );
}

export function notInRegion(
  what: string,
  region: string,
  offered: readonly string[],
  request: MachineRequest,
): Refusal {
  const { regions } = request;
  const known = offered.filter((one) => trainingRegions.includes(one));
  const allowed = regions === undefined ? known : offered.filter((one) => regions.includes(one));
  const list = (names: readonly string[]): string =>
    names
      .slice(0, 8)
      .map((name) => `\`${name}\``)
      .join(', ') + (names.length > 8 ? ' …' : '');
  const choices =
    allowed.length > 0
      ? `Regions that have it: ${list(allowed)}.`
      : `No region that this repository may use has it; it is in ${list(known)}.`;
  const message = `${what} is not offered in ${quoteToken(region)}.`;
  return reject('region_not_allowed', message, choices + orAllow(request));
}

/** A GPU as it is asked for: `gpu=T4:2` in a comment, `gpu: T4:2` in a workflow. */
function askFor(gpu: string, count: number, { audience }: MachineRequest): string {
  const value = count === 1 ? gpu : `${gpu}:${count}`;
  return audience === 'workflow' ? `\`gpu: ${value}\`` : `\`gpu=${value}\``;
}

function askForMachine(machine: string, { audience }: MachineRequest): string {
  return audience === 'workflow' ? `\`${machine}\`` : `\`machine=${machine}\``;
}

/** Only the author of a workflow can say that a machine is right all the same. */
function orAllow({ audience }: MachineRequest): string {
  return audience === 'workflow'
    ? ' If it is right all the same, set `allow_unknown_machines: true`.'
    : '';
}
