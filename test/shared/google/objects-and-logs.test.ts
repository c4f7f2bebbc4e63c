import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { wholeCharacters } from '../../../shared/google/build-logs.ts';
import { googlePorts } from '../../../shared/google/index.ts';
import {
  googleError,
  startLocalService,
  type Answer,
  type LocalService,
  type Route,
} from './local-service.ts';

const execute = promisify(execFile);
const index = join(import.meta.dirname, '../../../shared/google/index.ts');

let service: LocalService;
let ports: ReturnType<typeof googlePorts>;

beforeAll(async () => {
  service = await startLocalService();
  const clock = { sleep: () => Promise.resolve() };
  ports = googlePorts({ endpoint: service.endpoint, clock });
});
afterAll(() => service.close());

const where = { bucket: 'demo-project_cloudbuild', object: 'source/x y.tgz' };

/** A bucket that holds `content` under every name. */
function holding(content: Buffer): Route {
  return ({ headers }) => {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(String(headers['range'])) ?? [];
    const start = Number(from ?? 0);
    if (start >= content.length && from !== undefined) {
      return { status: 416, body: 'Requested range not satisfiable' };
    }
    const end = Math.min(Number(to ?? content.length - 1), content.length - 1);
    return {
      status: 206,
      body: content.subarray(start, end + 1),
      headers: { 'content-range': `bytes ${start}-${end}/${content.length}` },
    };
  };
}

