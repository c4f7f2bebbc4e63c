/** What a choice of machines costs, from the catalogue's prices. Estimates, and called so wherever they are shown. */
import type { Estimate, MachineChoice } from './catalogue.ts';
import { acceleratorUsdPerHour, machineTypes, machineUsdPerHour, pricesAsOf } from './machines.ts';

/** Dollars an hour for one replica, on demand; undefined when a part's price is not known. */
export function usdPerHour(choice: MachineChoice): number | undefined {
  const machine = machineTypes.find(({ name }) => name === choice.machineType);
  const base = machine === undefined ? undefined : machineUsdPerHour(machine);
  if (machine === undefined || base === undefined) return undefined;
  // The price of a machine with built-in accelerators has them in it.
  if (machine.acceleratorRequired || choice.acceleratorType === undefined) return base;
  const each = acceleratorUsdPerHour[choice.acceleratorType];
  return each === undefined ? undefined : base + each * (choice.acceleratorCount ?? 1);
}

/** The estimate of all pools for at most `timeoutSeconds`; undefined when a price is not known. */
export function estimate(
  pools: readonly { readonly machine: MachineChoice; readonly replicas: number }[],
  timeoutSeconds: number,
): Estimate | undefined {
  let hourly = 0;
  for (const { machine, replicas } of pools) {
    const each = usdPerHour(machine);
    if (each === undefined) return undefined;
    hourly += each * replicas;
  }
  return {
    usdPerHour: hourly,
    ceilingUsd: (hourly * timeoutSeconds) / 3_600,
    timeoutSeconds,
    pricesAsOf,
  };
}
