/** Who may still read a project's logs when a minute's reads run out. */
import { expect, it } from '@jest/globals';
import { LogQuota } from '../../../app/watch/log-quota.ts';
import { CloudError } from '../../../shared/errors.ts';
import type { LogReader } from '../../../shared/ports.ts';

const start = Date.UTC(2026, 0, 1);

/** As often as it may, a second apart. @returns how often that was, and when to come back */
function exhaust(quota: LogQuota, clock: { now: number }, reader: LogReader) {
  for (let reads = 0; ; reads++, clock.now += 1_000) {
    try {
      quota.take('demo-project', reader);
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      return { reads, retryAfterSeconds: error.retryAfterSeconds };
    }
  }
}

it('lets progress stop first, then last lines, and people last', () => {
  const clock = { now: start };
  const quota = new LogQuota(40, { now: () => new Date(clock.now) });
  expect(exhaust(quota, clock, 'progress')).toEqual({ reads: 34, retryAfterSeconds: 26 });
  expect(exhaust(quota, clock, 'last_lines')).toEqual({ reads: 4, retryAfterSeconds: 22 });
  expect(exhaust(quota, clock, 'progress').reads).toBe(0);
  expect(exhaust(quota, clock, 'question')).toEqual({ reads: 2, retryAfterSeconds: 20 });
  clock.now += 20_000;
  // One is back, and it is a person's.
  expect(exhaust(quota, { now: clock.now }, 'progress').reads).toBe(0);
  quota.take('demo-project', 'question');
});

it('counts each project for itself', () => {
  const quota = new LogQuota(1, { now: () => new Date(start) });
  quota.take('one', 'progress');
  expect(() => quota.take('one', 'question')).toThrow('used up');
  quota.take('another', 'progress');
});
