/** Vertex AI custom jobs: the states that they pass, how they end, and how they are found. */
import { afterEach, describe, expect, it } from '@jest/globals';
import type { JobExecution, JobOutcome } from '../../../sandbox/executor/executor.ts';
import { FakeClock } from './fake-clock.ts';
import {
  fakeExecutor,
  image,
  jobOf,
  parent,
  startWorld,
  until,
  untilAborted,
  type Answer,
  type World,
} from './world.ts';

interface Job {
  readonly name: string;
  readonly displayName: string;
  readonly state: string;
  readonly createTime: string;
  readonly startTime?: string;
  readonly endTime?: string;
  readonly error?: { readonly code: number; readonly message: string };
}

let world: World;
afterEach(() => world.close());

const path = `/v1/${parent}/customJobs`;
const create = async (job: object = jobOf()): Promise<Job> => {
  const answer = await world.call('POST', path, job);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body as Job;
};
const get = async (name: string): Promise<Job> =>
  (await world.call('GET', `/v1/${name}`)).body as Job;
const reach = (name: string, state: string): Promise<Job> =>
  until(
    () => get(name),
    (job) => job.state === state,
  );

function runs(run: (job: JobExecution) => Promise<JobOutcome>): ReturnType<typeof fakeExecutor> {
  return fakeExecutor({ run });
}

describe('a job', () => {
  const lags = { jobQueuedMs: 1_000, jobPendingMs: 2_000 };

  it('is queued, pending, running and done, and says when', async () => {
    const clock = new FakeClock();
    const ended = Promise.withResolvers<JobOutcome>();
    const executor = runs(() => ended.promise);
    world = await startWorld({ clock, executor, lags });
    const { name, state, createTime } = await create();
    expect([state, createTime]).toEqual(['JOB_STATE_QUEUED', '2026-01-01T00:00:00.000Z']);
    await clock.advance(1_000);
    expect(await reach(name, 'JOB_STATE_PENDING')).not.toHaveProperty('startTime');
    await clock.advance(2_000);
    expect(await reach(name, 'JOB_STATE_RUNNING')).toMatchObject({
      startTime: '2026-01-01T00:00:03.000Z',
    });
    clock.pass(60_000);
    expect(await get(name)).not.toHaveProperty('endTime');
    ended.resolve({ exitCode: 0, signal: null });
    expect(await reach(name, 'JOB_STATE_SUCCEEDED')).toMatchObject({
      endTime: '2026-01-01T00:01:03.000Z',
      updateTime: '2026-01-01T00:01:03.000Z',
    });
  });

  it.each<[name: string, outcome: JobOutcome, code: number, message: RegExp]>([
    [
      'an exit code',
      { exitCode: 3, signal: null },
      3,
      /^The replica workerpool0-0 exited with a non-zero status of 3\. Termination reason: Error\./,
    ],
    ['a signal', { exitCode: null, signal: 'SIGKILL' }, 3, /non-zero status of 137\./],
    [
      'a missing image',
      { exitCode: null, signal: null, error: { kind: 'image_not_found', message: 'not found' } },
      3,
      /failed to pull the image us-central1-docker/,
    ],
    [
      'a missing program',
      { exitCode: null, signal: null, error: { kind: 'entrypoint_not_found', message: 'no' } },
      3,
      /status of 127\. Termination reason: ContainerCannotRun/,
    ],
    [
      'too little memory',
      {
        exitCode: null,
        signal: 'SIGKILL',
        error: { kind: 'out_of_memory', message: 'it used 9 MiB' },
      },
      3,
      /^The replica workerpool0-0 ran out-of-memory and exited with a non-zero status of 9\(SIGKILL\)/,
    ],
    [
      'a mistake of ours',
      { exitCode: null, signal: null, error: { kind: 'internal', message: 'secret' } },
      13,
      /^Internal error occurred for the current attempt\.$/,
    ],
  ])('fails by %s', async (_name, outcome, code, message) => {
    world = await startWorld({ executor: runs(() => Promise.resolve(outcome)) });
    const { name } = await create();
    const { error } = await reach(name, 'JOB_STATE_FAILED');
    expect(error).toEqual({ code, message: expect.stringMatching(message) });
  });

  it('fails when it runs longer than its timeout, which counts from RUNNING', async () => {
    const clock = new FakeClock();
    const started = Promise.withResolvers<undefined>();
    const executor = runs((job) => {
      started.resolve(undefined);
      return untilAborted(job.signal);
    });
    world = await startWorld({ clock, executor, lags });
    const { name } = await create(jobOf({}, { scheduling: { timeout: '90s' } }));
    await clock.advance(1_000);
    await clock.advance(2_000);
    await started.promise;
    clock.pass(89_000);
    expect((await get(name)).state).toBe('JOB_STATE_RUNNING');
    await clock.advance(1_000);
    const { error } = await reach(name, 'JOB_STATE_FAILED');
    expect(error).toEqual({ code: 4, message: expect.stringContaining('90s') });
  });

  it('gives each replica its place in the cluster', async () => {
    const started: JobExecution[] = [];
    const executor = runs((job) => {
      started.push(job);
      return job.env['TF_CONFIG']?.includes('"type":"chief"') === true
        ? Promise.resolve({ exitCode: 0, signal: null })
        : untilAborted(job.signal);
    });
    world = await startWorld({ executor });
    const pool = (replicaCount: number, args: string[]): object => ({
      machineSpec: { machineType: 'n1-standard-4' },
      replicaCount,
      containerSpec: { imageUri: image, args, env: [{ name: 'RATE', value: '0.1' }] },
    });
    const { name } = await create({
      displayName: 'distributed',
      jobSpec: {
        workerPoolSpecs: [pool(1, ['--rate=$(RATE)', '$$(RATE)']), {}, pool(2, [])],
        baseOutputDirectory: { outputUriPrefix: 'gs://results/run' },
      },
    });
    await reach(name, 'JOB_STATE_SUCCEEDED');
    const specs = started.map(
      ({ env }) =>
        JSON.parse(env['CLUSTER_SPEC'] ?? '') as {
          task: { type: string; index: number };
          cluster: Record<string, string[]>;
        },
    );
    expect(specs.map(({ task }) => `${task.type}-${task.index}`).sort()).toEqual([
      'workerpool0-0',
      'workerpool2-0',
      'workerpool2-1',
    ]);
    expect(Object.keys(specs[0]?.cluster ?? {})).toEqual(['workerpool0', 'workerpool2']);
    expect(started[0]).toMatchObject({
      args: ['--rate=0.1', '$(RATE)'],
      // What an n1-standard-4 has.
      machineMemoryBytes: 15 * 1024 ** 3,
      env: {
        CLOUD_ML_PROJECT_ID: '123456789012',
        AIP_MODEL_DIR: 'gs://results/run/model/',
        AIP_CHECKPOINT_DIR: 'gs://results/run/checkpoints/',
        AIP_TENSORBOARD_LOG_DIR: 'gs://results/run/logs/',
      },
    });
  });
});

