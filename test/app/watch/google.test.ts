/** Watching together against the local Google Cloud, which refuses what the real one would: requests are counted. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { LogQuota } from '../../../app/watch/log-quota.ts';
import { watchTogether } from '../../../app/watch/watch-together.ts';
import { googlePorts } from '../../../shared/google/index.ts';
import { systemClock, type CloudPorts } from '../../../shared/ports.ts';
import {
  digest,
  fakeExecutor,
  image,
  startWorld,
  until,
  type World,
} from '../../sandbox/google/world.ts';

const owner = 'test';
const place = { project: 'demo-project', region: 'us-central1' };
let world: World;
let google: CloudPorts;
let calls: string[] = [];
let mayEnd = false;

beforeAll(async () => {
  world = await startWorld({
    executor: fakeExecutor({
      run: async (job) => {
        job.log(`epoch=1 loss=0.5`, 'stdout');
        await until(() => Promise.resolve(mayEnd), Boolean);
        return { exitCode: 0, signal: null };
      },
      build: async ({ images }) => {
        await until(() => Promise.resolve(mayEnd), Boolean);
        return { status: 'SUCCESS', images: images.map((name) => ({ name, digest })) };
      },
    }),
  });
  const onCall = (operation: string): void => void calls.push(operation);
  google = watchTogether(googlePorts({ endpoint: world.endpoint, onCall }), {
    ...{ clock: systemClock, tickMs: 60_000, owner },
    logQuota: new LogQuota(60, systemClock),
  });
});
afterAll(() => world.close());

async function createJobs(count: number): Promise<string[]> {
  const names: string[] = [];
  for (let job = 0; job < count; job++) {
    const created = await google.jobs.create({
      ...{ ...place, displayName: 'digits' },
      spec: {
        workerPoolSpecs: [{ ...machine, replicaCount: '1', containerSpec: { imageUri: image } }],
      },
      labels: { 'trainyard-owner': owner, 'trainyard-run': `run${job}` },
    });
    names.push(created.name);
  }
  return names;
}
const machine = { machineSpec: { machineType: 'n1-standard-4' } };

it('looks at 120 jobs with the two pages of one listing, and reads their logs at once', async () => {
  const names = await createJobs(120);
  await until(
    async () => (await world.call('GET', `/v1/${names.at(-1) ?? ''}`)).body as { state: string },
    ({ state }) => state === 'JOB_STATE_RUNNING',
  );
  calls = [];
  const found = await Promise.all(names.map((name) => google.jobs.get(name)));
  expect(new Set(found.map(({ state }) => state))).toEqual(new Set(['running']));
  expect(found.map(({ id }) => id)).toEqual(names.map((name) => name.split('/').at(-1)));
  expect(calls).toEqual(['customJobs.list', 'customJobs.list']);

  calls = [];
  const pages = await Promise.all(
    found.map(({ id, createTime = '' }) =>
      google.jobLogs.read({ project: place.project, jobId: id, since: createTime, limit: 1_000 }),
    ),
  );
  expect(pages.map(({ entries }) => entries.map(({ text }) => text))).toEqual(
    names.map(() => ['epoch=1 loss=0.5']),
  );
  expect(calls).toEqual(['entries.list']);
  mayEnd = true;
});

it('looks at builds with one listing', async () => {
  mayEnd = false;
  const create = async (step: string): Promise<string> => {
    const build = {
      steps: [{ name: step, args: ['version'] }],
      tags: [`trainyard-owner-${owner}`],
    };
    const parent = `/v1/projects/${place.project}/locations/${place.region}/builds`;
    const { body } = await world.call('POST', parent, build);
    const { metadata } = body as { metadata: { build: { id: string } } };
    return `${parent.slice('/v1/'.length)}/${metadata.build.id}`;
  };
  const names = [await create('docker'), await create('docker')];
  calls = [];
  const found = await Promise.all(names.map((name) => google.builds.get(name)));
  expect(found.map(({ id }) => id)).toEqual(names.map((name) => name.split('/').at(-1)));
  expect(calls).toEqual(['builds.list']);
  mayEnd = true;
});

it('draws all reads of logs from one account, and sends none when it is used up', async () => {
  const quota = new LogQuota(3, systemClock);
  const beforeLogRead = quota.take.bind(quota);
  const onCall = (operation: string): void => void calls.push(operation);
  const all = watchTogether(googlePorts({ endpoint: world.endpoint, onCall, beforeLogRead }), {
    ...{ clock: systemClock, tickMs: 60_000, owner, logQuota: quota },
  });
  const since = new Date().toISOString();
  const job = { project: place.project, jobId: '1', since, limit: 10 };
  const build = {
    ...{ uri: '', buildId: '00000000-0000-0000-0000-000000000000', offset: 0 },
    logged: { project: place.project, since },
  };
  calls = [];
  await all.jobLogs.read(job);
  await all.buildLogs.read(build);
  await all.logTails?.tail(job);
  expect(calls).toEqual(['entries.list', 'entries.list', 'entries.list']);
  await expect(all.logTails?.tail(job)).rejects.toMatchObject({ status: 429 });
  await expect(all.jobLogs.read({ ...job, jobId: '2' })).rejects.toMatchObject({ status: 429 });
  const unread = await all.buildLogs.read({
    ...build,
    buildId: '11111111-0000-0000-0000-000000000000',
  });
  expect(unread).toEqual({ text: '', nextOffset: 0 });
  expect(calls).toHaveLength(3);
});
