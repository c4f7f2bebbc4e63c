/** What a choice of machines costs, from the catalogue's prices. Estimates, and called so wherever they are shown. */
import type { Estimate, MachineChoice } from './catalogue.ts';
import {
  acceleratorUsdPerHour,
  diskUsdPerGbMonth,
  hoursPerMonth,
  machineTypes,
  machineUsdPerHour,
  pricesAsOf,
} from './machines.ts';

/** One worker pool as far as its price goes. */
export interface PricedPool {
  readonly machine: MachineChoice;
  readonly replicas: number;
  /** The boot disk, when it is not the default one. */
  readonly disk?: { readonly type?: string; readonly sizeGb?: number };
}

/** The default boot disk of a replica. @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/DiskSpec */
const defaultDisk = { type: 'pd-ssd', sizeGb: 100 };

/** Dollars an hour for one replica without its disk, on demand; undefined when a part's price is not known. */
export function usdPerHour(choice: MachineChoice): number | undefined {
  const machine = machineTypes.find(({ name }) => name === choice.machineType);
  const base = machine === undefined ? undefined : machineUsdPerHour(machine);
  if (machine === undefined || base === undefined) return undefined;
  // The price of a machine with built-in accelerators has them in it.
  if (machine.acceleratorRequired || choice.acceleratorType === undefined) return base;
  const each = acceleratorUsdPerHour[choice.acceleratorType];
  return each === undefined ? undefined : base + each * (choice.acceleratorCount ?? 1);
}

/**
 * Dollars an hour for what a boot disk has beyond the default one, whose price is below the precision of
 * an estimate; undefined for a type of unknown price. A disk may be 64 TB, so it cannot be left out.
 */
function extraDiskUsdPerHour(disk: PricedPool['disk']): number | undefined {
  if (disk === undefined) return 0;
  const price = diskUsdPerGbMonth[disk.type ?? defaultDisk.type];
  const extraGb = Math.max(0, (disk.sizeGb ?? defaultDisk.sizeGb) - defaultDisk.sizeGb);
  return price === undefined ? undefined : (price * extraGb) / hoursPerMonth;
}

/** The estimate of all pools for at most `timeoutSeconds`; undefined when a price is not known. */
export function estimate(
  pools: readonly PricedPool[],
  timeoutSeconds: number,
): Estimate | undefined {
  let hourly = 0;
  for (const { machine, replicas, disk } of pools) {
    const each = usdPerHour(machine);
    const extra = extraDiskUsdPerHour(disk);
    if (each === undefined || extra === undefined) return undefined;
    hourly += (each + extra) * replicas;
  }
  return {
    usdPerHour: hourly,
    ceilingUsd: (hourly * timeoutSeconds) / 3_600,
    timeoutSeconds,
    pricesAsOf,
  };
}
