/** Many followers on one quota: none of their lines is lost, none comes twice, and the quota is never exceeded. */
import { describe, expect, it } from '@jest/globals';
import { fc, runs } from '../../properties.ts';
import { LogQuota } from '../../../app/watch/log-quota.ts';
import { SharedLogs } from '../../../app/watch/shared-logs.ts';
import type { LogEntry, ManyJobLogs } from '../../../shared/ports.ts';
import {
  isBehind,
  newLogCursor,
  readJobLog,
  type LogCursor,
} from '../../../shared/watch/log-cursor.ts';

const tickMs = 15_000;
const start = Date.UTC(2026, 0, 1);
const jobCreatedAt = new Date(start).toISOString();

interface Written extends LogEntry {
  readonly jobId: string;
  readonly visibleAt: number;
}

/** Cloud Logging with its pages, its lateness and its quota. */
class Logging implements ManyJobLogs {
  readonly maxJobs: number;
  now = start;
  readonly written: Written[] = [];
  readonly readsAt: number[] = [];
  readonly askedFor: number[] = [];

  constructor(maxJobs = 200) {
    this.maxJobs = maxJobs;
  }

  write(jobId: string, text: string, lateMs = 0): void {
    const timestamp = new Date(this.now).toISOString();
    const insertId = `${jobId}/${this.written.length}`;
    this.written.push({ insertId, timestamp, text, jobId, visibleAt: this.now + lateMs });
  }

  async readMany({ jobs, limit }: Parameters<ManyJobLogs['readMany']>[0]) {
    await Promise.resolve();
    this.readsAt.push(this.now);
    this.askedFor.push(jobs.length);
    const sinceOf = new Map(jobs.map(({ jobId, since }) => [jobId, Date.parse(since)]));
    const found = this.written
      .filter(({ jobId, timestamp, visibleAt }) => {
        const since = sinceOf.get(jobId);
        return since !== undefined && Date.parse(timestamp) >= since && visibleAt <= this.now;
      })
      .sort((a, b) => (a.timestamp === b.timestamp ? 0 : a.timestamp < b.timestamp ? -1 : 1));
    const page = found.slice(0, limit);
    const entriesOf = Map.groupBy(page, ({ jobId }) => jobId);
    const [first, last] = [page[0]?.timestamp, page.at(-1)?.timestamp];
    if (found.length <= limit || last === undefined) return { entriesOf };
    const after = new Date(Date.parse(last) + 1).toISOString();
    return { entriesOf, continueAt: first === last ? after : last };
  }

  mostReadsInAMinute(): number {
    const counts = this.readsAt.map(
      (from) => this.readsAt.filter((at) => at >= from && at < from + 60_000).length,
    );
    return Math.max(0, ...counts);
  }
}

class Followers {
  readonly logging: Logging;
  readonly shared: SharedLogs;
  private readonly cursors = new Map<string, LogCursor>();
  readonly given = new Map<string, string[]>();

  constructor(logging: Logging, perMinute = 60) {
    this.logging = logging;
    const clock = { now: () => new Date(logging.now), sleep: () => Promise.resolve() };
    this.shared = new SharedLogs(logging, { clock, tickMs, quota: new LogQuota(perMinute, clock) });
  }

  async look(jobId: string, isOver = false): Promise<void> {
    const cursor = this.cursors.get(jobId) ?? newLogCursor();
    this.cursors.set(jobId, cursor);
    const where = { project: 'demo-project', jobId, jobCreatedAt, isOver };
    const lines = await readJobLog(cursor, this.shared, where, new Date(this.logging.now));
    const given = this.given.get(jobId) ?? [];
    this.given.set(jobId, [...given, ...lines.map(({ text }) => text)]);
  }

  isBehind(jobId: string): boolean {
    const cursor = this.cursors.get(jobId);
    return cursor === undefined || isBehind(cursor);
  }

  written(jobId: string): string[] {
    return this.logging.written.filter((one) => one.jobId === jobId).map(({ text }) => text);
  }
}

const names = (count: number): string[] => Array.from({ length: count }, (_, job) => `${job}`);

