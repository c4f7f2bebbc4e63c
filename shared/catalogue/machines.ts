/**
 * The machines that Vertex AI trains on and what can be attached to them, read 2026-11-23. Data only.
 * @see https://cloud.google.com/vertex-ai/docs/training/configure-compute
 */
import type { Gpu, MachineType } from './catalogue.ts';

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
  ...cpuFamily('n4-standard', 4, [2, 4, 8, 16, 32, 48, 64, 80]),
  ...cpuFamily('n4-highmem', 8, [2, 4, 8, 16, 32, 48, 64, 80]),
  ...cpuFamily('n4-highcpu', 2, [2, 4, 8, 16, 32, 48, 64, 80]),
  ...cpuFamily('c2-standard', 4, [4, 8, 16, 30, 60]),
  ...cpuFamily('m1-ultramem', 24.025, [40, 80, 160]),
  ...cpuFamily('m1-megamem', 14.933, [96]),
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
  {
    ...builtIn('a4x-highgpu-4g', 140, 884, 'NVIDIA_GB200', 4),
    note: '`a4x-highgpu-4g` is only to be had with a reservation (`reservationAffinity`).',
  },
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
  { name: 'GB200', acceleratorType: 'NVIDIA_GB200', defaultMachine: { 4: 'a4x-highgpu-4g' } },
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

/** Machines and accelerators that are TPUs, which Trainyard does not handle. */
export const tpuNames = /^(?:cloud-tpu$|ct\d|tpu(?:[\d_-]|$))/i;
