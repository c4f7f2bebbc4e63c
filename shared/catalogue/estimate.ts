/** What a choice of machines costs, from the catalogue's prices. Estimates, and called so wherever they are shown. */
import type { Estimate, MachineChoice, MachineType, Rates } from './catalogue.ts';
import { machineTypes } from './machines.ts';
import {
  acceleratorUsdPerHour,
  diskUsdPerGbMonth,
  hoursPerMonth,
  machineUsdPerHour,
  pricesAsOf,
  unitUsdPerHour,
  vertexFactor,
  vertexFactorBuiltIn,
} from './prices.ts';
import { regionPriceFactors, unknownRegionPriceFactor } from './regions.ts';

/** One worker pool as far as its price goes. */
export interface PricedPool {
  readonly machine: MachineChoice;
  readonly replicas: number;
  /** The boot disk of each replica, when it is not the default one. */
  readonly disk?: { readonly type?: string; readonly sizeGb?: number };
}

/** The default boot disk of a replica. @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/DiskSpec */
const defaultDisk = { type: 'pd-ssd', sizeGb: 100 };

/** Dollars an hour for one replica without its disk, on demand; undefined when a part's price is not known. */
export function usdPerHour(choice: MachineChoice, rates: Rates = {}): number | undefined {
  const known = machineTypes.find(({ name }) => name === choice.machineType);
  const base = given(rates, choice.machineType) ?? listPrice(known, rates);
  if (base === undefined) return undefined;
  const { acceleratorType, acceleratorCount = 1 } = choice;
  // Built-in accelerators are in the price, and what is not in the catalogue is priced as a whole.
  if (known === undefined || known.acceleratorRequired || acceleratorType === undefined)
    return base;
  const list = acceleratorUsdPerHour[acceleratorType];
  const each =
    given(rates, acceleratorType) ??
    (list === undefined ? undefined : list * vertexFactor * regionFactor(rates));
  return each === undefined ? undefined : base + each * acceleratorCount;
}

function listPrice(machine: MachineType | undefined, rates: Rates): number | undefined {
  if (machine === undefined) return undefined;
  const unit = unitUsdPerHour[machine.name.split('-')[0] ?? ''];
  const compute =
    machineUsdPerHour[machine.name] ??
    (unit === undefined ? undefined : machine.vcpus * unit[0] + machine.memoryGb * unit[1]);
  const fee = machine.acceleratorRequired ? vertexFactorBuiltIn : vertexFactor;
  return compute === undefined ? undefined : compute * fee * regionFactor(rates);
}

function given({ prices = {} }: Rates, name: string): number | undefined {
  return Object.hasOwn(prices, name) ? prices[name] : undefined;
}

function regionFactor({ region = 'us-central1' }: Rates): number {
  return regionPriceFactors[region] ?? unknownRegionPriceFactor;
}

/** A disk may be 64 TB, so it cannot be left out. Undefined for a type of unknown price. */
function diskUsdPerHour(disk: PricedPool['disk'], rates: Rates): number | undefined {
  const type = disk?.type ?? defaultDisk.type;
  const list = diskUsdPerGbMonth[type];
  const price =
    given(rates, type) ??
    (list === undefined ? undefined : list * vertexFactor * regionFactor(rates));
  const sizeGb = disk?.sizeGb ?? defaultDisk.sizeGb;
  return price === undefined ? undefined : (price * sizeGb) / hoursPerMonth;
}

/** The estimate of all replicas of all pools for at most `timeoutSeconds`; undefined when a price is not known. */
export function estimate(
  pools: readonly PricedPool[],
  timeoutSeconds: number,
  rates: Rates = {},
): Estimate | undefined {
  let hourly = 0;
  for (const { machine, replicas, disk } of pools) {
    const each = usdPerHour(machine, rates);
    const disks = diskUsdPerHour(disk, rates);
    if (each === undefined || disks === undefined) return undefined;
    hourly += (each + disks) * replicas;
  }
  return {
    usdPerHour: hourly,
    ceilingUsd: (hourly * timeoutSeconds) / 3_600,
    timeoutSeconds,
    pricesAsOf,
  };
}
