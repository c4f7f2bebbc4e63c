/** Cloud Build: the statuses that a build passes, its log, its results, and what is refused. */
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { BuildExecution, BuildOutcome } from '../../../sandbox/executor/executor.ts';
import { FakeClock } from './fake-clock.ts';
import {
  digest,
  fakeExecutor,
  image,
  startWorld,
  until,
  untilAborted,
  type Answer,
  type FakeExecutor,
  type World,
} from './world.ts';

interface Build {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly statusDetail?: string;
  readonly logsBucket?: string;
}

let world: World;
afterEach(() => world.close());

const global = '/v1/projects/demo-project/locations/global/builds';
const step = { name: 'ubuntu', args: ['true'] };
const bucket = async (name: string): Promise<void> => {
  await world.call('POST', '/storage/v1/b?project=demo-project', { name });
};
const create = async (build: object = { steps: [step] }, at = global): Promise<Build> => {
  const { status, text, body } = await world.call('POST', at, build);
  if (status !== 200) throw new Error(text);
  return (body as { metadata: { build: Build } }).metadata.build;
};
const get = async (build: Build): Promise<Build> =>
  (await world.call('GET', `/v1/${build.name}`)).body as Build;
const reach = (build: Build, status: string): Promise<Build> =>
  until(
    () => get(build),
    (now) => now.status === status,
  );
const logOf = (build: Build): Promise<Answer> =>
  world.call('GET', `/${build.logsBucket!.replace('gs://', '')}/log-${build.id}.txt`);

function builds(build: (build: BuildExecution) => Promise<BuildOutcome>): FakeExecutor {
  return fakeExecutor({ build });
}
const waiting = builds(async ({ signal }) => {
  await untilAborted(signal);
  return { status: 'CANCELLED', images: [] };
});

