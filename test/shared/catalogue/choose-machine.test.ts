import { describe, expect, it } from '@jest/globals';
import {
  chooseMachine,
  describeMachine,
  type MachineRequest,
} from '../../../shared/catalogue/choose-machine.ts';
import { estimate, usdPerHour } from '../../../shared/catalogue/estimate.ts';
import { gpus, machineTypes } from '../../../shared/catalogue/machines.ts';
import { regionsOf } from '../../../shared/catalogue/regions-of.ts';
import {
  acceleratorRegions,
  machineRegions,
  otherRegions,
  regionPriceFactors,
  trainingRegions,
} from '../../../shared/catalogue/regions.ts';
import type { GpuRequest } from '../../../shared/command/command.ts';
import type { MachineSpec } from '../../../shared/config/job-spec.ts';

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
      /`gpu=L4` cannot be attached to `n1-standard-8`. L4 comes with g2 machines. `\/train gpu=L4` alone picks g2-standard-8 \(est. \$1.02\/h\). `n1-standard-8` takes 1\/2\/4 × T4, /,
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
    [{ gpu: gpu('TPU_V3') }, 'unknown_machine', /`TPU_V3` is a TPU.*gpu=L4/],
    [{ machineType: 'ct5lp-hightpu-4t' }, 'unknown_machine', /is a TPU/],
    [{ configured: { machineType: 'cloud-tpu' } }, 'unknown_machine', /is a TPU/],
    [{ machineType: 'n1-standard-2' }, 'unknown_machine', /Machines are n1-standard-4/],
    [
      { machineType: 'a2-highgpu-2g', gpu: gpu('A100') },
      'gpu_count_invalid',
      /`a2-highgpu-2g` takes 2 × A100, not 1.*gpu=A100:2/,
    ],
    [
      { machineType: 'c2-standard-8', gpu: gpu('T4') },
      'machine_gpu_mismatch',
      /T4 comes with n1 machines.*`c2-standard-8` takes no GPU/,
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

describe('what N1 takes', () => {
  const small = ['T4', 'P4'];
  const counts: readonly [machine: string, small: readonly number[], v100: readonly number[]][] = [
    ['n1-highmem-2', [1, 2, 4], [1, 2, 4, 8]],
    ['n1-standard-4', [1, 2, 4], [1, 2, 4, 8]],
    ['n1-highmem-8', [1, 2, 4], [1, 2, 4, 8]],
    ['n1-highcpu-16', [1, 2, 4], [2, 4, 8]],
    ['n1-standard-32', [2, 4], [4, 8]],
    ['n1-highcpu-64', [4], [8]],
    ['n1-highmem-96', [4], [8]],
  ];
  it.each(counts)('%s: %j of the small GPUs, %j V100', (machineType, smallCounts, v100) => {
    const taken = (name: string): number[] =>
      [1, 2, 3, 4, 5, 6, 7, 8, 16].filter(
        (count) => chooseMachine({ gpu: gpu(name, count), machineType }).kind === 'chosen',
      );
    for (const name of small) expect(taken(name)).toEqual(smallCounts);
    expect(taken('V100')).toEqual(v100);
    expect(taken('L4')).toEqual([]);
  });
});

describe('fixed pairs', () => {
  it.each([
    ['g2-standard-32', 'NVIDIA_L4', 1],
    ['g2-standard-24', 'NVIDIA_L4', 2],
    ['g2-standard-96', 'NVIDIA_L4', 8],
    ['g4-standard-48', 'NVIDIA_RTX_PRO_6000', 1],
    ['a2-highgpu-8g', 'NVIDIA_TESLA_A100', 8],
    ['a2-megagpu-16g', 'NVIDIA_TESLA_A100', 16],
    ['a2-ultragpu-1g', 'NVIDIA_A100_80GB', 1],
    ['a3-highgpu-2g', 'NVIDIA_H100_80GB', 2],
    ['a3-megagpu-8g', 'NVIDIA_H100_MEGA_80GB', 8],
    ['a3-ultragpu-8g', 'NVIDIA_H200_141GB', 8],
    ['a4-highgpu-8g', 'NVIDIA_B200', 8],
    ['a4x-highgpu-4g', 'NVIDIA_GB200', 4],
  ])('%s comes with %s × %d, and with nothing else', (machineType, acceleratorType, count) => {
    const machine = { machineType, acceleratorType, acceleratorCount: count };
    expect(chooseMachine({ configured: machine })).toMatchObject({ kind: 'chosen', machine });
    const wrong: readonly MachineSpec[] = [
      { machineType },
      { ...machine, acceleratorCount: count + 1 },
      { ...machine, acceleratorType: 'NVIDIA_TESLA_T4' },
    ];
    for (const configured of wrong)
      expect(chooseMachine({ configured, audience: 'workflow' }).kind).toBe('rejected');
  });
});

describe('where GPUs are', () => {
  const l4Machine = { machineType: 'g2-standard-8', ...l4 };
  const refused: readonly [MachineRequest, RegExp][] = [
    [
      { gpu: gpu('L4'), region: 'us-west2' },
      /1 × L4 \(g2-standard-8\) is not offered in `us-west2`. Regions that have it: `us-central1`/,
    ],
    [{ gpu: gpu('V100'), region: 'europe-west1' }, /V100.*`us-east1`, `us-west1`, `europe-west4`/],
    [
      { gpu: gpu('A100', 16), region: 'us-east1' },
      /a2-megagpu-16g\) is not offered.*`us-central1`/,
    ],
    [
      { gpu: gpu('L4'), region: 'us-west2', regions: ['us-west2', 'us-east4'] },
      /Regions that have it: `us-east4`\.$/,
    ],
    [
      { gpu: gpu('L4'), region: 'us-west2', regions: ['us-west2'] },
      /No region that this repository may use has it; it is in `us-central1`/,
    ],
    [
      { configured: l4Machine, region: 'us-west2', audience: 'workflow' },
      /`allow_unknown_machines: true`/,
    ],
  ];
  it.each(refused)('refuses %j', (request, text) => {
    const answer = chooseMachine(request);
    expect(answer).toMatchObject({ kind: 'rejected', reason: 'region_not_allowed' });
    expect(answer.kind === 'rejected' && `${answer.message} ${answer.fix}`).toMatch(text);
  });

  it.each(['us-central1', 'europe-west4', 'asia-east1'])('has T4 and CPUs in %s', (region) => {
    expect(chooseMachine({ gpu: gpu('T4'), region }).kind).toBe('chosen');
    expect(chooseMachine({ machineType: 'e2-standard-4', region }).kind).toBe('chosen');
  });

  it('names only regions that are there and have a price', () => {
    const lists = [...Object.values(machineRegions), ...Object.values(acceleratorRegions)];
    const all = [...trainingRegions, ...otherRegions];
    for (const region of lists.flat()) expect(all).toContain(region);
    expect(new Set(all).size).toBe(all.length);
    for (const region of trainingRegions) expect(regionPriceFactors[region]).toBeGreaterThan(0.9);
  });

  it('knows where every GPU is', () => {
    for (const { acceleratorType, defaultMachine } of gpus) {
      for (const machineType of Object.values(defaultMachine))
        expect(regionsOf({ machineType, acceleratorType })?.length).toBeGreaterThan(0);
    }
  });
});