describe('objects', () => {
  /** A bucket that answers each upload with `md5Hash`. */
  function takingUploads(md5Hash: string): Route {
    return ({ method }) =>
      method === 'POST'
        ? { headers: { location: `${service.endpoint}/session` } }
        : { json: { name: where.object, bucket: where.bucket, generation: '171', md5Hash } };
  }
  const content = Buffer.from('archive');
  const md5Hash = createHash('md5').update(content).digest('base64');
  const md5OfZeros = createHash('md5')
    .update(Buffer.alloc(30 * 2 ** 16))
    .digest('base64');

  it('uploads once, on the condition that nothing is there', async () => {
    service.behave(takingUploads(md5Hash));
    await expect(ports.objects.put(where, () => Readable.from([content]))).resolves.toEqual({
      generation: '171',
    });
    const [begin, send, ...more] = service.requests;
    expect(begin!.query.get('ifGenerationMatch')).toBe('0');
    expect(begin!.path).toBe(`/upload/storage/v1/b/${where.bucket}/o`);
    expect(begin!.query.get('name')).toBe(where.object);
    expect(send!.method).toBe('PUT');
    expect(more).toEqual([]);
  });

  it('makes the body anew when the token was refused in the middle of it', async () => {
    const refused = googleError(401, 'authError', 'Invalid Credentials');
    let sent = 0;
    service.behave((request) =>
      request.method === 'PUT' && sent++ === 0 ? refused : takingUploads(md5Hash)(request),
    );
    let opened = 0;
    const open = (): Readable => {
      opened += 1;
      return Readable.from([content]);
    };
    await expect(ports.objects.put(where, open)).resolves.toEqual({ generation: '171' });
    expect(opened).toBe(2);
  });

  it('does not believe in an upload of which something else arrived', async () => {
    service.behave(takingUploads(createHash('md5').update('something else').digest('base64')));
    await expect(ports.objects.put(where, () => Readable.from([content]))).rejects.toThrow();
  });

  it.each([
    ['begins', 'POST'],
    // Somebody else's upload of the same was faster; the library then throws what is no Error.
    ['ends', 'PUT'],
  ])('returns the generation of what was there when the upload %s', async (_when, refused) => {
    service.behave(({ method }) => {
      if (method === refused)
        return googleError(412, 'conditionNotMet', 'At least one of the pre-conditions failed.');
      if (method === 'POST') return { headers: { location: `${service.endpoint}/session` } };
      return { json: { name: where.object, generation: '99', md5Hash: md5OfZeros } };
    });
    const bodies: Readable[] = [];
    const open = (): Readable => {
      const body = Readable.from(Array.from({ length: 30 }, () => Buffer.alloc(2 ** 16)));
      bodies.push(body);
      return body;
    };
    await expect(ports.objects.put(where, open)).resolves.toEqual({ generation: '99' });
    expect(bodies.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });

  it.each([
    ['other bytes', { md5Hash: createHash('md5').update('planted').digest('base64') }],
    ['an object that was composed, which has no hash', {}],
  ])('replaces %s that somebody left under the name', async (_what, planted) => {
    const isOurs = ({ query }: { query: URLSearchParams }): boolean =>
      query.get('ifGenerationMatch') === '66';
    service.behave((request) => {
      const { method } = request;
      if (method === 'GET') return { json: { name: where.object, generation: '66', ...planted } };
      if (method === 'POST' && !isOurs(request))
        return googleError(412, 'conditionNotMet', 'At least one of the pre-conditions failed.');
      return takingUploads(md5Hash)(request);
    });
    const put = ports.objects.put(where, () => Readable.from([content]));
    await expect(put).resolves.toEqual({ generation: '171' });
    expect(service.requests.filter(isOurs)).toHaveLength(1);
  });

  it('comes back later when somebody writes the object at the same time', async () => {
    service.behave(({ method }) =>
      method === 'GET'
        ? { json: { name: where.object, generation: '66' } }
        : googleError(412, 'conditionNotMet', 'At least one of the pre-conditions failed.'),
    );
    const put = ports.objects.put(where, () => Readable.from([content]));
    await expect(put).rejects.toMatchObject({ status: 412, retryable: true, ambiguous: false });
  });

  it.each<[string, string, Answer, number]>([
    ['is refused for now', 'POST', googleError(503, 'backendError', 'Backend Error'), 503],
    ['is refused for now', 'PUT', googleError(503, 'backendError', 'Backend Error'), 503],
    ['comes too often', 'PUT', googleError(429, 'rateLimitExceeded', 'Slow down'), 429],
    ['is cut off', 'POST', { drop: true }, 0],
    ['is cut off', 'PUT', { drop: true }, 0],
  ])('may be tried again when it %s (%s)', async (_what, method, answer, status) => {
    service.behave((request) =>
      request.method === method ? answer : takingUploads(md5Hash)(request),
    );
    await expect(ports.objects.put(where, () => Readable.from([content]))).rejects.toMatchObject({
      ...{ name: 'CloudError', status, retryable: true },
    });
  });

  it('says that a bucket is missing, in the words of the service', async () => {
    const message = 'The specified bucket does not exist.';
    service.behave(() => googleError(404, 'notFound', message));
    await expect(ports.objects.put(where, () => Readable.from(['x']))).rejects.toMatchObject({
      status: 404,
      ambiguous: false,
      message,
    });
  });

  it('lists what lies under a prefix', async () => {
    const item = {
      name: 'a/m.json',
      size: '12',
      generation: '5',
      timeCreated: '2026-01-02T00:00:00Z',
    };
    service.behave(() => ({ json: { items: [item] } }));
    await expect(
      ports.objects.list({ bucket: where.bucket, prefix: 'a/', limit: 10 }),
    ).resolves.toEqual([
      { name: 'a/m.json', size: 12, generation: '5', createdAt: '2026-01-02T00:00:00Z' },
    ]);
    expect(service.requests[0]!.query.get('prefix')).toBe('a/');
    expect(service.requests[0]!.query.get('maxResults')).toBe('10');
  });

  it('reads no more than it was told, and of the generation that it was told', async () => {
    service.behave(holding(Buffer.from('0123456789')));
    const read = await ports.objects.read({ ...where, generation: '7', maxBytes: 4 });
    expect(read.toString()).toBe('0123');
    expect(service.requests[0]!.query.get('generation')).toBe('7');
    service.behave(holding(Buffer.alloc(0)));
    await expect(ports.objects.read({ ...where, maxBytes: 4 })).resolves.toHaveLength(0);
  });

  it('reads what comes in pieces, and Node warns of nothing', async () => {
    const content = Buffer.alloc(500_000, 'x');
    service.behave(holding(content));
    // In a process of its own: what Jest calls `process` hears of no warnings.
    const script = `
      const { googlePorts } = await import(${JSON.stringify(pathToFileURL(index).href)});
      const { objects } = googlePorts({ endpoint: ${JSON.stringify(service.endpoint)} });
      const where = ${JSON.stringify({ ...where, maxBytes: content.length })};
      console.log((await objects.read(where)).length);`;
    const { stdout, stderr } = await execute(process.execPath, [
      '--input-type=module',
      '-e',
      script,
    ]);
    expect({ stdout, stderr }).toEqual({ stdout: `${content.length}\n`, stderr: '' });
  });

  it('fails on an object that is not there', async () => {
    service.behave(() => googleError(404, 'notFound', 'No such object: a/b'));
    await expect(ports.objects.read({ ...where, maxBytes: 4 })).rejects.toMatchObject({
      status: 404,
    });
  });
});

describe('build logs', () => {
  const read = (offset: number, uri = 'gs://logs-bucket/some/prefix') =>
    ports.buildLogs.read({ uri, buildId: '11-22', offset });

  it('reads on from an offset and keeps characters whole', async () => {
    const content = Buffer.from('step 1\nüber');
    service.behave(holding(content.subarray(0, 8)));
    await expect(read(0)).resolves.toEqual({ text: 'step 1\n', nextOffset: 7 });
    expect(service.requests[0]!.path).toContain('some/prefix/log-11-22.txt');
    service.behave(holding(content));
    await expect(read(7)).resolves.toEqual({ text: 'über', nextOffset: content.length });
    await expect(read(content.length)).resolves.toEqual({ text: '', nextOffset: content.length });
  });

  it('takes a log that does not exist as one without lines', async () => {
    service.behave(() => googleError(404, 'notFound', 'No such object'));
    await expect(read(0)).resolves.toEqual({ text: '', nextOffset: 0 });
  });

  it.each([
    ['abc', 3],
    ['aü', 3],
    ['a€', 4],
    ['a😀', 5],
  ])('counts the whole characters of every prefix of %j', (text, whole) => {
    const bytes = Buffer.from(text);
    expect(wholeCharacters(bytes)).toBe(whole);
    for (let cut = 1; cut < bytes.length; cut++) {
      expect(bytes.subarray(0, wholeCharacters(bytes.subarray(0, cut))).toString()).not.toContain(
        '�',
      );
    }
  });
});

describe('job logs', () => {
  it('asks for one page, oldest first, and splits entries into lines', async () => {
    service.behave(() => ({
      json: {
        entries: [
          { insertId: 'a', timestamp: '2026-01-02T00:00:00.500000007Z', textPayload: 'one\ntwo\n' },
          { insertId: 'b', timestamp: '2026-01-02T00:00:01Z', jsonPayload: { message: 'three' } },
          { insertId: 'c', timestamp: '2026-01-02T00:00:02Z', jsonPayload: { loss: 0.5, l: [1] } },
          { insertId: 'd', timestamp: '2026-01-02T00:00:03Z' },
        ],
        nextPageToken: 'more',
      },
    }));
    const entries = await ports.jobLogs.read({
      project: 'demo-project',
      jobId: '42',
      since: '2026-01-01T00:00:00Z',
      limit: 100,
    });
    // The token says that there is more, so its reader goes on where this page ends.
    expect(entries).toEqual({
      continueAt: '2026-01-02T00:00:03.000000000Z',
      entries: [
        { insertId: 'a', timestamp: '2026-01-02T00:00:00.500000007Z', text: 'one' },
        { insertId: 'a#1', timestamp: '2026-01-02T00:00:00.500000007Z', text: 'two' },
        { insertId: 'b', timestamp: '2026-01-02T00:00:01.000000000Z', text: 'three' },
        {
          insertId: 'c',
          timestamp: '2026-01-02T00:00:02.000000000Z',
          text: '{"loss":0.5,"l":[1]}',
        },
      ],
    });
    expect(service.requests).toHaveLength(1);
    expect(service.requests[0]!.path).toBe('/v2/entries:list');
    expect(JSON.parse(service.requests[0]!.body)).toEqual({
      resourceNames: ['projects/demo-project'],
      filter:
        'resource.type="ml_job" AND resource.labels.job_id="42" AND timestamp>="2026-01-01T00:00:00.000Z"',
      orderBy: 'timestamp asc',
      pageSize: 100,
    });
  });

  it('asks for many jobs at once, each from where it wants to be read', async () => {
    const entry = (job_id: string, insertId: string, second: number): unknown => ({
      insertId,
      timestamp: `2026-01-02T00:00:0${second}Z`,
      resource: { type: 'ml_job', labels: { job_id } },
      textPayload: insertId,
    });
    service.behave(() => ({
      json: { entries: [entry('1', 'a', 1), entry('2', 'b', 2), entry('1', 'c', 3)] },
    }));
    const jobs = [
      { jobId: '1', since: '2026-01-01T00:00:00Z' },
      { jobId: '2', since: '2026-01-01T00:00:00.000000000Z' },
      { jobId: '3', since: '2026-01-01T12:00:00.5Z' },
    ];
    const page = await ports.manyJobLogs.readMany({ project: 'demo-project', jobs, limit: 1_000 });
    const texts = [...page.entriesOf].map(([job, lines]) => [job, lines.map(({ text }) => text)]);
    expect(texts).toEqual([
      ['1', ['a', 'c']],
      ['2', ['b']],
    ]);
    expect(page.continueAt).toBeUndefined();
    const { filter } = JSON.parse(service.requests[0]!.body) as { filter: string };
    expect(filter).toBe(
      'resource.type="ml_job" AND (resource.labels.job_id=("1" OR "2") OR ' +
        '(resource.labels.job_id="3" AND timestamp>="2026-01-01T12:00:00.500Z")) AND ' +
        'timestamp>="2026-01-01T00:00:00.000Z"',
    );
  });

  it('keeps to the length that a filter may have, however different the jobs are', async () => {
    service.behave(() => ({ json: {} }));
    const jobs = Array.from({ length: ports.manyJobLogs.maxJobs }, (_, job) => ({
      jobId: String(10n ** 18n + BigInt(job)),
      since: new Date(Date.UTC(2026, 0, 1) + job).toISOString(),
    }));
    await ports.manyJobLogs.readMany({ project: 'demo-project', jobs, limit: 1_000 });
    const { filter } = JSON.parse(service.requests[0]!.body) as { filter: string };
    expect(filter.length).toBeLessThanOrEqual(20_000);
  });

  it.each([
    ['of lines without text', 3, 1_000, '', true],
    ['of one instant', 0, 1_000, 'x', true],
    ['cut short', 3, 10, 'x', true],
    ['cut short within an instant', 0, 10, 'x', false],
  ])('says where to go on behind a page %s', async (_what, seconds, count, text, goesOn) => {
    const entries = Array.from({ length: count }, (_, at) => ({
      insertId: String(at),
      timestamp: `2026-01-02T00:00:0${Math.floor((at * (seconds + 1)) / count)}Z`,
      textPayload: text,
    }));
    service.behave(() => ({ json: { entries, nextPageToken: 'more' } }));
    const since = '2026-01-02T00:00:00.000Z';
    const where = { project: 'demo-project', jobId: '1', since, limit: 1_000 };
    const { continueAt } = await ports.jobLogs.read(where);
    expect(continueAt !== undefined && continueAt > since).toBe(goesOn);
  });
});
