/** A build's log in Cloud Logging: late, out of order, cut into pages, and limited in how often it is read. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { createBuildEntries } from '../../../shared/google/build-entries.ts';
import { CloudError } from '../../../shared/errors.ts';
import type { BeforeLogRead, Sender } from '../../../shared/google/requests.ts';

const since = '2026-01-01T00:00:00.000Z';
const start = Date.parse(since) / 1_000;

interface Entry {
  readonly insertId: string;
  readonly timestamp: { readonly seconds: number; readonly nanos: number };
  readonly textPayload: string;
}

let stored: Entry[];
let asked: { readonly filter: string; readonly pageToken: string }[];
let failure: CloudError | undefined;
let now = 0;
/** What may still be read, and who has. */
let left = Infinity;
let drawn: [project: string, reader: string][];
let read: (offset: number) => Promise<{ readonly text: string; readonly nextOffset: number }>;

beforeEach(() => {
  [stored, asked, failure, now] = [[], [], undefined, 0];
  [left, drawn] = [Infinity, []];
  /** Answers as the service does: by time from the filter's bound, two thousand characters of it at once. */
  const service = {
    listLogEntries: (request: { filter: string; pageSize: number; pageToken: string }) => {
      asked.push(request);
      const bound = /timestamp>="([^"]+)"/.exec(request.filter)?.[1] ?? '';
      const found = stored
        .filter(({ timestamp }) => timestamp.seconds * 1_000 >= Date.parse(bound))
        .toSorted((a, b) => a.timestamp.seconds - b.timestamp.seconds);
      const from = Number(request.pageToken);
      const page = found.slice(from, from + request.pageSize);
      const end = from + page.length;
      return [page, null, { nextPageToken: end < found.length ? String(end) : '' }];
    },
  };
  const sender = {
    read: (_operation: string, send: () => Promise<unknown>) =>
      failure === undefined ? send() : Promise.reject(failure),
  } as Pick<Sender, 'read'> as Sender;
  type Client = Parameters<typeof createBuildEntries>[0];
  const client = () => Promise.resolve(service) as unknown as ReturnType<Client>;
  const draw: BeforeLogRead = (...by) => {
    drawn.push(by);
    if (left === 0) {
      const failure = { status: 429, retryable: true, ambiguous: false };
      throw new CloudError('entries.list', 'used up', failure);
    }
    left -= 1;
  };
  const entries = createBuildEntries(client, sender, draw, () => now);
  const logged = { project: 'demo-project', since };
  read = (offset) => entries.read({ uri: '', buildId: '11-22', offset, logged });
});

function add(insertId: string, second: number, textPayload: string): void {
  stored.push({ insertId, timestamp: { seconds: start + second, nanos: 0 }, textPayload });
}

describe("a build's log in Cloud Logging", () => {
  it('grows like a file, whatever comes late', async () => {
    expect(await read(0)).toEqual({ text: '', nextOffset: 0 });
    add('a', 10, 'one\n');
    add('b', 12, 'three');
    const first = await read(0);
    expect(first).toEqual({ text: 'one\nthree\n', nextOffset: 10 });
    add('c', 11, 'two');
    add('d', 13, 'four');
    const second = await read(10);
    expect(second.text).toBe('(late) two\nfour\n');
    expect(await read(second.nextOffset)).toMatchObject({ text: '' });
  });

  it("asks for the build's own log, from its beginning and later from two minutes before its end", async () => {
    add('a', 600, 'x');
    await read(0);
    await read(2);
    expect(asked.map(({ filter }) => filter.split(' AND '))).toEqual([
      [
        'logName="projects/demo-project/logs/cloudbuild"',
        'resource.type="build"',
        'resource.labels.build_id="11-22"',
        `timestamp>="${since}"`,
      ],
      expect.arrayContaining(['timestamp>="2026-01-01T00:08:00.000Z"']),
    ]);
  });

  it('gives what was not taken again, and everything to whoever begins anew', async () => {
    add('a', 1, 'one');
    add('b', 2, 'two');
    expect((await read(0)).text).toBe('one\ntwo\n');
    expect((await read(4)).text).toBe('two\n');
    expect((await read(0)).text).toBe('one\ntwo\n');
  });

  it('reads a log of any length to its end, a few pages at each look', async () => {
    const count = 12_345;
    for (let i = 0; i < count; i++) add(`id-${i}`, Math.floor(i / 500), `line ${i}`);
    let [text, offset] = ['', 0];
    for (let look = 0; look < 4; look++) {
      const before = asked.length;
      const got = await read(offset);
      expect(asked.length - before).toBeLessThanOrEqual(5);
      text += got.text;
      offset = got.nextOffset;
    }
    const lines = text.trimEnd().split('\n');
    expect(lines).toEqual(Array.from({ length: count }, (_, i) => `line ${i}`));
  });

  it('loses nothing when the minute is used up between two pages', async () => {
    const count = 4_500;
    for (let i = 0; i < count; i++) add(`id-${i}`, Math.floor(i / 500), `line ${i}`);
    left = 2;
    let [text, offset] = ['', 0];
    for (let look = 0; look < 6; look++) {
      const got = await read(offset);
      text += got.text;
      offset = got.nextOffset;
      if (look === 0) expect(text.trimEnd().split('\n')).toHaveLength(2_000);
      now += 60_000;
      if (look === 1) left = Infinity;
    }
    expect(drawn.at(0)).toEqual(['demo-project', 'progress']);
    const lines = text.trimEnd().split('\n');
    expect(lines).toEqual(Array.from({ length: count }, (_, i) => `line ${i}`));
  });

  it('waits longer after each refusal, and loses nothing', async () => {
    add('a', 1, 'one');
    failure = new CloudError('entries.list', 'quota', {
      ...{ status: 429, retryable: true, ambiguous: false },
    });
    expect(await read(0)).toMatchObject({ text: '' });
    failure = undefined;
    now = 9_999;
    expect(await read(0)).toMatchObject({ text: '' });
    now = 10_000;
    expect(await read(0)).toMatchObject({ text: 'one\n' });
  });

  it('says so when it may not be read', async () => {
    failure = new CloudError('entries.list', 'denied', {
      ...{ status: 403, retryable: false, ambiguous: false },
    });
    await expect(read(0)).rejects.toBe(failure);
  });
});
