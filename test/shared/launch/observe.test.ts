import { describe, expect, it } from '@jest/globals';
import { observeJob } from '../../../shared/launch/observe.ts';
import type { JobSnapshot, Run } from '../../../shared/watch/run.ts';
import { plan, World } from '../world.ts';

const name = 'projects/demo-project/locations/us-central1/customJobs/1';
const startTime = '2026-01-02T03:00:00Z';
const endTime = '2026-01-02T03:30:00Z';
const job = (state: JobSnapshot['state'], change: Partial<JobSnapshot> = {}): JobSnapshot => ({
  ...{ name, id: '1', state, labels: {} },
  ...change,
});
const waits = job('pending');
const runs = job('running', { startTime });
const fails = job('failed', { startTime, endTime });
const failsBecause = job('failed', { startTime, endTime, error: { code: 8, message: 'why' } });
const neverRan = job('failed', { endTime });

describe('observeJob', () => {
  it.each<[string, JobSnapshot | undefined, JobSnapshot, JobSnapshot]>([
    ['the first look', undefined, waits, waits],
    ['a job that starts', waits, runs, runs],
    ['a job that fails before it starts', waits, neverRan, neverRan],
    ['a job that fails', runs, fails, fails],
    ['an error that comes late', fails, failsBecause, failsBecause],
    ['a list from before it started', runs, waits, runs],
    ['a list from before it ended', fails, runs, fails],
    ['a list from before it failed to start', neverRan, waits, neverRan],
  ])('%s', async (_what, seen, looked, expected) => {
    const world = new World();
    const ports = world.ports();
    const tracked = { intent: { at: startTime }, name };
    const run: Run = {
      ...{ plan, createdAt: startTime },
      job: seen === undefined ? tracked : { ...tracked, snapshot: seen },
    };
    const jobs = { ...ports.jobs, get: () => Promise.resolve(looked) };
    const next = await observeJob(run, { ...ports, jobs });
    expect(next.job?.snapshot).toEqual(expected);
  });
});
