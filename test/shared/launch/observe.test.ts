import { describe, expect, it } from '@jest/globals';
import { observeJob } from '../../../shared/launch/observe.ts';
import { newLogCursor } from '../../../shared/flow.ts';
import { isBehind } from '../../../shared/watch/log-cursor.ts';
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

describe('the log of an ended job that printed more than is read at a look', () => {
  const printed = Array.from({ length: 100_000 }, (_, at) => ({
    ...{ insertId: String(at), text: `line ${at}` },
    timestamp: new Date(Date.parse(startTime) + at).toISOString(),
  }));
  const jobLogs = {
    reads: 0,
    read: ({ since, limit }: { since: string; limit: number }) => {
      jobLogs.reads += 1;
      const from = printed.findIndex(({ timestamp }) => timestamp >= since.slice(0, 23));
      const entries = printed.slice(from, from + limit);
      return Promise.resolve({ entries, continueAt: entries.at(-1)?.timestamp ?? '' });
    },
  };
  const logTails = {
    tail: ({ limit }: { limit: number }) => Promise.resolve(printed.slice(-limit)),
  };
  const succeeds = job('succeeded', { startTime, endTime, createTime: startTime });
  const run: Run = { plan, createdAt: startTime, job: { intent: { at: startTime }, name } };

  async function lookTwice(log?: () => void) {
    const world = new World();
    const { log: _, ...others } = world.ports();
    const ports = {
      ...{ ...others, jobLogs, logTails, logCursor: newLogCursor() },
      jobs: { ...others.jobs, get: () => Promise.resolve(succeeds) },
      ...(log && { log }),
    };
    jobLogs.reads = 0;
    const next = await observeJob(await observeJob(run, ports), ports);
    return { next, isBehind: isBehind(ports.logCursor), reads: jobLogs.reads };
  }

  it('is not read up to its end where nobody prints it: the last lines are there at the next look', async () => {
    const { next, isBehind, reads } = await lookTwice();
    expect(next.logTail).toEqual(printed.slice(-20).map(({ text }) => text));
    expect({ isBehind, reads }).toEqual({ isBehind: false, reads: 5 });
  });

  it('is read on where each line is printed', async () => {
    const lines: unknown[] = [];
    const { isBehind, reads } = await lookTwice(() => lines.push(1));
    expect({ isBehind, reads }).toEqual({ isBehind: true, reads: 10 });
    expect(lines).toHaveLength(2);
  });
});
