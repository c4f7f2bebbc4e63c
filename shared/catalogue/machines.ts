/**
 * The machines that Vertex AI trains on, what can be attached to them, and what an hour costs. Data only.
 *
 * Machines and accelerators: read 2026-11-23.
 * @see https://cloud.google.com/vertex-ai/docs/training/configure-compute
 * Prices: Compute Engine on demand, us-central1, US dollars, as of `pricesAsOf`. Vertex AI adds a management
 * fee, and other regions cost more; neither is in them. g2-standard-8, g2-standard-96, a2-highgpu-1g and
 * n1-highmem-16 are list prices (the unit prices of N1 give the last one exactly); the other g2 and a2
 * sizes follow from them by linearity. T4, P4 and V100 are the list prices of attached GPUs.
 * @see https://cloud.google.com/compute/all-pricing
 * @see https://cloud.google.com/compute/gpus-pricing
 */
import type { Gpu, MachineType } from './catalogue.ts';

export const pricesAsOf = '2025-03-06';

/** Dollars an hour for one of each. Accelerators that are missing here have no known price. */
export const acceleratorUsdPerHour: Readonly<Record<string, number>> = {
  NVIDIA_TESLA_T4: 0.35,
  NVIDIA_TESLA_P4: 0.6,
  NVIDIA_TESLA_V100: 2.48,
};

/** Dollars a month for a GB of boot disk. @see https://cloud.google.com/compute/disks-image-pricing */
export const diskUsdPerGbMonth: Readonly<Record<string, number>> = {
  'pd-ssd': 0.17,
  'pd-standard': 0.04,
};
export const hoursPerMonth = 730;

/** Dollars an hour for a vCPU and for a GB of memory, by family. */
const unitPrices: Readonly<Record<string, readonly [vcpu: number, gb: number]>> = {
  n1: [0.031611, 0.004237],
  n2: [0.031611, 0.004237],
  e2: [0.021811, 0.002923],
  c2: [0.03398, 0.00455],
};

/** Whole machines with built-in accelerators, dollars an hour. */
const machinePrices: Readonly<Record<string, number>> = {
  'g2-standard-4': 0.7068,
  'g2-standard-8': 0.853624,
  'g2-standard-12': 1.000416,
  'g2-standard-16': 1.147208,
  'g2-standard-24': 2.000832,
  'g2-standard-32': 1.734376,
  'g2-standard-48': 4.001665,
  'g2-standard-96': 8.00333,
  'a2-highgpu-1g': 3.673385,
  'a2-highgpu-2g': 7.34677,
  'a2-highgpu-4g': 14.69354,
  'a2-highgpu-8g': 29.38708,
};

/** The on-demand price of a machine without attached accelerators; undefined when it is not known. */
export function machineUsdPerHour(machine: MachineType): number | undefined {
  const whole = machinePrices[machine.name];
  if (whole !== undefined) return whole;
  const unit = unitPrices[machine.name.split('-')[0] ?? ''];
  return unit === undefined ? undefined : machine.vcpus * unit[0] + machine.memoryGb * unit[1];
}

const t4Like = ['NVIDIA_TESLA_T4', 'NVIDIA_TESLA_P4'];

/** An N1 machine with the counts of small accelerators (T4, P4) and of V100 that it takes. */
function n1(
  kind: string,
  vcpus: number,
  gbPerVcpu: number,
  small: readonly number[],
  v100: readonly number[],
): MachineType {
  const accelerators = Object.fromEntries([
    ...t4Like.map((name) => [name, small] as const),
    ['NVIDIA_TESLA_V100', v100] as const,
  ]);
  return {
    name: `n1-${kind}-${vcpus}`,
    vcpus,
    memoryGb: vcpus * gbPerVcpu,
    accelerators,
    acceleratorRequired: false,
  };
}

function n1Family(kind: string, gbPerVcpu: number, sizes: readonly number[]): MachineType[] {
  return sizes.map((vcpus) => {
    if (vcpus <= 8) return n1(kind, vcpus, gbPerVcpu, [1, 2, 4], [1, 2, 4, 8]);
    if (vcpus === 16) return n1(kind, vcpus, gbPerVcpu, [1, 2, 4], [2, 4, 8]);
    if (vcpus === 32) return n1(kind, vcpus, gbPerVcpu, [2, 4], [4, 8]);
    return n1(kind, vcpus, gbPerVcpu, [4], [8]);
  });
}

function cpuFamily(prefix: string, gbPerVcpu: number, sizes: readonly number[]): MachineType[] {
  return sizes.map((vcpus) => ({
    name: `${prefix}-${vcpus}`,
    vcpus,
    memoryGb: vcpus * gbPerVcpu,
    accelerators: {},
    acceleratorRequired: false,
  }));
}

/** A machine whose accelerators are built in. */
function builtIn(
  name: string,
  vcpus: number,
  memoryGb: number,
  accelerator: string,
  count: number,
): MachineType {
  return {
    name,
    vcpus,
    memoryGb,
    accelerators: { [accelerator]: [count] },
    acceleratorRequired: true,
  };
}

