/** What is there after the sandbox was stopped, or killed, and started again. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { JobOutcome } from '../../../sandbox/executor/executor.ts';
import { startGoogle } from '../../../sandbox/google/server.ts';
import {
  fakeExecutor,
  fakeRegistry,
  jobOf,
  parent,
  project,
  projectNumber,
  startWorld,
  until,
  untilAborted,
  type World,
} from './world.ts';

let world: World;
afterEach(() => world.close());

const waiting = fakeExecutor({
  run: (job) => untilAborted(job.signal),
  build: async ({ signal }) => {
    await untilAborted(signal);
    return { status: 'CANCELLED', images: [] };
  },
});
const builds = '/v1/projects/demo-project/locations/global/builds';

async function createJob(): Promise<string> {
  const { body } = await world.call(
    'POST',
    `/v1/${parent}/customJobs`,
    jobOf({ labels: { run: 'r1' } }),
  );
  return (body as { name: string }).name;
}
const reach = async (name: string, state: string): Promise<object> =>
  (
    await until(
      () => world.call('GET', `/v1/${name}`),
      ({ body }) => {
        const { state: job, status } = body as { state?: string; status?: string };
        return (job ?? status) === state;
      },
    )
  ).body as object;

describe('a custom job', () => {
  it('that had not begun begins', async () => {
    world = await startWorld({ lags: { jobQueuedMs: 60_000 } });
    const name = await createJob();
    world = await world.restart({ lags: {} });
    expect(await reach(name, 'JOB_STATE_SUCCEEDED')).toMatchObject({ labels: { run: 'r1' } });
  });

  it('that was running has lost its worker, says so, and is not run twice', async () => {
    let runs = 0;
    const executor = fakeExecutor({
      run: (job) => {
        runs++;
        return untilAborted(job.signal);
      },
    });
    world = await startWorld({ executor });
    const name = await createJob();
    await reach(name, 'JOB_STATE_RUNNING');
    await until(
      () => Promise.resolve(runs),
      (count) => count === 1,
    );
    world = await world.restart();
    expect(await reach(name, 'JOB_STATE_FAILED')).toMatchObject({
      endTime: expect.any(String),
      error: { code: 13, message: 'The sandbox was stopped while this job ran.' },
    });
    expect(runs).toBe(1);
    const list = await world.call('GET', `/v1/${parent}/customJobs?filter=labels.run%3Dr1`);
    expect(list.body).toMatchObject({ customJobs: [{ name, state: 'JOB_STATE_FAILED' }] });
  });

  it('that was to end by a cancellation ends by it', async () => {
    const stuck = Promise.withResolvers<JobOutcome>();
    const executor = fakeExecutor({ run: () => stuck.promise });
    world = await startWorld({ executor });
    const name = await createJob();
    await reach(name, 'JOB_STATE_RUNNING');
    await world.call('POST', `/v1/${name}:cancel`, {});
    await reach(name, 'JOB_STATE_CANCELLING');
    // As after a crash: the first server has no chance to write an end, for its replica hangs.
    const second = await startGoogle({
      dataDir: world.dataDir,
      port: 0,
      project,
      projectNumber,
      executor: waiting,
      registry: fakeRegistry,
      realistic: false,
    });
    try {
      const answer = await fetch(`${second.endpoint}/v1/${name}`);
      expect(await answer.json()).toMatchObject({
        state: 'JOB_STATE_CANCELLED',
        error: { code: 1 },
      });
    } finally {
      await second.close();
      stuck.resolve({ exitCode: 0, signal: null });
    }
  });
});

describe('a build', () => {
  const create = async (): Promise<string> => {
    const { body } = await world.call('POST', builds, { steps: [{ name: 'ubuntu' }], tags: ['t'] });
    return (body as { metadata: { build: { name: string } } }).metadata.build.name;
  };

  it('that had not begun begins', async () => {
    world = await startWorld({ lags: { buildQueuedMs: 60_000 } });
    const name = await create();
    world = await world.restart({ lags: {} });
    expect(await reach(name, 'SUCCESS')).toMatchObject({ tags: ['t'] });
  });

  it('that was working ends with an internal error', async () => {
    world = await startWorld({ executor: waiting });
    const name = await create();
    await reach(name, 'WORKING');
    world = await world.restart();
    expect(await reach(name, 'INTERNAL_ERROR')).toMatchObject({
      finishTime: expect.any(String),
      statusDetail: 'The sandbox was stopped while this build ran.',
    });
  });
});

it('everything else is as it was', async () => {
  world = await startWorld();
  await world.call('POST', '/storage/v1/b?project=demo-project', {
    name: 'kept',
    labels: { a: 'b' },
  });
  await world.call('POST', '/upload/storage/v1/b/kept/o?uploadType=media&name=o', 'content');
  await world.call('POST', `/v1/${parent}/repositories?repositoryId=kept`, { format: 'DOCKER' });
  const name = await createJob();
  await reach(name, 'JOB_STATE_SUCCEEDED');
  const paths = [
    '/storage/v1/b/kept',
    '/storage/v1/b/kept/o/o',
    `/v1/${parent}/repositories`,
    `/v1/${name}`,
  ];
  const look = async (): Promise<unknown[]> => {
    const answers = await Promise.all(paths.map((path) => world.call('GET', path)));
    const logs = await world.call('POST', '/v2/entries:list', {
      resourceNames: ['projects/demo-project'],
    });
    const media = await world.call('GET', '/storage/v1/b/kept/o/o?alt=media');
    // Links carry the port, which another server has.
    const bodies = [...answers, logs].map(
      ({ text }) => JSON.parse(text.replaceAll(world.endpoint, '')) as unknown,
    );
    return [...bodies, media.text];
  };
  const before = await look();
  world = await world.restart();
  expect(await look()).toEqual(before);
});

it('a file that cannot be read is named, and not overwritten', async () => {
  world = await startWorld();
  const path = join(world.dataDir, 'jobs', 'broken.json');
  await writeFile(path, '{"key":');
  await expect(world.restart()).rejects.toThrow(path);
  await rm(path);
  world = await startWorld({ dataDir: world.dataDir });
});
