/** Whose results count: those that the job itself can have written, in the version that was looked at. */
import { describe, expect, it } from '@jest/globals';
import { takeStep } from '../../../shared/launch/take-step.ts';
import type { RunPorts } from '../../../shared/flow.ts';
import type { Run } from '../../../shared/watch/run.ts';
import { World } from '../world.ts';

const job = {
  name: 'j',
  id: 'j',
  state: 'succeeded',
  labels: {},
  createTime: '2026-01-02T03:00:00.000Z',
  endTime: '2026-01-02T04:00:00.000Z',
} as const;

async function collect(createdAt: string) {
  const world = new World();
  const read: { object: string; generation?: string }[] = [];
  const name = '1/k7q2m4xa/metrics.json';
  const ports: RunPorts = {
    ...world.ports(),
    objects: {
      ...world.ports().objects,
      list: () => Promise.resolve([{ name, size: 20, generation: '17', createdAt }]),
      read: ({ object, generation }) => {
        read.push({ object, ...(generation === undefined ? {} : { generation }) });
        return Promise.resolve(Buffer.from('{"val_accuracy": 0.9}'));
      },
    },
  };
  const run: Run = { ...world.saved, job: { intent: { at: job.createTime }, snapshot: job } };
  const { metrics } = await takeStep({ do: 'collect' }, run, ports);
  return { values: metrics?.values, read };
}

describe('collect', () => {
  it.each([
    ['2026-01-02T02:58:00.000Z', false, 'before the job'],
    ['2026-01-02T03:30:00.000Z', true, 'during it'],
    ['2026-01-02T04:02:00.000Z', true, 'when the container’s last files are closed'],
    ['2026-01-02T04:06:00.000Z', false, 'after it'],
    ['2026-01-04T00:00:00.000Z', false, 'days later, when a run that was lost is followed on'],
  ])('a file of %s counts: %s (%s)', async (createdAt, counts) => {
    const { values, read } = await collect(createdAt);
    expect(values).toEqual(counts ? { val_accuracy: 0.9 } : {});
    expect(read).toEqual(counts ? [{ object: '1/k7q2m4xa/metrics.json', generation: '17' }] : []);
  });
});