describe('what the catalogue does not know, where that is allowed', () => {
  const tried: readonly [string, MachineRequest, object][] = [
    [
      'a machine of the config',
      { configured: { machineType: 'n9-future-8' } },
      { machineType: 'n9-future-8' },
    ],
    ['a machine that is asked for', { machineType: 'n9-big' }, { machineType: 'n9-big' }],
    [
      'a count',
      { configured: { machineType: 'n1-standard-8', ...t4, acceleratorCount: 3 } },
      { machineType: 'n1-standard-8', ...t4, acceleratorCount: 3 },
    ],
    [
      'a GPU on another machine',
      { gpu: gpu('L4'), machineType: 'n9-big' },
      { machineType: 'n9-big', ...l4 },
    ],
    ['a region', { gpu: gpu('L4'), region: 'us-west2' }, { machineType: 'g2-standard-8', ...l4 }],
  ];
  it.each(tried)('tries %s, with a note', (_, request, machine) => {
    expect(chooseMachine(request).kind).toBe('rejected');
    const answer = chooseMachine({ ...request, allowUnknown: true });
    expect(answer).toMatchObject({ kind: 'chosen', machine });
    expect(answer.kind === 'chosen' && answer.machine).toEqual(machine);
    expect(answer.kind === 'chosen' && answer.notes).toEqual([
      expect.stringContaining('It is tried all the same'),
    ]);
  });

  it('still refuses a GPU that no machine is known for', () => {
    const request: MachineRequest = { gpu: gpu('X9'), allowUnknown: true };
    expect(chooseMachine(request)).toMatchObject({ reason: 'unknown_gpu' });
  });
});