describe('a build', () => {
  it('is queued, working and done, and says when', async () => {
    const clock = new FakeClock();
    const ended = Promise.withResolvers<BuildOutcome>();
    world = await startWorld({
      clock,
      executor: builds(() => ended.promise),
      lags: { buildQueuedMs: 1_000 },
    });
    const build = await create({ steps: [step], images: [image] });
    expect(build).toMatchObject({
      status: 'QUEUED',
      projectId: 'demo-project',
      createTime: '2026-01-01T00:00:00.000Z',
      timeout: '3600s',
      queueTtl: '3600s',
      logUrl: `https://console.cloud.google.com/cloud-build/builds/${build.id}?project=123456789012`,
    });
    await clock.advance(1_000);
    const working = await reach(build, 'WORKING');
    expect(working).toMatchObject({ startTime: '2026-01-01T00:00:01.000Z' });
    expect(working).not.toHaveProperty('results');
    clock.pass(5_000);
    ended.resolve({ status: 'SUCCESS', images: [{ name: image, digest }] });
    expect(await reach(build, 'SUCCESS')).toMatchObject({
      finishTime: '2026-01-01T00:00:06.000Z',
      results: { images: [{ name: image, digest }] },
    });
  });

  it('is followed by its operation, regional and global', async () => {
    world = await startWorld();
    for (const at of [global, global.replace('global', 'us-central1')]) {
      const created = (await world.call('POST', at, { steps: [step] })).body as { name: string };
      const done = await until(
        () => world.call('GET', `/v1/${created.name}`),
        ({ body }) => (body as { done?: boolean }).done === true,
      );
      expect(done.body).toMatchObject({
        name: created.name,
        response: {
          '@type': 'type.googleapis.com/google.devtools.cloudbuild.v1.Build',
          status: 'SUCCESS',
        },
      });
    }
    expect((await world.call('GET', '/v1/operations/build/demo-project/nothing')).status).toBe(404);
  });

  it.each<[name: string, outcome: BuildOutcome, detail: string, type: string]>([
    [
      'a step that fails',
      {
        status: 'FAILURE',
        images: [],
        failedStep: 1,
        failure: { type: 'USER_BUILD_STEP', detail: 'build step 1 "ubuntu" failed: exited with 2' },
      },
      'Build step failure: build step 1 "ubuntu" failed: exited with 2',
      'USER_BUILD_STEP',
    ],
    [
      'an image that no step has made',
      {
        status: 'FAILURE',
        images: [],
        failure: { type: 'PUSH_IMAGE_NOT_FOUND', detail: 'An image does not exist locally' },
      },
      'An image does not exist locally',
      'PUSH_IMAGE_NOT_FOUND',
    ],
  ])('fails by %s', async (_name, outcome, detail, type) => {
    world = await startWorld({ executor: builds(() => Promise.resolve(outcome)) });
    const build = await reach(await create(), 'FAILURE');
    expect(build).toMatchObject({ statusDetail: detail, failureInfo: { type, detail } });
    expect((await logOf(build)).text).toMatch(new RegExp(`ERROR\nERROR: ${detail}\n$`));
  });

  it('fails when its source is not there, before any step', async () => {
    let isRun = false;
    const executor = builds(() => {
      isRun = true;
      return Promise.resolve({ status: 'SUCCESS', images: [] });
    });
    world = await startWorld({ executor });
    await bucket('source-bucket');
    const storageSource = { bucket: 'source-bucket', object: 'gone.tgz', generation: '12' };
    const build = await create({ steps: [step], source: { storageSource } });
    expect(await reach(build, 'FAILURE')).toMatchObject({
      failureInfo: { type: 'FETCH_SOURCE_FAILED', detail: expect.stringContaining('gone.tgz') },
    });
    expect(isRun).toBe(false);
  });

  it('builds the generation that it names, not the newest', async () => {
    const seen: string[] = [];
    const executor = builds(async ({ sourceArchive }) => {
      seen.push(await readFile(sourceArchive!, 'utf8'));
      return { status: 'SUCCESS', images: [] };
    });
    world = await startWorld({ executor });
    await bucket('source-bucket');
    await world.call('PATCH', '/storage/v1/b/source-bucket', { versioning: { enabled: true } });
    const put = async (content: string): Promise<string> => {
      const path = '/upload/storage/v1/b/source-bucket/o?uploadType=media&name=s.tgz';
      return ((await world.call('POST', path, content)).body as { generation: string }).generation;
    };
    const generation = await put('old');
    await put('new');
    for (const pinned of [{ generation }, {}]) {
      const storageSource = { bucket: 'source-bucket', object: 's.tgz', ...pinned };
      await reach(await create({ steps: [step], source: { storageSource } }), 'SUCCESS');
    }
    expect(seen).toEqual(['old', 'new']);
  });

  it('times out, which counts from its start', async () => {
    const clock = new FakeClock();
    const started = Promise.withResolvers<undefined>();
    const executor = builds(async ({ signal }) => {
      started.resolve(undefined);
      await untilAborted(signal);
      return { status: 'CANCELLED', images: [] };
    });
    world = await startWorld({ clock, executor, lags: { buildQueuedMs: 1_000 } });
    const build = await create({ steps: [step], timeout: '30s' });
    await clock.advance(1_000);
    await started.promise;
    clock.pass(29_000);
    expect((await get(build)).status).toBe('WORKING');
    await clock.advance(1_000);
    await reach(build, 'TIMEOUT');
    expect((await logOf(build)).text).toMatch(/TIMEOUT\nERROR: context deadline exceeded\n$/);
  });

  it.each([
    ['queued', 60_000],
    ['working', 5],
  ])('is cancelled while it is %s', async (state, buildQueuedMs) => {
    world = await startWorld({ executor: waiting, lags: { buildQueuedMs } });
    const build = await create();
    await reach(build, state.toUpperCase());
    const answer = await world.call('POST', `/v1/${build.name}:cancel`, {});
    expect(answer.body).toMatchObject({ id: build.id, status: 'CANCELLED' });
    const again = await world.call('POST', `/v1/${build.name}:cancel`, {});
    expect(again.body).toMatchObject({ error: { code: 400, status: 'FAILED_PRECONDITION' } });
  });
});

