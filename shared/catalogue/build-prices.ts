/**
 * What a minute of Cloud Build costs: the machine that builds in, US dollars out. The free minutes of a billing
 * account are not assumed, since they may be used up by others.
 * @see https://cloud.google.com/build/pricing
 */
import type { Rates } from './catalogue.ts';
import { diskUsdPerGbMonth, hoursPerMonth } from './prices.ts';
import { regionPriceFactors, unknownRegionPriceFactor } from './regions.ts';

/** As of 2025-08-25, when Google's page was last changed. Of the default pool, in every region. Queued builds cost nothing; seconds count, not whole minutes. */
const usdPerMinute: Readonly<Record<string, number>> = {
  E2_MEDIUM: 0.003,
  E2_STANDARD_2: 0.006,
  E2_HIGHCPU_8: 0.016,
  E2_HIGHCPU_32: 0.064,
  N1_HIGHCPU_8: 0.016,
  N1_HIGHCPU_32: 0.064,
};

/** What a build gets that names no machine. */
const defaultMachine = 'E2_STANDARD_2';

/** Stands in `prices` for the machines of private pools, whose type a build does not say. */
const privatePool = 'PRIVATE_POOL';

/** What `prices` may name besides machines and GPUs of jobs. */
export const buildMachines: readonly string[] = [...Object.keys(usdPerMinute), privatePool];

/** Disk that is in the price; more is charged by the region, at most so much. */
const freeDiskGb = 100;
const diskUsdPerGbHour =
  ((diskUsdPerGbMonth['pd-ssd'] ?? 0) *
    Math.max(unknownRegionPriceFactor, ...Object.values(regionPriceFactors))) /
  hoursPerMonth;

/** What a build runs on, as far as its price goes. */
export interface BuildMachine {
  /** Cloud Build's machine type; undefined: its default. */
  readonly machineType?: string;
  readonly diskSizeGb?: number;
  readonly isPrivatePool?: boolean;
}

/** Dollars an hour; undefined when the price is not known. */
export function buildUsdPerHour(
  { machineType, diskSizeGb = 0, isPrivatePool = false }: BuildMachine,
  { prices = {} }: Rates = {},
): number | undefined {
  const named =
    machineType === undefined || machineType === '' || machineType === 'UNSPECIFIED'
      ? defaultMachine
      : machineType;
  const name = isPrivatePool ? privatePool : named;
  const list = Object.hasOwn(usdPerMinute, name) ? (usdPerMinute[name] ?? 0) * 60 : undefined;
  const machine = Object.hasOwn(prices, name) ? prices[name] : list;
  // A private pool's disks are the pool's own.
  const extraGb = isPrivatePool ? 0 : Math.max(0, diskSizeGb - freeDiskGb);
  return machine === undefined ? undefined : machine + extraGb * diskUsdPerGbHour;
}

/** The dearest that is known: for what must be counted though nobody knows its price. */
export const dearestBuildUsdPerHour = Math.max(...Object.values(usdPerMinute)) * 60;