describe('the catalogue', () => {
  it('has a machine that fits for every GPU and count that it offers', () => {
    for (const one of gpus) {
      for (const count of Object.keys(one.defaultMachine).map(Number)) {
        expect(chooseMachine({ gpu: gpu(one.name, count) })).toMatchObject({
          kind: 'chosen',
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
    ['n1-standard-4', 0.189999],
    ['n1-standard-8', 0.379998],
    ['n1-highmem-2', 0.118303],
    ['n1-highcpu-96', 3.4007328],
    ['e2-standard-4', 0.13402284],
    ['e2-highcpu-16', 0.39576192],
    ['n2-standard-4', 0.194236],
    ['n2-highcpu-16', 0.573568],
    ['n4-standard-4', 0.1814],
    ['n4-highmem-16', 0.95216],
    ['c2-standard-60', 3.13212],
    ['m1-megamem-96', 10.65216],
  ])('prices %s as its source does, and the fee', (machineType, price) => {
    expect(usdPerHour({ machineType })).toBeCloseTo(price * 1.15, 4);
  });

  it.each([
    ['g2-standard-8', 0.853624],
    ['a2-highgpu-1g', 3.673385],
    ['a3-highgpu-8g', 88.49],
  ])('prices %s with its GPUs, and the fee', (machineType, price) => {
    expect(usdPerHour({ machineType })).toBeCloseTo(price * 1.2, 4);
  });

  it('asks more where a region costs more', () => {
    const machine = { machineType: 'n1-standard-8', ...t4 };
    const at = (region: string): number => usdPerHour(machine, { region }) ?? 0;
    expect(at('us-central1')).toBe(usdPerHour(machine));
    expect(at('southamerica-east1')).toBeCloseTo(at('us-central1') * 1.588, 6);
    expect(at('mars-east1')).toBeGreaterThanOrEqual(at('southamerica-east1'));
  });

  it('takes prices that are known better', () => {
    const machine = { machineType: 'n1-standard-8', ...t4 };
    const prices = { 'n1-standard-8': 0.1, NVIDIA_TESLA_T4: 0.2, 'n9-future-8': 3 };
    expect(usdPerHour(machine, { prices, region: 'europe-west4' })).toBeCloseTo(0.3, 6);
    expect(usdPerHour({ machineType: 'n9-future-8', ...l4 }, { prices })).toBe(3);
    expect(usdPerHour({ machineType: 'toString' }, { prices: {} })).toBeUndefined();
  });

  it('adds GPUs, replicas and disks, and knows what it does not know', () => {
    const machine = { machineType: 'n1-standard-8', ...t4 };
    expect(usdPerHour(machine)).toBeCloseTo((0.379998 + 0.35) * 1.15, 4);
    const each = (0.379998 + 0.35 + (100 * 0.17) / 730) * 1.15;
    expect(estimate([{ machine, replicas: 3 }], 1_800)?.ceilingUsd).toBeCloseTo(1.5 * each, 3);
    const two = [
      { machine, replicas: 1 },
      { machine, replicas: 2 },
    ];
    expect(estimate(two, 1_800)).toEqual(estimate([{ machine, replicas: 3 }], 1_800));
    const huge = estimate([{ machine, replicas: 1, disk: { sizeGb: 64_000 } }], 3_600);
    expect(huge?.usdPerHour).toBeGreaterThan(15);
    const slow = { type: 'pd-standard', sizeGb: 1_000 };
    expect(estimate([{ machine, replicas: 1, disk: slow }], 1)?.usdPerHour).toBeCloseTo(
      (0.729998 + 40 / 730) * 1.15,
      4,
    );
    expect(estimate([{ machine, replicas: 1, disk: { type: 'new' } }], 1)).toBeUndefined();
    const unknown = { machineType: 'a4-highgpu-8g' };
    expect(estimate([{ machine: unknown, replicas: 1 }], 1)).toBeUndefined();
  });
});
