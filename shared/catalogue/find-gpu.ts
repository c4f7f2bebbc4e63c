/** GPUs by the names that people give them: a text in, the catalogue's entry out. */
import type { Gpu } from './catalogue.ts';
import { gpus } from './machines.ts';

/** By the short name or the API's, however it is cased or dashed: `t4`, `NVIDIA_TESLA_T4`, `nvidia-l4`. */
export function findGpu(typed: string): Gpu | undefined {
  const plain = plainGpuName(typed);
  return gpus.find(
    ({ name, acceleratorType }) => name === plain || plainGpuName(acceleratorType) === plain,
  );
}

export function gpuOf(acceleratorType: string | undefined): Gpu | undefined {
  return gpus.find((gpu) => gpu.acceleratorType === acceleratorType);
}

export function plainGpuName(typed: string): string {
  return typed
    .toUpperCase()
    .replaceAll('_', '-')
    .replace(/^NVIDIA-(TESLA-)?/, '');
}
