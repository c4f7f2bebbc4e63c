/** No line twice, none lost, whole lines only. */
import { describe, expect, it } from '@jest/globals';
import type { JobLogs, LogEntry } from '../../../shared/ports.ts';
import { newLogCursor, readBuildLog, readJobLog } from '../../../shared/watch/log-cursor.ts';

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

describe('readJobLog', () => {
  const where = { project: 'p', jobId: '1', jobCreatedAt: '2026-01-01T00:00:00.000Z' };
  const at = (seconds: number): string =>
    new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString();
  const service = (entries: LogEntry[]): JobLogs => ({
    read: ({ since, limit }) =>
      Promise.resolve(
        entries
          .filter(({ timestamp }) => timestamp >= since)
          .sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1))
          .slice(0, limit),
      ),
  });

  it('gives late entries once, and nothing twice', async () => {
    const entries: LogEntry[] = [{ insertId: 'b', timestamp: at(20), text: 'second' }];
    const cursor = newLogCursor();
    expect(await readJobLog(cursor, service(entries), where)).toEqual(['second']);
    entries.push({ insertId: 'a', timestamp: at(10), text: 'first, late' });
    expect(await readJobLog(cursor, service(entries), where)).toEqual(['first, late']);
    expect(await readJobLog(cursor, service(entries), where)).toEqual([]);
  });

  it('reads on over full pages', async () => {
    const entries = Array.from({ length: 2_500 }, (_, i) => ({
      insertId: `i${i}`,
      timestamp: new Date(Date.UTC(2026, 0, 1) + i * 100).toISOString(),
      text: `line ${i}`,
    }));
    const cursor = newLogCursor();
    const lines: string[] = [];
    for (let read = 0; read < 4; read++)
      lines.push(...(await readJobLog(cursor, service(entries), where)));
    expect(lines).toEqual(entries.map(({ text }) => text));
  });

  it('forgets what can no longer come back', async () => {
    const cursor = newLogCursor();
    const entries = Array.from({ length: 900 }, (_, i) => ({
      insertId: `i${i}`,
      timestamp: at(i),
      text: '',
    }));
    await readJobLog(cursor, service(entries), where);
    expect(cursor.job.seen.size).toBeLessThan(300);
  });
});
