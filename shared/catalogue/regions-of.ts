/** Where a machine can be had: a choice in, its regions out. */
import type { MachineChoice } from './catalogue.ts';
import { acceleratorRegions, machineRegions } from './regions.ts';

/** Undefined where the catalogue keeps no list: machines without a GPU are in nearly every region. */
export function regionsOf(machine: MachineChoice): readonly string[] | undefined {
  const family = machine.machineType.split('-').slice(0, 2).join('-');
  return machineRegions[family] ?? acceleratorRegions[machine.acceleratorType ?? ''];
}