describe('the log', () => {
  it.each([
    ['the default', {}, '123456789012.cloudbuild-logs.googleusercontent.com/log-ID.txt'],
    ['a bucket of the user', { logsBucket: 'gs://my-logs' }, 'my-logs/log-ID.txt'],
    ['a prefix in it', { logsBucket: 'gs://my-logs/a/b/' }, 'my-logs/a%2Fb%2Flog-ID.txt'],
    [
      'a bucket of the region',
      { options: { defaultLogsBucketBehavior: 'REGIONAL_USER_OWNED_BUCKET' } },
      '123456789012-global-cloudbuild-logs/log-ID.txt',
    ],
  ])('is an object: %s', async (_name, change, path) => {
    world = await startWorld();
    await bucket('my-logs');
    const build = await reach(await create({ steps: [step], ...change }), 'SUCCESS');
    const [name = '', object = ''] = path.replace('ID', build.id).split('/');
    const { text } = await world.call('GET', `/storage/v1/b/${name}/o/${object}?alt=media`);
    expect(text).toBe(`starting build "${build.id}"\n\nBUILD\nStep 1/1 : FROM scratch\nDONE\n`);
  });

  it('grows while the build works, and is read on from where one was', async () => {
    const executor = builds(async ({ log, signal }) => {
      log('first line');
      await untilAborted(signal);
      return { status: 'CANCELLED', images: [] };
    });
    world = await startWorld({ executor });
    const build = await create();
    const early = await until(
      () => logOf(build),
      ({ text }) => text.endsWith('first line\n'),
    );
    const path = `/${build.logsBucket!.replace('gs://', '')}/log-${build.id}.txt`;
    const range = { range: `bytes=${early.text.length}-` };
    expect((await world.call('GET', path, undefined, range)).status).toBe(416);
    await world.call('POST', `/v1/${build.name}:cancel`, {});
    const rest = await world.call('GET', path, undefined, range);
    expect([rest.status, rest.text]).toEqual([206, 'CANCELLED\nERROR: context canceled\n']);
  });

  it.each([
    ['LEGACY', true, true],
    ['GCS_ONLY', true, false],
    ['CLOUD_LOGGING_ONLY', false, true],
    ['NONE', false, false],
  ])('goes where %s says', async (logging, isObject, isEntries) => {
    world = await startWorld();
    const build = await reach(await create({ steps: [step], options: { logging } }), 'SUCCESS');
    expect(build.logsBucket !== undefined).toBe(isObject);
    const { body } = await world.call('POST', '/v2/entries:list', {
      resourceNames: ['projects/demo-project'],
      filter: `logName="projects/demo-project/logs/cloudbuild" AND resource.type="build" AND resource.labels.build_id="${build.id}"`,
    });
    expect('entries' in (body as object)).toBe(isEntries);
  });

  it('is a failure where its bucket does not exist', async () => {
    world = await startWorld();
    const build = await create({ steps: [step], logsBucket: 'gs://nowhere' });
    expect(await reach(build, 'FAILURE')).toMatchObject({
      failureInfo: { type: 'LOGGING_FAILURE', detail: expect.stringContaining('gs://nowhere') },
    });
  });
});

describe('listing', () => {
  const find = async (filter: string, at = global): Promise<string[]> => {
    const answer = await world.call('GET', `${at}?${new URLSearchParams({ filter }).toString()}`);
    if (answer.status !== 200) throw new Error(answer.text);
    return ((answer.body as { builds?: { tags?: string[] }[] }).builds ?? []).map(
      ({ tags }) => tags?.[0] ?? '',
    );
  };

  it.each([
    ['', ['b', 'a']],
    ['tags="a"', ['a']],
    ['tags="a" OR tags="b"', ['b', 'a']],
    ['tags="both" AND NOT tags="a"', ['b']],
    ['status="SUCCESS"', ['b', 'a']],
    ['status="WORKING" AND (status="WORKING" OR status="QUEUED")', []],
    ['status!="SUCCESS"', []],
    [`images="${image}"`, ['b']],
    ['substitutions._WORD="x"', ['a']],
    ['create_time>"2020-01-01T00:00:00Z"', ['b', 'a']],
    [`results.images.digest="${digest}"`, ['b']],
  ])('filters by %s', async (filter, expected) => {
    world = await startWorld();
    const a = await create({
      steps: [{ name: 'ubuntu', args: ['$_WORD'] }],
      tags: ['a', 'both'],
      substitutions: { _WORD: 'x' },
    });
    await reach(a, 'SUCCESS');
    await reach(await create({ steps: [step], tags: ['b', 'both'], images: [image] }), 'SUCCESS');
    await create({ steps: [step], tags: ['elsewhere'] }, global.replace('global', 'us-central1'));
    expect(await find(filter)).toEqual(expected);
    expect(await find('', global.replace('global', 'us-central1'))).toEqual(['elsewhere']);
  });

  it('gives pages, and refuses what it does not know', async () => {
    world = await startWorld();
    for (let i = 0; i < 3; i++) await reach(await create(), 'SUCCESS');
    const first = (await world.call('GET', `${global}?pageSize=2`)).body as {
      builds: object[];
      nextPageToken: string;
    };
    expect(first.builds).toHaveLength(2);
    const second = await world.call('GET', `${global}?pageToken=${first.nextPageToken}`);
    expect((second.body as { builds: object[] }).builds).toHaveLength(1);
    for (const query of ['filter=colour%3Dred', 'pageToken=x', 'foo=1']) {
      expect((await world.call('GET', `${global}?${query}`)).body).toMatchObject({
        error: { code: 400, status: 'INVALID_ARGUMENT' },
      });
    }
  });
});