export const machineTypes: readonly MachineType[] = [
  ...n1Family('standard', 3.75, [4, 8, 16, 32, 64, 96]),
  ...n1Family('highmem', 6.5, [2, 4, 8, 16, 32, 64, 96]),
  ...n1Family('highcpu', 0.9, [16, 32, 64, 96]),
  ...cpuFamily('e2-standard', 4, [4, 8, 16, 32]),
  ...cpuFamily('e2-highmem', 8, [2, 4, 8, 16]),
  ...cpuFamily('e2-highcpu', 1, [16, 32]),
  ...cpuFamily('n2-standard', 4, [4, 8, 16, 32, 48, 64, 80]),
  ...cpuFamily('n2-highmem', 8, [2, 4, 8, 16, 32, 48, 64, 80]),
  ...cpuFamily('n2-highcpu', 1, [16, 32, 48, 64, 80]),
  ...cpuFamily('c2-standard', 4, [4, 8, 16, 30, 60]),
  ...[4, 8, 12, 16, 32].map((n) => builtIn(`g2-standard-${n}`, n, 4 * n, 'NVIDIA_L4', 1)),
  builtIn('g2-standard-24', 24, 96, 'NVIDIA_L4', 2),
  builtIn('g2-standard-48', 48, 192, 'NVIDIA_L4', 4),
  builtIn('g2-standard-96', 96, 384, 'NVIDIA_L4', 8),
  ...[1, 2, 4, 8].map((n) => builtIn(`a2-highgpu-${n}g`, 12 * n, 85 * n, 'NVIDIA_TESLA_A100', n)),
  builtIn('a2-megagpu-16g', 96, 1360, 'NVIDIA_TESLA_A100', 16),
  ...[1, 2, 4, 8].map((n) => builtIn(`a2-ultragpu-${n}g`, 12 * n, 170 * n, 'NVIDIA_A100_80GB', n)),
  ...[1, 2, 4, 8].map((n) => builtIn(`a3-highgpu-${n}g`, 26 * n, 234 * n, 'NVIDIA_H100_80GB', n)),
  builtIn('a3-megagpu-8g', 208, 1872, 'NVIDIA_H100_MEGA_80GB', 8),
  builtIn('a3-ultragpu-8g', 224, 2952, 'NVIDIA_H200_141GB', 8),
  builtIn('a4-highgpu-8g', 224, 3968, 'NVIDIA_B200', 8),
  ...[1, 2, 4, 8].map((n) =>
    builtIn(`g4-standard-${48 * n}`, 48 * n, 180 * n, 'NVIDIA_RTX_PRO_6000', n),
  ),
];

/** What can be typed after `gpu=`, and the machine that comes with each count. */
export const gpus: readonly Gpu[] = [
  {
    name: 'T4',
    acceleratorType: 'NVIDIA_TESLA_T4',
    defaultMachine: { 1: 'n1-standard-8', 2: 'n1-standard-8', 4: 'n1-standard-16' },
  },
  {
    name: 'L4',
    acceleratorType: 'NVIDIA_L4',
    defaultMachine: {
      1: 'g2-standard-8',
      2: 'g2-standard-24',
      4: 'g2-standard-48',
      8: 'g2-standard-96',
    },
  },
  {
    name: 'P4',
    acceleratorType: 'NVIDIA_TESLA_P4',
    defaultMachine: { 1: 'n1-standard-8', 2: 'n1-standard-8', 4: 'n1-standard-16' },
  },
  {
    name: 'V100',
    acceleratorType: 'NVIDIA_TESLA_V100',
    defaultMachine: {
      1: 'n1-standard-8',
      2: 'n1-standard-16',
      4: 'n1-standard-32',
      8: 'n1-standard-64',
    },
  },
  {
    name: 'A100',
    acceleratorType: 'NVIDIA_TESLA_A100',
    defaultMachine: {
      1: 'a2-highgpu-1g',
      2: 'a2-highgpu-2g',
      4: 'a2-highgpu-4g',
      8: 'a2-highgpu-8g',
      16: 'a2-megagpu-16g',
    },
  },
  {
    name: 'A100-80GB',
    acceleratorType: 'NVIDIA_A100_80GB',
    defaultMachine: {
      1: 'a2-ultragpu-1g',
      2: 'a2-ultragpu-2g',
      4: 'a2-ultragpu-4g',
      8: 'a2-ultragpu-8g',
    },
  },
  {
    name: 'H100',
    acceleratorType: 'NVIDIA_H100_80GB',
    defaultMachine: {
      1: 'a3-highgpu-1g',
      2: 'a3-highgpu-2g',
      4: 'a3-highgpu-4g',
      8: 'a3-highgpu-8g',
    },
  },
  {
    name: 'H100-MEGA',
    acceleratorType: 'NVIDIA_H100_MEGA_80GB',
    defaultMachine: { 8: 'a3-megagpu-8g' },
  },
  { name: 'H200', acceleratorType: 'NVIDIA_H200_141GB', defaultMachine: { 8: 'a3-ultragpu-8g' } },
  { name: 'B200', acceleratorType: 'NVIDIA_B200', defaultMachine: { 8: 'a4-highgpu-8g' } },
  {
    name: 'RTX-PRO-6000',
    acceleratorType: 'NVIDIA_RTX_PRO_6000',
    defaultMachine: {
      1: 'g4-standard-48',
      2: 'g4-standard-96',
      4: 'g4-standard-192',
      8: 'g4-standard-384',
    },
  },
];

/** GPUs that people still ask for and Vertex AI no longer has. */
export const retiredGpus: Readonly<Record<string, string>> = {
  K80: 'has been retired',
  P100: 'has been out of support since 2026-09-15',
};
