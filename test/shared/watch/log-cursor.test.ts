/** No line twice, none lost, whole lines only. */
import { describe, expect, it } from '@jest/globals';
import { CloudError } from '../../../shared/errors.ts';
import type { JobLogs, LogEntry, LogPage } from '../../../shared/ports.ts';
import {
  isBehind,
  newLogCursor,
  readBuildLog,
  readJobLog,
  type LogCursor,
} from '../../../shared/watch/log-cursor.ts';

describe('readBuildLog', () => {
  it('joins lines over reads and gives the unfinished last one at the end', async () => {
    const log = 'one\ntwo\nthr';
    const cursor = newLogCursor();
    const logs = {
      read: ({ offset }: { offset: number }) => {
        const text = log.slice(offset, offset + 5);
        return Promise.resolve({ text, nextOffset: offset + text.length });
      },
    };
    const where = { uri: 'gs://b', buildId: '1' };
    expect(await readBuildLog(cursor, logs, where, false)).toEqual(['one']);
    expect(await readBuildLog(cursor, logs, where, false)).toEqual(['two']);
    expect(await readBuildLog(cursor, logs, where, true)).toEqual(['thr']);
    expect(await readBuildLog(cursor, logs, where, true)).toEqual([]);
  });
});

/** Where a full page goes on: at its last instant, or behind it when it holds no other. */
function restOf(entries: readonly LogEntry[]): { readonly continueAt: string } {
  const first = entries[0]?.timestamp ?? '';
  const last = entries.at(-1)?.timestamp ?? '';
  const next = new Date(Date.parse(last) + 1).toISOString();
  return { continueAt: last === first ? next : last };
}

