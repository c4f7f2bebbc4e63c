/**
 * What an hour costs in us-central1, on demand, in US dollars. Data only; `prices:` in the operator's file
 * puts other values in place of these.
 *
 * Machines and disks: Compute Engine's list prices as of `pricesAsOf`. Machines without GPUs follow exactly
 * from the prices of a vCPU and of a GB of memory.
 * @see https://github.com/Cyclenerd/google-cloud-pricing-cost-calculator (pricing.yml)
 * @see https://cloud.google.com/compute/all-pricing
 * Attached GPUs:
 * @see https://cloud.google.com/compute/gpus-pricing
 */

export const pricesAsOf = '2026-07-16';

/**
 * Vertex AI's management fee, as a factor: its list has n1-standard-4 at 0.21849885 where Compute Engine has
 * 0.189999. Machines with built-in GPUs have been seen at up to 1.2.
 * @see https://cloud.google.com/vertex-ai/pricing#custom-trained_models
 */
export const vertexFactor = 1.15;
export const vertexFactorBuiltIn = 1.2;

/** One of each, attached to an N1 machine. */
export const acceleratorUsdPerHour: Readonly<Record<string, number>> = {
  NVIDIA_TESLA_T4: 0.35,
  NVIDIA_TESLA_P4: 0.6,
  NVIDIA_TESLA_V100: 2.48,
};

/** A GB of boot disk for a month. @see https://cloud.google.com/compute/disks-image-pricing */
export const diskUsdPerGbMonth: Readonly<Record<string, number>> = {
  'pd-ssd': 0.17,
  'pd-standard': 0.04,
};
export const hoursPerMonth = 730;

/** A vCPU and a GB of memory, by family. */
export const unitUsdPerHour: Readonly<Record<string, readonly [vcpu: number, gb: number]>> = {
  n1: [0.031611, 0.004237],
  n2: [0.031611, 0.004237],
  n4: [0.03119, 0.00354],
  e2: [0.02181159, 0.00292353],
  c2: [0.03398, 0.0045555],
};

/**
 * Whole machines; those with GPUs include them. a3-megagpu-8g has no price in us-central1: its price in
 * us-east5 bounds those of all regions once their factors are applied. a3-ultragpu, a4 and a4x have no
 * public list price.
 */
export const machineUsdPerHour: Readonly<Record<string, number>> = {
  'g2-standard-4': 0.706832,
  'g2-standard-8': 0.853624,
  'g2-standard-12': 1.000416,
  'g2-standard-16': 1.147208,
  'g2-standard-24': 2.000833,
  'g2-standard-32': 1.734376,
  'g2-standard-48': 4.001665,
  'g2-standard-96': 8.00333,
  'g4-standard-48': 4.49993,
  'g4-standard-96': 8.99986,
  'g4-standard-192': 17.99972,
  'g4-standard-384': 35.99944,
  'a2-highgpu-1g': 3.673385,
  'a2-highgpu-2g': 7.34677,
  'a2-highgpu-4g': 14.69354,
  'a2-highgpu-8g': 29.38708,
  'a2-megagpu-16g': 55.739504,
  'a2-ultragpu-1g': 5.068798,
  'a2-ultragpu-2g': 10.137596,
  'a2-ultragpu-4g': 20.275192,
  'a2-ultragpu-8g': 40.550383,
  'a3-highgpu-1g': 11.06125,
  'a3-highgpu-2g': 22.1225,
  'a3-highgpu-4g': 44.245,
  'a3-highgpu-8g': 88.49,
  'a3-megagpu-8g': 94.066641,
  'm1-ultramem-40': 6.2931,
  'm1-ultramem-80': 12.5862,
  'm1-ultramem-160': 25.1724,
  'm1-megamem-96': 10.65216,
};