describe('cancelling', () => {
  it.each([
    ['QUEUED', []],
    ['PENDING', [1_000]],
    ['RUNNING', [1_000, 2_000]],
  ])('ends a job that is %s', async (state, waits) => {
    const clock = new FakeClock();
    const executor = runs((job) => untilAborted(job.signal));
    world = await startWorld({
      clock,
      executor,
      lags: { jobQueuedMs: 1_000, jobPendingMs: 2_000 },
    });
    const { name } = await create();
    for (const ms of waits) await clock.advance(ms);
    await reach(name, `JOB_STATE_${state}`);
    const answer = await world.call('POST', `/v1/${name}:cancel`, {});
    expect([answer.status, answer.body]).toEqual([200, {}]);
    const ended = await reach(name, 'JOB_STATE_CANCELLED');
    expect(ended.error?.code).toBe(1);
    expect(ended.endTime).toBeDefined();
  });

  it('is CANCELLING while the replica still ends, and never runs again', async () => {
    const released = Promise.withResolvers<undefined>();
    const executor = runs(async (job) => {
      await untilAborted(job.signal);
      await released.promise;
      return { exitCode: 0, signal: null };
    });
    world = await startWorld({ executor });
    const { name } = await create();
    await reach(name, 'JOB_STATE_RUNNING');
    await world.call('POST', `/v1/${name}:cancel`);
    await world.call('POST', `/v1/${name}:cancel`);
    expect((await get(name)).state).toBe('JOB_STATE_CANCELLING');
    released.resolve(undefined);
    await reach(name, 'JOB_STATE_CANCELLED');
  });

  it('leaves a finished job as it is', async () => {
    world = await startWorld();
    const { name } = await create();
    const done = await reach(name, 'JOB_STATE_SUCCEEDED');
    expect((await world.call('POST', `/v1/${name}:cancel`, {})).status).toBe(200);
    expect(await get(name)).toEqual(done);
  });
});

describe('deleting', () => {
  it('is refused while the job runs, and leaves nothing after it', async () => {
    world = await startWorld({ executor: runs((job) => untilAborted(job.signal)) });
    const { name } = await create();
    await reach(name, 'JOB_STATE_RUNNING');
    const early = await world.call('DELETE', `/v1/${name}`);
    expect(early.body).toMatchObject({ error: { code: 400, status: 'FAILED_PRECONDITION' } });
    await world.call('POST', `/v1/${name}:cancel`);
    await reach(name, 'JOB_STATE_CANCELLED');
    const operation = (await world.call('DELETE', `/v1/${name}`)).body as { name: string };
    expect(operation).toMatchObject({
      done: true,
      response: { '@type': 'type.googleapis.com/google.protobuf.Empty' },
    });
    expect((await world.call('GET', `/v1/${operation.name}`)).body).toEqual(operation);
    for (const verb of ['GET', 'DELETE']) {
      const answer = await world.call(verb, `/v1/${name}`);
      expect(answer.body).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } });
    }
  });
});

