/** What a container may use of this computer's memory, whatever the computer is: the numbers are given. */
import { expect, it } from '@jest/globals';
import { limitMemory } from '../../../sandbox/executor/memory-limit.ts';

const gibibyte = 1024 ** 3;

it.each([
  { machine: 15, available: 64, limit: 15, isOfComputer: false },
  { machine: 15, available: 31, limit: 15, isOfComputer: false },
  { machine: 15, available: 30, limit: 14.5, isOfComputer: true },
  { machine: 30, available: 7, limit: 3, isOfComputer: true },
  { machine: 15, available: 1.5, limit: 0.5, isOfComputer: true },
  { machine: 15, available: 0, limit: 0.5, isOfComputer: true },
  { machine: 0.25, available: 0, limit: 0.25, isOfComputer: false },
])(
  'of a machine of $machine GiB where $available GiB are free is $limit GiB',
  ({ machine, available, limit, isOfComputer }) => {
    const found = limitMemory(machine * gibibyte, available * gibibyte);
    expect(found).toEqual({ bytes: limit * gibibyte, isOfComputer });
  },
);

it('never lets two containers that start together take what is left to others', () => {
  for (let available = 2; available < 2_000; available += 7) {
    const { bytes } = limitMemory(4_000 * gibibyte, available * gibibyte);
    expect(available * gibibyte - 2 * bytes).toBeGreaterThanOrEqual(gibibyte);
  }
});