describe('followers of one project', () => {
  it('cost one read a tick, wherever in the tick they look', async () => {
    const followers = new Followers(new Logging());
    const { logging } = followers;
    const jobs = names(100);
    for (let second = 0; second < 120; second++, logging.now += 1_000) {
      for (const job of jobs) {
        logging.write(job, `line ${second}`);
        if (second % 15 === Number(job) % 15) await followers.look(job);
      }
    }
    // 15 at the start, as each is seen for the first time; then 100 lines a second do not fit into one page.
    expect(logging.mostReadsInAMinute()).toBeLessThanOrEqual(60);
    for (const job of jobs) {
      while (followers.isBehind(job)) {
        logging.now += tickMs;
        await followers.look(job, true);
      }
      logging.now += 2 * tickMs;
      await followers.look(job, true);
      expect(followers.given.get(job)).toEqual(followers.written(job));
    }
  });

  it('cost one read a tick in the long run when all is quiet', async () => {
    const { logging, ...followers } = quiet();
    for (const job of followers.jobs) await followers.all.look(job);
    const ticks = 20;
    logging.readsAt.length = 0;
    for (let second = 0; second < ticks * 15; second++, logging.now += 1_000) {
      for (const job of followers.jobs) {
        if (second % 15 === Number(job) % 15) await followers.all.look(job);
      }
    }
    expect(logging.readsAt.length).toBeLessThanOrEqual(ticks + 15);
  });

  it('take what a loud one leaves: the quiet ones are not kept waiting for good', async () => {
    const followers = new Followers(new Logging());
    const { logging } = followers;
    for (let second = 0; second < 90; second++, logging.now += 1_000) {
      for (let line = 0; line < 300; line++) logging.write('loud', `${second}.${line}`);
      if (second % 10 === 0) logging.write('quiet', `${second}`);
      if (second % 15 === 0) await Promise.all(['loud', 'quiet'].map((job) => followers.look(job)));
    }
    for (
      let look = 0;
      look < 60 && ['loud', 'quiet'].some((one) => followers.isBehind(one));
      look++
    ) {
      logging.now += tickMs;
      await Promise.all(['loud', 'quiet'].map((job) => followers.look(job)));
    }
    expect(followers.given.get('quiet')).toEqual(followers.written('quiet'));
    expect(followers.given.get('loud')).toEqual(followers.written('loud'));
    expect(logging.mostReadsInAMinute()).toBeLessThanOrEqual(60);
  });

  it('are told that they are behind, not that the log is at its end, when the quota is used up', async () => {
    const followers = new Followers(new Logging(1), 10);
    const { logging } = followers;
    const jobs = names(12);
    for (const job of jobs) logging.write(job, 'last words');
    for (const job of jobs) await followers.look(job, true);
    expect(logging.readsAt).toHaveLength(10);
    expect(jobs.filter((job) => followers.isBehind(job))).toHaveLength(2);
    logging.now += 60_000;
    for (const job of jobs.slice(10)) await followers.look(job, true);
    expect(jobs.map((job) => followers.given.get(job))).toEqual(jobs.map(() => ['last words']));
  });

  it('keep a part of the quota for jobs that are over', async () => {
    const followers = new Followers(new Logging(1), 20);
    const { logging } = followers;
    for (const job of names(40)) await followers.look(job);
    expect(logging.readsAt).toHaveLength(17);
    logging.write('ended', 'last words');
    await followers.look('ended', true);
    expect(followers.given.get('ended')).toEqual(['last words']);
  });

  it('read afresh when a job is over, though a page of this tick is there', async () => {
    const followers = new Followers(new Logging());
    const { logging } = followers;
    await followers.look('1');
    logging.now += 1_000;
    logging.write('1', 'Killed');
    await followers.look('1');
    expect(followers.given.get('1')).toEqual([]);
    await followers.look('1', true);
    expect(followers.given.get('1')).toEqual(['Killed']);
  });

  it('lose no line and get none twice, whatever is written, however late', async () => {
    const event = fc.record({
      job: fc.constantFrom('a', 'b', 'c'),
      lines: fc.integer({ min: 0, max: 600 }),
      lateMs: fc.integer({ min: 0, max: 60_000 }),
      afterMs: fc.integer({ min: 0, max: 20_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 15 }), async (events) => {
        const followers = new Followers(new Logging());
        const { logging } = followers;
        for (const { job, lines, lateMs, afterMs } of events) {
          for (let line = 0; line < lines; line++) {
            logging.write(job, `${logging.written.length}`, lateMs);
            logging.now += 1;
          }
          logging.now += afterMs;
          await followers.look(job);
        }
        // Until what is late has come and everybody has read on.
        for (let look = 0; look < 40; look++) {
          logging.now += tickMs;
          for (const job of ['a', 'b', 'c']) await followers.look(job, look > 20);
        }
        for (const job of ['a', 'b', 'c']) {
          const given = followers.given.get(job) ?? [];
          expect(given.toSorted()).toEqual(followers.written(job).toSorted());
          expect(followers.isBehind(job)).toBe(false);
        }
      }),
      { numRuns: runs(20) },
    );
  });
});

function quiet() {
  const logging = new Logging();
  return { logging, all: new Followers(logging), jobs: names(100) };
}
