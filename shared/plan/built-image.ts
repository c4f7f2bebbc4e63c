/** `$IMAGE` in a job: the image that the run builds, whose name is known only when it is built. */
import type { CustomJobSpec, WorkerPoolSpec } from '../config/job-spec.ts';
import { imagePlaceholder } from './plan.ts';

const placeholders = new RegExp(`\\${imagePlaceholder}\\b`, 'g');

/** True when something in the pools stands for the image: as what runs, or in an argument or a variable. */
export function namesBuiltImage(pools: readonly WorkerPoolSpec[]): boolean {
  return JSON.stringify(pools).search(placeholders) >= 0;
}

/** @param image `name@sha256:…` */
export function withBuiltImage(spec: CustomJobSpec, image: string): CustomJobSpec {
  const fill = (_key: string, value: unknown): unknown =>
    typeof value === 'string' ? value.replaceAll(placeholders, () => image) : value;
  const pools = JSON.stringify(spec.workerPoolSpecs, fill);
  return { ...spec, workerPoolSpecs: JSON.parse(pools) as readonly WorkerPoolSpec[] };
}