describe('readJobLog', () => {
  const where = { project: 'p', jobId: '1', jobCreatedAt: '2026-01-01T00:00:00.000Z' };
  const start = Date.UTC(2026, 0, 1);
  const at = (seconds: number): string => new Date(start + seconds * 1_000).toISOString();
  const now = new Date(start);

  class Service implements JobLogs {
    reads = 0;
    readonly entries: LogEntry[] = [];
    /** Refuses each read from this one on. */
    refuseFrom = Infinity;

    add(insertId: string, timestamp: string, text: string): void {
      this.entries.push({ insertId, timestamp, text });
    }

    read({ since, limit }: { since: string; limit: number }): Promise<LogPage> {
      this.reads += 1;
      if (this.reads >= this.refuseFrom) {
        const failure = { status: 429, retryable: true, ambiguous: false };
        return Promise.reject(new CloudError('entries.list', 'Quota exceeded', failure));
      }
      const found = this.entries
        .filter(({ timestamp }) => timestamp >= since)
        .sort((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0));
      const entries = found.slice(0, limit);
      return Promise.resolve(found.length < limit ? { entries } : { entries, ...restOf(entries) });
    }
  }
  const read = async (cursor: LogCursor, service: JobLogs, when = now) =>
    (await readJobLog(cursor, service, where, when)).map(({ text, late }) =>
      late ? `(late) ${text}` : text,
    );

  it('gives late entries once and says that they are late, and nothing twice', async () => {
    const service = new Service();
    service.add('b', at(20), 'second');
    const cursor = newLogCursor();
    expect(await read(cursor, service)).toEqual(['second']);
    service.add('a', at(10), 'first');
    service.add('c', at(30), 'third');
    expect(await read(cursor, service)).toEqual(['(late) first', 'third']);
    expect(await read(cursor, service)).toEqual([]);
    expect(cursor.job.tail.map(({ text }) => text)).toEqual(['first', 'second', 'third']);
  });

  it('sorts what one read brings, and leaves lines of one instant as they come', async () => {
    const answers = [
      { insertId: 'z', timestamp: at(2), text: 'three' },
      { insertId: 'y', timestamp: at(1), text: 'one' },
      { insertId: 'x', timestamp: at(1), text: 'two' },
    ];
    const service = { read: () => Promise.resolve({ entries: answers }) };
    expect(await read(newLogCursor(), service)).toEqual(['one', 'two', 'three']);
  });

  it('tells lines of one millisecond apart, however many digits a timestamp has', async () => {
    const instant = '2026-01-01T00:00:05';
    const answers = [
      { insertId: 'c', timestamp: `${instant}.123456789Z`, text: 'three' },
      { insertId: 'b', timestamp: `${instant}.123Z`, text: 'two' },
      { insertId: 'a', timestamp: `${instant}Z`, text: 'one' },
    ];
    const service = { read: () => Promise.resolve({ entries: answers }) };
    expect(await read(newLogCursor(), service)).toEqual(['one', 'two', 'three']);
  });

  it.each([
    ['a line every 100 ms', 100, 2_500],
    ['more lines in two minutes than a page holds', 10, 30_000],
    ['more lines in an instant than a page holds, but for what is beyond it', 0, 1_000],
  ])('reads on over full pages: %s', async (_what, everyMs, count) => {
    const service = new Service();
    const cursor = newLogCursor();
    const lines: string[] = [];
    for (let line = 0; line < count; line++) {
      service.add(`i${line}`, new Date(start + line * everyMs).toISOString(), `line ${line}`);
      if (line % 7_000 === 0) lines.push(...(await read(cursor, service)));
    }
    do lines.push(...(await read(cursor, service)));
    while (isBehind(cursor));
    expect(lines).toEqual(service.entries.map(({ text }) => text));
  });

  it('goes on behind an instant with more lines than a page holds', async () => {
    const service = new Service();
    for (let line = 0; line < 1_500; line++) service.add(`i${line}`, at(1), 'same instant');
    service.add('after', at(2), 'after');
    expect(await read(newLogCursor(), service)).toContain('after');
  });

  it('forgets what can no longer come back', async () => {
    const service = new Service();
    for (let line = 0; line < 900; line++) service.add(`i${line}`, at(line), '');
    const cursor = newLogCursor();
    await read(cursor, service);
    expect(cursor.job.seen.size).toBeLessThan(300);
    expect(cursor.job.tail.length).toBeLessThanOrEqual(20);
  });

  it('keeps what it has read when a later page is refused, and says that there is more', async () => {
    const service = new Service();
    for (let line = 0; line < 1_500; line++) service.add(`i${line}`, at(line), `line ${line}`);
    service.refuseFrom = 2;
    const cursor = newLogCursor();
    expect(await read(cursor, service)).toHaveLength(1_000);
    expect(isBehind(cursor)).toBe(true);
    service.refuseFrom = Infinity;
    expect(await read(cursor, service, new Date(start + 60_000))).toHaveLength(500);
    expect(isBehind(cursor)).toBe(false);
  });

  it('reads less often after a refusal, and as before when none has come for a while', async () => {
    const service = new Service();
    const cursor = newLogCursor();
    const readsInOneMinute = async (from: number): Promise<number> => {
      const before = service.reads;
      for (let second = 0; second < 60; second++)
        await read(cursor, service, new Date(start + (from + second) * 1_000));
      return service.reads - before;
    };
    service.refuseFrom = 1;
    expect(await readsInOneMinute(0)).toBeLessThanOrEqual(3);
    service.refuseFrom = Infinity;
    expect(await readsInOneMinute(60)).toBeLessThanOrEqual(6);
    for (let minute = 2; minute < 5; minute++) await readsInOneMinute(minute * 60);
    expect(await readsInOneMinute(300)).toBe(60);
  });

  it('lets ten followers of one project find a pace that its quota allows', async () => {
    let admitted: number[] = [];
    let refused = 0;
    let second = 0;
    const service: JobLogs = {
      read: () => {
        admitted = admitted.filter((one) => one > second - 60);
        if (admitted.length < 60) {
          admitted.push(second);
          return Promise.resolve({ entries: [] });
        }
        refused += 1;
        const failure = { status: 429, retryable: true, ambiguous: false };
        return Promise.reject(new CloudError('entries.list', 'Quota exceeded', failure));
      },
    };
    // Each would look every five seconds: twice as often as the quota allows.
    const cursors = Array.from({ length: 10 }, () => newLogCursor());
    for (second = 0; second < 1_200; second++) {
      if (second === 600) refused = 0;
      for (const [i, cursor] of cursors.entries())
        if (second % 5 === i % 5) await read(cursor, service, new Date(start + second * 1_000));
    }
    // Without a pause 600 of 1,200 would be refused in these ten minutes.
    expect(refused).toBeLessThan(150);
    // Nobody is kept from reading for good.
    expect(cursors.every(({ job }) => job.refusals < 5)).toBe(true);
  });

  it('stops waiting for the rest of a log when reading is refused again and again', async () => {
    const service = new Service();
    service.refuseFrom = 1;
    const cursor = newLogCursor();
    let minute = 0;
    await read(cursor, service);
    while (isBehind(cursor) && minute < 60)
      await read(cursor, service, new Date(start + ++minute * 60_000));
    expect(minute).toBeLessThan(15);
    // It still reads what it can get.
    service.refuseFrom = Infinity;
    service.add('a', at(1), 'there');
    expect(await read(cursor, service, new Date(start + 61 * 60_000))).toEqual(['there']);
  });

  it('leaves a refusal for good to its caller', async () => {
    const failure = { status: 403, retryable: false, ambiguous: false };
    const service = {
      read: () => Promise.reject(new CloudError('entries.list', 'denied', failure)),
    };
    await expect(read(newLogCursor(), service)).rejects.toThrow('denied');
  });
});
