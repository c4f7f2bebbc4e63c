/** The official Node clients against the sandbox, over REST, as the product uses them. */
import { EventEmitter } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { JobServiceClient } from '@google-cloud/aiplatform/build/src/v1/job_service_client.js';
import { ArtifactRegistryClient } from '@google-cloud/artifact-registry';
import { CloudBuildClient } from '@google-cloud/cloudbuild';
import { LoggingServiceV2Client } from '@google-cloud/logging-api/build/src/v2/logging_service_v2_client.js';
import { Storage } from '@google-cloud/storage';
import { PassThroughClient, type GoogleAuth } from 'google-auth-library';
import {
  digest,
  fakeExecutor,
  image,
  parent,
  startWorld,
  until,
  untilAborted,
  type World,
} from './world.ts';

// The storage client listens to each download twelve times over, and Node would warn of leaks.
const { defaultMaxListeners } = EventEmitter;
let world: World;
let storage: Storage;
let jobs: JobServiceClient;
let builds: CloudBuildClient;
let logging: LoggingServiceV2Client;
let artifacts: ArtifactRegistryClient;

beforeAll(async () => {
  EventEmitter.defaultMaxListeners = 20;
  const executor = fakeExecutor();
  const { run } = executor;
  executor.run = (job) => (job.args.includes('wait') ? untilAborted(job.signal) : run(job));
  world = await startWorld({ executor });
  const options = {
    fallback: true as const,
    protocol: 'http',
    apiEndpoint: '127.0.0.1',
    port: world.port,
    // PassThroughClient is no GoogleAuth by type, and all that the clients need of one.
    auth: new PassThroughClient() as unknown as GoogleAuth,
  };
  storage = new Storage({ apiEndpoint: world.endpoint, projectId: 'demo-project' });
  jobs = new JobServiceClient(options);
  builds = new CloudBuildClient(options);
  logging = new LoggingServiceV2Client(options);
  artifacts = new ArtifactRegistryClient(options);
});

afterAll(async () => {
  EventEmitter.defaultMaxListeners = defaultMaxListeners;
  await Promise.all([jobs.close(), builds.close(), logging.close(), artifacts.close()]);
  await world.close();
});

describe('Storage', () => {
  it('creates a bucket, and says 409 the second time', async () => {
    await storage.createBucket('data-bucket', { location: 'us-central1' });
    await expect(storage.createBucket('data-bucket')).rejects.toMatchObject({ code: 409 });
    const [metadata] = await storage.bucket('data-bucket').getMetadata();
    expect(metadata.location).toBe('US-CENTRAL1');
  });

  it.each([
    ['multipart', false, Buffer.from('hello')],
    ['multipart, empty', false, Buffer.alloc(0)],
    ['resumable', true, Buffer.alloc(700_000, 'x')],
    ['resumable, empty', true, Buffer.alloc(0)],
  ])('stores and gives back an object: %s', async (name, resumable, content) => {
    const file = storage.bucket('data-bucket').file(`dir/${name}.bin`);
    await file.save(content, {
      resumable,
      validation: 'crc32c',
      metadata: { metadata: { a: 'b' } },
    });
    const [back] = await file.download({ validation: 'crc32c' });
    expect(back.equals(content)).toBe(true);
    const [metadata] = await file.getMetadata();
    expect(metadata).toMatchObject({ size: String(content.length), metadata: { a: 'b' } });
  });

  it('uploads in several pieces', async () => {
    const content = Buffer.alloc(700_000, 'y');
    const file = storage.bucket('data-bucket').file('pieces');
    await file.save(content, { resumable: true, chunkSize: 256 * 1024 });
    expect((await file.download())[0].equals(content)).toBe(true);
  });

  it('creates only when told so, reads ranges, lists by prefix and deletes', async () => {
    const bucket = storage.bucket('data-bucket');
    const file = bucket.file('once/a.txt');
    const preconditionOpts = { ifGenerationMatch: 0 };
    await file.save('0123456789', { preconditionOpts });
    await expect(file.save('other', { preconditionOpts })).rejects.toMatchObject({ code: 412 });
    const [part] = await file.download({ start: 3, end: 5 });
    expect(part.toString()).toBe('345');
    await expect(file.download({ start: 10 })).rejects.toMatchObject({ code: 416 });
    const [files] = await bucket.getFiles({ prefix: 'once/' });
    expect(files.map(({ name }) => name)).toEqual(['once/a.txt']);
    await file.copy(bucket.file('once/b.txt'));
    expect((await bucket.file('once/b.txt').download())[0].toString()).toBe('0123456789');
    await file.delete();
    expect((await file.exists())[0]).toBe(false);
  });
});

