/** Cloud Logging's entries:list: filters, order, pages, and how lines become entries. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeClock } from './fake-clock.ts';
import {
  fakeExecutor,
  jobOf,
  parent,
  startWorld,
  until,
  type Answer,
  type World,
} from './world.ts';

interface Entry {
  readonly logName: string;
  readonly timestamp: string;
  readonly insertId: string;
  readonly severity: string;
  readonly textPayload?: string;
  readonly jsonPayload?: Record<string, unknown>;
  readonly resource: { readonly type: string; readonly labels: Readonly<Record<string, string>> };
}
interface Page {
  readonly entries?: readonly Entry[];
  readonly nextPageToken?: string;
}

let world: World;
let jobId: string;
let times: string[];

const list = (body: object): Promise<Answer> =>
  world.call('POST', '/v2/entries:list', { resourceNames: ['projects/demo-project'], ...body });
const entriesOf = ({ body }: Answer): readonly Entry[] => (body as Page).entries ?? [];
/** A line by its text, whichever payload it has. */
const lineOf = ({ textPayload, jsonPayload }: Entry): unknown =>
  textPayload ?? jsonPayload?.['message'];

beforeAll(async () => {
  const clock = new FakeClock();
  const lines = [
    ['one', 'stdout'],
    ['a warning', 'stderr'],
    ['{"message":"structured","severity":"WARNING","loss":0.5,"deep":{"er":"x"}}', 'stdout'],
    ['{"message":"odd","severity":"loud"}', 'stderr'],
    ['{broken', 'stdout'],
  ] as const;
  const executor = fakeExecutor({
    run: (job) => {
      for (const [line, stream] of lines) {
        job.log(line, stream);
        clock.pass(1_000);
      }
      return Promise.resolve({ exitCode: 0, signal: null });
    },
  });
  world = await startWorld({ clock, executor, lags: { jobQueuedMs: 0, jobPendingMs: 0 } });
  const { name } = (await world.call('POST', `/v1/${parent}/customJobs`, jobOf())).body as {
    name: string;
  };
  jobId = name.split('/').at(-1)!;
  const all = await until(
    () => list({}),
    (answer) => entriesOf(answer).length === 6,
  );
  times = entriesOf(all).map(({ timestamp }) => timestamp);
});
afterAll(() => world.close());

describe('an entry', () => {
  it('says which job, replica and stream its line is from', async () => {
    const [first, second] = entriesOf(await list({}));
    expect(first).toEqual({
      logName: 'projects/demo-project/logs/workerpool0-0',
      resource: {
        type: 'ml_job',
        labels: { job_id: jobId, project_id: 'demo-project', task_name: 'workerpool0-0' },
      },
      labels: expect.any(Object),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/),
      receiveTimestamp: expect.any(String),
      insertId: expect.any(String),
      severity: 'INFO',
      textPayload: 'one',
    });
    expect(second).toMatchObject({ severity: 'ERROR', textPayload: 'a warning' });
  });

  it('is structured where the line is', async () => {
    const [, , structured, odd, broken] = entriesOf(await list({}));
    expect(structured).toMatchObject({
      severity: 'WARNING',
      jsonPayload: { message: 'structured', loss: 0.5, deep: { er: 'x' } },
    });
    expect(structured?.jsonPayload).not.toHaveProperty('severity');
    expect(odd?.severity).toBe('ERROR');
    expect(broken?.textPayload).toBe('{broken');
  });
});

