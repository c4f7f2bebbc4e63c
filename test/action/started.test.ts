import { describe, expect, it } from '@jest/globals';
import { cancelStarted, parseStarted, type Started } from '../../action/started.ts';
import type { Clock } from '../../shared/ports.ts';
import type { BuildSnapshot, JobSnapshot } from '../../shared/watch/run.ts';

const started: Started = {
  runId: 'abcd2345',
  project: 'demo-project',
  buildRegion: 'global',
  jobRegion: 'us-central1',
};

/** A clock that a sleep moves. */
function fakeClock(): Clock & { readonly sleptMs: () => number } {
  let now = 0;
  return {
    now: () => new Date(now),
    sleep: (ms) => {
      now += ms;
      return Promise.resolve();
    },
    sleptMs: () => now,
  };
}

function fakePorts(failing = '') {
  const cancelled: string[] = [];
  const cancel = (name: string): Promise<void> => {
    if (name === failing) return Promise.reject(new Error('refused'));
    cancelled.push(name);
    return Promise.resolve();
  };
  const job: JobSnapshot = { name: 'found-job', id: '1', state: 'running', labels: {} };
  const build: BuildSnapshot = {
    name: 'found-build',
    id: '2',
    status: 'working',
    tags: [],
    images: [],
  };
  return {
    cancelled,
    jobs: { cancel, findByLabel: () => Promise.resolve([job]) },
    builds: { cancel, findByTag: () => Promise.resolve([build]) },
  };
}

describe('cancelStarted', () => {
  it.each([
    ['by name', { build: 'b', job: 'j' }, ['b', 'j']],
    [
      'by label when the answer never came',
      { build: 'intended', job: 'intended' },
      ['found-build', 'found-job'],
    ],
    ['nothing that was not begun', {}, []],
  ])('cancels %s', async (_name, what, expected) => {
    const ports = fakePorts();
    await cancelStarted({ ...started, ...what }, ports, fakeClock());
    expect(ports.cancelled.sort()).toEqual(expected);
  });

  it('goes on when one of them cannot be cancelled, and says so', async () => {
    const ports = fakePorts('j');
    const results = await cancelStarted({ ...started, build: 'b', job: 'j' }, ports, fakeClock());
    expect(ports.cancelled).toEqual(['b']);
    expect(results).toEqual(
      expect.arrayContaining([{ line: 'Could not cancel the job: refused', failed: true }]),
    );
  });

  it('waits for a list that lags behind a creation whose answer never came', async () => {
    const clock = fakeClock();
    const ports = fakePorts();
    const find = ports.jobs.findByLabel;
    const jobs = {
      ...ports.jobs,
      findByLabel: () => (clock.sleptMs() < 10_000 ? Promise.resolve([]) : find()),
    };
    await cancelStarted({ ...started, job: 'intended' }, { ...ports, jobs }, clock);
    expect(ports.cancelled).toEqual(['found-job']);
  });

  it('does not wait for ever for what was never created', async () => {
    const clock = fakeClock();
    const ports = fakePorts();
    const jobs = { ...ports.jobs, findByLabel: () => Promise.resolve([]) };
    const results = await cancelStarted({ ...started, job: 'intended' }, { ...ports, jobs }, clock);
    expect(results).toEqual([]);
    expect(clock.sleptMs()).toBeLessThan(60_000);
  });
});

describe('parseStarted', () => {
  it.each(['', '{', 'null', '[]', '{"runId":1,"project":"p","jobRegion":"r"}', '{"runId":"x"}'])(
    'makes nothing of %j',
    (text) => {
      expect(parseStarted(text)).toBeUndefined();
    },
  );

  it('reads what was saved', () => {
    expect(parseStarted(JSON.stringify(started))).toEqual(started);
  });
});