describe('CloudBuildClient', () => {
  it('creates, follows and lists a build, and finds its log', async () => {
    await storage.createBucket('demo-project_cloudbuild');
    const bucket = storage.bucket('demo-project_cloudbuild');
    await bucket.file('source/s.tgz').save('not really a tarball');
    const [operation] = await builds.createBuild({
      parent,
      build: {
        source: { storageSource: { bucket: bucket.name, object: 'source/s.tgz' } },
        steps: [{ name: 'gcr.io/cloud-builders/docker', args: ['build', '-t', image, '.'] }],
        images: [image],
        tags: ['run-1'],
        timeout: { seconds: 60 },
        logsBucket: `gs://${bucket.name}`,
        options: { logging: 'GCS_ONLY' },
      },
    });
    const { build: started } = operation.metadata as unknown as { build: { id: string } };
    const name = `${parent}/builds/${started.id}`;
    const [build] = await until(
      () => builds.getBuild({ name }),
      ([{ status }]) => status === 'SUCCESS',
    );
    expect(build.results?.images).toMatchObject([{ name: image, digest }]);
    expect(build.timeout).toMatchObject({ seconds: '60' });
    const [listed] = await builds.listBuilds({
      parent,
      filter: 'tags="run-1" AND status="SUCCESS"',
    });
    expect(listed.map(({ id }) => id)).toEqual([started.id]);
    const [log] = await bucket.file(`log-${started.id}.txt`).download();
    expect(log.toString()).toContain('Step 1/1 : FROM scratch\nDONE');
    const [finished] = await operation.promise();
    expect(finished).toMatchObject({ id: started.id });
  });
});

describe('JobServiceClient', () => {
  const customJob = (args: string[] = []) => ({
    displayName: 'digits',
    labels: { 'trainyard-run': 'r1', args: args.join('') },
    jobSpec: {
      workerPoolSpecs: [
        {
          machineSpec: {
            machineType: 'n1-standard-4',
            acceleratorType: 'NVIDIA_TESLA_T4' as const,
            acceleratorCount: 1,
          },
          replicaCount: 1,
          containerSpec: { imageUri: image, args },
        },
      ],
      scheduling: { timeout: { seconds: 600 } },
      baseOutputDirectory: { outputUriPrefix: 'gs://data-bucket/run' },
    },
  });

  it('runs a job to its end and finds it by its labels', async () => {
    const [job] = await jobs.createCustomJob({ parent, customJob: customJob() });
    expect(job.state).toBe('JOB_STATE_QUEUED');
    const name = job.name!;
    const [done] = await until(
      () => jobs.getCustomJob({ name }),
      ([{ state }]) => state === 'JOB_STATE_SUCCEEDED',
    );
    expect(done.jobSpec?.workerPoolSpecs?.[0]?.machineSpec?.acceleratorType).toBe(
      'NVIDIA_TESLA_T4',
    );
    const [found] = await jobs.listCustomJobs({
      parent,
      filter: 'labels.trainyard-run=r1 AND state="JOB_STATE_SUCCEEDED"',
    });
    expect(found.map((each) => each.name)).toEqual([name]);
    const request = {
      resourceNames: ['projects/demo-project'],
      filter: `resource.type="ml_job" AND resource.labels.job_id="${name.split('/').at(-1)!}" AND timestamp>="2020-01-01T00:00:00Z"`,
      orderBy: 'timestamp asc',
      pageSize: 2,
    };
    const pages = logging.listLogEntriesAsync(request, { autoPaginate: false });
    const entries = await Array.fromAsync(pages);
    expect(entries.map(({ textPayload, severity }) => [textPayload, severity])).toEqual([
      ['epoch=1 loss=0.5', 'INFO'],
      ['a warning', 'ERROR'],
      ['Job completed successfully.', 'INFO'],
    ]);
  });

  it('cancels and deletes', async () => {
    const [job] = await jobs.createCustomJob({ parent, customJob: customJob(['wait']) });
    const name = job.name!;
    await until(
      () => jobs.getCustomJob({ name }),
      ([{ state }]) => state === 'JOB_STATE_RUNNING',
    );
    await jobs.cancelCustomJob({ name });
    const [ended] = await until(
      () => jobs.getCustomJob({ name }),
      ([{ state }]) => state === 'JOB_STATE_CANCELLED',
    );
    expect(ended.error?.code).toBe(1);
    const [operation] = await jobs.deleteCustomJob({ name });
    await operation.promise();
    await expect(jobs.getCustomJob({ name })).rejects.toMatchObject({ code: 5 });
  });

  it('gives INVALID_ARGUMENT with the reason', async () => {
    const job = customJob();
    job.jobSpec.workerPoolSpecs[0]!.machineSpec.acceleratorCount = 3;
    await expect(jobs.createCustomJob({ parent, customJob: job })).rejects.toMatchObject({
      code: 3,
      message: expect.stringContaining('NVIDIA_TESLA_T4'),
    });
  });
});

describe('ArtifactRegistryClient', () => {
  it('creates a repository and finds images by digest and by tag', async () => {
    const [operation] = await artifacts.createRepository({
      parent,
      repositoryId: 'trainyard',
      repository: { format: 'DOCKER' },
    });
    const [repository] = await operation.promise();
    expect(repository.registryUri).toBe('us-central1-docker.pkg.dev/demo-project/trainyard');
    const name = `${parent}/repositories/trainyard`;
    await expect(
      artifacts.createRepository({
        parent,
        repositoryId: 'trainyard',
        repository: { format: 'DOCKER' },
      }),
    ).rejects.toMatchObject({ code: 6 });
    const [images] = await artifacts.listDockerImages({ parent: name });
    expect(images.map(({ uri }) => uri)).toEqual([`${image.replace(':v1', '')}@${digest}`]);
    const [one] = await artifacts.getDockerImage({ name: `${name}/dockerImages/digits@${digest}` });
    expect(one.tags).toEqual(['v1']);
    const [tag] = await artifacts.getTag({ name: `${name}/packages/digits/tags/v1` });
    expect(tag.version).toBe(`${name}/packages/digits/versions/${digest}`);
    const [packages] = await artifacts.listPackages({ parent: name });
    expect(packages).toHaveLength(1);
  });
});