describe('a filter', () => {
  it.each([
    ['', ['one', 'a warning', 'structured', 'odd', '{broken', 'Job completed successfully.']],
    [
      'resource.type="ml_job" AND resource.labels.job_id="JOB" AND severity>=ERROR',
      ['a warning', 'odd'],
    ],
    ['resource.labels.job_id=("JOB" OR "another") severity=WARNING', ['structured']],
    ['resource.labels.job_id="another"', []],
    ['resource.labels.task_name="service"', ['Job completed successfully.']],
    ['NOT resource.labels.task_name="service" AND textPayload:"WARN"', ['a warning']],
    ['textPayload=~"^o"', ['one']],
    ['textPayload!~"^o" textPayload:*', ['a warning', '{broken', 'Job completed successfully.']],
    ['jsonPayload.message="structured"', ['structured']],
    ['jsonPayload.deep.er="x"', ['structured']],
    ['jsonPayload.loss:*', ['structured']],
    ['"completed"', ['Job completed successfully.']],
    ['logName="projects/demo-project/logs/workerpool0-0" -severity>INFO', ['one', '{broken']],
    ['timestamp>"T1"', ['structured', 'odd', '{broken', 'Job completed successfully.']],
    ['timestamp>="T1" AND timestamp<"T3"', ['a warning', 'structured']],
    [
      '(timestamp="T2" AND insertId>"") OR timestamp>"T4"',
      ['structured', 'Job completed successfully.'],
    ],
    [
      'severity="INFO" OR severity="WARNING" AND resource.labels.task_name="workerpool0-0"',
      ['one', 'structured', '{broken'],
    ],
    ['protoPayload.methodName="x"', []],
    ['-- a comment\nseverity=WARNING -- and another', ['structured']],
  ])('%s', async (filter, expected) => {
    const filled = filter
      .replaceAll('JOB', jobId)
      .replace(/T(\d)/g, (_, i: string) => times[Number(i)] ?? '');
    expect(entriesOf(await list({ filter: filled })).map(lineOf)).toEqual(expected);
  });

  it.each([
    ['an open quote', 'textPayload="x', /Unparseable filter: syntax error at line 1, column 13/],
    ['half a comparison', 'severity>=', /syntax error .* end of input/],
    ['an unknown field', 'colour="red"', /unsupported field: colour/],
    ['a severity that does not exist', 'severity>=LOUD', /invalid severity: LOUD/],
    ['a time that is none', 'timestamp>"yesterday"', /invalid timestamp/],
    ['an expression that is none', 'textPayload=~"("', /invalid regular expression/],
    ['one that would take for ever', 'textPayload=~"(a+)+$"', /too complex/],
    ['too many brackets', `${'('.repeat(100)}a${')'.repeat(100)}`, /nested too deeply/],
    ['too long a text', `textPayload="${'x'.repeat(20_001)}"`, /longer than 20000/],
  ])('is refused: %s', async (_name, filter, message) => {
    const { body } = await list({ filter });
    expect(body).toMatchObject({
      error: { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringMatching(message) },
    });
  });
});

describe('a request', () => {
  it.each([
    ['no names', { resourceNames: [] }, 400],
    ['a foreign project', { resourceNames: ['projects/other'] }, 403],
    ['an order that does not exist', { orderBy: 'severity' }, 400],
    ['an unknown field', { limit: 5 }, 400],
    ['a page size that is text', { pageSize: 'ten' }, 400],
    ['a token of nobody', { pageToken: 'eA' }, 400],
  ])('is refused with %s', async (_name, body, status) => {
    expect((await list(body)).status).toBe(status);
  });

  it('gives pages in either order, each entry once', async () => {
    for (const orderBy of ['timestamp asc', 'timestamp desc']) {
      const seen: string[] = [];
      let pageToken: string | undefined;
      do {
        const answer = await list({
          orderBy,
          pageSize: 4,
          ...(pageToken === undefined ? {} : { pageToken }),
        });
        seen.push(...entriesOf(answer).map(({ timestamp }) => timestamp));
        pageToken = (answer.body as Page).nextPageToken;
      } while (pageToken !== undefined);
      expect(seen).toEqual(orderBy.endsWith('asc') ? times : [...times].reverse());
    }
  });
});

it('of a job that prints without end is cut short, and says so', async () => {
  const line = 'x'.repeat(64 * 1024);
  const executor = fakeExecutor({
    run: (job) => {
      for (let n = 0; n < 1_200; n++) job.log(line, 'stdout');
      return Promise.resolve({ exitCode: 0, signal: null });
    },
  });
  const noisy = await startWorld({ executor });
  try {
    const { name } = (await noisy.call('POST', `/v1/${parent}/customJobs`, jobOf())).body as {
      name: string;
    };
    await until(
      () => noisy.call('GET', `/v1/${name}`),
      ({ body }) => (body as { state: string }).state === 'JOB_STATE_SUCCEEDED',
    );
    const read = (filter: string): Promise<Answer> =>
      noisy.call('POST', '/v2/entries:list', {
        ...{ resourceNames: ['projects/demo-project'], filter, orderBy: 'timestamp desc' },
        pageSize: 1,
      });
    const [last] = entriesOf(await read(''));
    expect(last?.textPayload).toBe('The sandbox keeps no more lines of this resource.');
  } finally {
    await noisy.close();
  }
});
