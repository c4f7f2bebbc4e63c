import { nextStep } from '../../../shared/watch/next-step.ts';
import type { JobSnapshot, Run } from '../../../shared/watch/run.ts';
import { digest, plan } from '../world.ts';

const endTime = '2026-11-25T12:00:00.000Z';
const snapshot: JobSnapshot = {
  name: 'projects/demo-project/locations/us-central1/customJobs/1',
  id: '1',
  state: 'succeeded',
  labels: {},
  endTime,
};
const ended: Run = {
  plan,
  createdAt: '2026-11-25T11:00:00.000Z',
  image: `${plan.build.imageName}@${digest}`,
  job: { intent: { at: endTime }, name: snapshot.name, snapshot },
};

describe('a job that is over', () => {
  it.each([
    ['10 s', false, 'wait'],
    ['30 s', false, 'collect'],
    ['30 s, while lines are there that were not read yet', true, 'wait'],
    ['4 min, while there are', true, 'wait'],
    // A program that prints for ever would hold its run, and all that it has reserved, for as long.
    ['6 min, while there are', true, 'collect'],
  ] as const)('since %s', (since, logIsBehind, expected) => {
    const [, count, unit] = /^(\d+) (s|min)/.exec(since) ?? [];
    const milliseconds = Number(count) * (unit === 's' ? 1_000 : 60_000);
    const step = nextStep(ended, {
      now: new Date(Date.parse(endTime) + milliseconds),
      ...{ settleMs: 30_000, pollMs: 10_000, drainMs: 20_000, logIsBehind },
      taken: new Set(['observe job']),
    });
    expect(step.do).toBe(expected);
  });
});
