import { describe, expect, it } from '@jest/globals';
import {
  chooseMachine,
  describeMachine,
  type MachineRequest,
} from '../../../shared/catalogue/choose-machine.ts';
import { estimate, usdPerHour } from '../../../shared/catalogue/estimate.ts';
import type { GpuRequest } from '../../../shared/command/command.ts';
import { gpus, machineTypes } from '../../../shared/catalogue/machines.ts';

const gpu = (name: string, count = 1): GpuRequest => ({ kind: 'gpu', name, count });
const t4 = { acceleratorType: 'NVIDIA_TESLA_T4', acceleratorCount: 1 };
const l4 = { acceleratorType: 'NVIDIA_L4', acceleratorCount: 1 };

describe('chooseMachine', () => {
  const chosen: readonly [string, MachineRequest, object, number][] = [
    ['T4 alone', { gpu: gpu('T4') }, { machineType: 'n1-standard-8', ...t4 }, 0],
    ['any case', { gpu: gpu('nvidia-tesla-t4') }, { machineType: 'n1-standard-8', ...t4 }, 0],
    [
      'the configured machine where the GPU fits',
      { gpu: gpu('T4'), configured: { machineType: 'n1-standard-4' } },
      { machineType: 'n1-standard-4', ...t4 },
      0,
    ],
    [
      'another machine than the configured one, with a note',
      { gpu: gpu('L4'), configured: { machineType: 'n1-standard-8', ...t4 } },
      { machineType: 'g2-standard-8', ...l4 },
      1,
    ],
    ['nothing asked', {}, { machineType: 'n1-standard-4' }, 0],
    [
      'no GPU, though the config has one',
      { gpu: { kind: 'none' }, configured: { machineType: 'n1-standard-8', ...t4 } },
      { machineType: 'n1-standard-8' },
      0,
    ],
    [
      'what the config says',
      { configured: { machineType: 'n1-standard-8', ...t4 } },
      { machineType: 'n1-standard-8', ...t4 },
      0,
    ],
    [
      'a machine with its GPU',
      { machineType: 'g2-standard-8' },
      { machineType: 'g2-standard-8', ...l4 },
      0,
    ],
    [
      'a machine whose own GPU replaces the configured one',
      { machineType: 'g2-standard-8', configured: { machineType: 'n1-standard-8', ...t4 } },
      { machineType: 'g2-standard-8', ...l4 },
      1,
    ],
  ];
  it.each(chosen)('chooses %s', (_, request, machine, notes) => {
    const answer = chooseMachine(request);
    expect(answer).toMatchObject({ kind: 'chosen', machine });
    expect(answer.kind === 'chosen' && answer.machine).toEqual(machine);
    expect(answer.kind === 'chosen' && answer.notes).toHaveLength(notes);
  });

  const refused: readonly [MachineRequest, string, RegExp][] = [
    [{ gpu: gpu('T5') }, 'unknown_gpu', /no GPU `T5`.*gpu=T4.*The GPUs are T4, L4/],
    [{ gpu: gpu('K80') }, 'unknown_gpu', /`K80` has been retired/],
    [{ gpu: gpu('p100') }, 'unknown_gpu', /`P100` has been out of support/],
    [{ gpu: gpu('constructor') }, 'unknown_gpu', /no GPU `constructor`/],
    [{ gpu: gpu('T4', 3) }, 'gpu_count_invalid', /1, 2, 4, not 3/],
    [
      { gpu: gpu('T4', 3), machineType: 'n1-standard-8' },
      'gpu_count_invalid',
      /`n1-standard-8` takes 1, 2, 4 × T4/,
    ],
    [
      { gpu: gpu('L4'), machineType: 'n1-standard-8' },
      'machine_gpu_mismatch',
      /`gpu=L4` cannot be attached to `n1-standard-8`. L4 comes with g2 machines. `\/train gpu=L4` alone picks g2-standard-8 \(est. \$0.85\/h\)/,
    ],
    [
      { configured: { machineType: 'e2-standard-4', ...t4 } },
      'machine_gpu_mismatch',
      /The job config's T4 cannot be attached to `e2-standard-4`/,
    ],
    [
      { configured: { machineType: 'g2-standard-8' } },
      'machine_gpu_mismatch',
      /always comes with 1 × L4/,
    ],
    [{ machineType: 'n1-standrad-8' }, 'unknown_machine', /Did you mean `machine=n1-standard-8`/],
    [{ machineType: 'n1-standard-2' }, 'unknown_machine', /n1-standard-4/],
  ];
  it.each(refused)('refuses %j', (request, reason, text) => {
    const answer = chooseMachine(request);
    expect(answer).toMatchObject({ kind: 'rejected', reason });
    expect(answer.kind === 'rejected' && `${answer.message} ${answer.fix}`).toMatch(text);
  });

  it('describes a machine as people say it', () => {
    expect(describeMachine({ machineType: 'n1-standard-8', ...t4 })).toBe('1 × T4 (n1-standard-8)');
    expect(describeMachine({ machineType: 'n1-standard-8' })).toBe('n1-standard-8');
  });
});

describe('the catalogue', () => {
  it('has a machine that fits for every GPU and count that it offers', () => {
    for (const one of gpus) {
      for (const count of Object.keys(one.defaultMachine).map(Number)) {
        expect(chooseMachine({ gpu: gpu(one.name, count) })).toMatchObject({
          kind: 'chosen',
          notes: [],
        });
        const machine = machineTypes.find(({ name }) => name === one.defaultMachine[count]);
        expect(machine?.accelerators[one.acceleratorType]).toContain(count);
      }
    }
  });

  it('names each machine once', () => {
    const names = machineTypes.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).not.toContain('n1-standard-1');
  });

  it.each([
    ['n1-standard-4', 0.19],
    ['n1-highmem-16', 0.946424],
    ['g2-standard-8', 0.853624],
    ['a2-highgpu-1g', 3.673385],
  ])('prices %s as its source does', (machineType, price) => {
    expect(usdPerHour({ machineType })).toBeCloseTo(price, 4);
  });

  it('adds GPUs, replicas and large disks, and knows what it does not know', () => {
    const machine = { machineType: 'n1-standard-8', ...t4 };
    expect(usdPerHour(machine)).toBeCloseTo(0.73, 2);
    expect(estimate([{ machine, replicas: 3 }], 1_800)?.ceilingUsd).toBeCloseTo(1.095, 2);
    const huge = estimate([{ machine, replicas: 1, disk: { sizeGb: 64_000 } }], 3_600);
    expect(huge?.usdPerHour).toBeGreaterThan(15);
    expect(estimate([{ machine, replicas: 1, disk: { type: 'new' } }], 1)).toBeUndefined();
    expect(
      estimate([{ machine: { machineType: 'a3-highgpu-8g' }, replicas: 1 }], 1),
    ).toBeUndefined();
  });
});