describe('listing', () => {
  const list = async (query: string, at = path): Promise<Answer> =>
    world.call('GET', `${at}?${query}`);
  const namesOf = ({ body }: Answer): string[] =>
    ((body as { customJobs?: Job[] }).customJobs ?? []).map(({ displayName }) => displayName);

  async function startThree(): Promise<void> {
    const clock = new FakeClock();
    const executor = runs((job) => untilAborted(job.signal));
    world = await startWorld({ clock, executor, lags: { jobQueuedMs: 10_000_000 } });
    for (const [displayName, labels] of [
      ['one', { pr: '1', team: 'ml' }],
      ['two', { pr: '2', empty: '' }],
      ['three', {}],
    ] as const) {
      await create(jobOf({ displayName, labels }));
      clock.pass(60_000);
    }
    const { customJobs } = (await list('')).body as { customJobs: Job[] };
    await world.call('POST', `/v1/${customJobs[0]!.name}:cancel`);
    await reach(customJobs[0]!.name, 'JOB_STATE_CANCELLED');
  }

  it.each([
    ['', ['three', 'two', 'one']],
    ['labels.pr=1', ['one']],
    ['labels.pr="1" OR labels.pr="2"', ['two', 'one']],
    ['labels.pr:*', ['two', 'one']],
    ['labels.empty:*', ['two']],
    ['NOT labels.pr:*', ['three']],
    ['labels.pr!=1', ['three', 'two']],
    ['state="JOB_STATE_QUEUED"', ['two', 'one']],
    ['state!=JOB_STATE_QUEUED', ['three']],
    ['labels.pr=1 AND state="JOB_STATE_QUEUED"', ['one']],
    ['display_name="two"', ['two']],
    ['display_name:"t*"', ['three', 'two']],
    ['create_time>="2026-01-01T00:01:00Z"', ['three', 'two']],
    ['create_time<"2026-01-01T00:01:00Z" labels.team=ml', ['one']],
    ['(labels.pr=1 OR labels.pr=2) AND NOT labels.team=ml', ['two']],
    ['labels.pr=3', []],
  ])('filters by %s', async (filter, expected) => {
    await startThree();
    expect(namesOf(await list(new URLSearchParams({ filter }).toString()))).toEqual(expected);
  });

  it.each([
    ['an unknown field', 'filter=colour%3Dred', /unsupported field: colour/],
    ['a state that does not exist', 'filter=state%3DDONE', /invalid value for state: DONE/],
    ['half a filter', 'filter=labels.a%3D1+AND', /syntax error/],
    ['a bare word', 'filter=hello', /invalid restriction/],
    ['a time that is none', 'filter=create_time%3Eyesterday', /invalid timestamp/],
    ['a foreign token', 'pageToken=bm90IG9uZQ', /page token is invalid/],
    ['a negative page', 'pageSize=-1', /must not be negative/],
    [
      'a page size that is no number',
      'pageSize=ten',
      /Invalid value at 'page_size' \(TYPE_INT32\)/,
    ],
    ['an unknown parameter', 'orderBy=name', /Unknown name "orderBy": Cannot bind query parameter/],
  ])('refuses %s', async (_name, query, message) => {
    world = await startWorld();
    const { status, body } = await list(query);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: {
        code: 400,
        status: 'INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      },
    });
  });

  it('gives pages that do not shift when a job comes in between', async () => {
    await startThree();
    const first = await list('pageSize=2');
    expect(namesOf(first)).toEqual(['three', 'two']);
    await create(jobOf({ displayName: 'four' }));
    const { nextPageToken } = first.body as { nextPageToken: string };
    const second = await list(`pageSize=2&pageToken=${nextPageToken}`);
    expect(namesOf(second)).toEqual(['one']);
    expect(second.body).not.toHaveProperty('nextPageToken');
  });

  it('keeps regions apart, and knows which there are', async () => {
    world = await startWorld();
    const { name } = await create();
    const there = path.replace('us-central1', 'europe-west4');
    expect(namesOf(await list('', there))).toEqual([]);
    expect(
      (await world.call('GET', `/v1/${name.replace('us-central1', 'europe-west4')}`)).status,
    ).toBe(404);
    for (const region of ['global', 'us-central9', 'us']) {
      const answer = await world.call('POST', path.replace('us-central1', region), jobOf());
      expect(answer.body).toMatchObject({
        error: {
          code: 400,
          message: expect.stringContaining(`Unsupported region for Vertex AI: ${region}`),
        },
      });
    }
    const foreign = await list('', path.replace('demo-project', 'other'));
    expect(foreign.body).toMatchObject({ error: { code: 403, status: 'PERMISSION_DENIED' } });
  });
});
