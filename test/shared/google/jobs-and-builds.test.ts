import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CloudError, UserError } from '../../../shared/errors.ts';
import { googlePorts, type GooglePorts } from '../../../shared/google/index.ts';
import type { BuildRequest, JobRequest } from '../../../shared/ports.ts';
import {
  googleError,
  startLocalService,
  type LocalService,
  type SeenRequest,
} from './local-service.ts';

let service: LocalService;
let ports: GooglePorts;

beforeAll(async () => {
  service = await startLocalService();
  const clock = { sleep: () => Promise.resolve() };
  ports = googlePorts({ endpoint: service.endpoint, clock });
});
afterAll(() => service.close());

/** The body without the empty maps that the client libraries always send. */
function sent(request: SeenRequest | undefined): unknown {
  return JSON.parse(request!.body, (_key, value: unknown) =>
    JSON.stringify(value) === '{}' ? undefined : value,
  );
}

const jobRequest: JobRequest = {
  project: 'demo-project',
  region: 'us-central1',
  displayName: 'digits',
  labels: { 'trainyard-run': 'abcd2345' },
  spec: {
    workerPoolSpecs: [
      {
        machineSpec: {
          machineType: 'n1-standard-4',
          acceleratorType: 'NVIDIA_TESLA_T4',
          acceleratorCount: 1,
        },
        replicaCount: '1',
        containerSpec: { imageUri: 'example@sha256:0', args: ['--lr=$(LR)'] },
        diskSpec: { bootDiskType: 'pd-ssd', bootDiskSizeGb: 100 },
      },
    ],
    scheduling: { timeout: '3600s', maxWaitDuration: '1.5s', strategy: 'SPOT' },
    baseOutputDirectory: { outputUriPrefix: 'gs://demo-project-trainyard-results/x/' },
  },
};
const jobName = 'projects/123456789012/locations/us-central1/customJobs/42';
const job = {
  name: jobName,
  displayName: 'digits',
  state: 'JOB_STATE_RUNNING',
  createTime: '2026-01-02T03:04:05.678901Z',
  startTime: '2026-01-02T03:05:00Z',
  labels: { 'trainyard-run': 'abcd2345' },
};

const images = ['us-central1-docker.pkg.dev/demo-project/trainyard/digits:c-1'];
const tags = ['trainyard', 'trainyard-run-abcd2345'];
const buildRequest: BuildRequest = {
  project: 'demo-project',
  region: 'us-central1',
  source: { bucket: 'demo-project_cloudbuild', object: 'source/a b.tgz', generation: '17' },
  build: {
    steps: [
      { name: 'gcr.io/cloud-builders/docker', args: ['build', '-f', '$$HOME/x', '.'] },
      { name: 'ubuntu', timeout: '1.5s', secretEnv: ['TOKEN'] },
    ],
    images,
    tags,
    timeout: '1200s',
    queueTtl: '60s',
    logsBucket: 'gs://demo-project_cloudbuild',
    options: { logging: 'GCS_ONLY', machineType: 'E2_HIGHCPU_8', diskSizeGb: '200' },
    substitutions: { _A: 'b' },
    availableSecrets: { secretManager: [{ versionName: 'v', env: 'TOKEN' }] },
    serviceAccount:
      'projects/demo-project/serviceAccounts/builder@demo-project.iam.gserviceaccount.com',
  },
};
const buildName = 'projects/demo-project/locations/us-central1/builds/11111111-2222';
const build = {
  name: buildName,
  id: '11111111-2222',
  status: 'SUCCESS',
  tags,
  createTime: '2026-01-02T03:04:05Z',
  results: { images: [{ name: images[0], digest: 'sha256:00' }] },
  logUrl: 'https://console.cloud.google.com/x',
  logsBucket: 'gs://demo-project_cloudbuild',
};

describe('jobs', () => {
  it('creates at the located path and carries every field of the spec', async () => {
    service.behave(() => ({ json: job }));
    const snapshot = await ports.jobs.create(jobRequest);
    expect(service.requests).toHaveLength(1);
    const [request] = service.requests;
    expect(request).toMatchObject({
      method: 'POST',
      path: '/v1/projects/demo-project/locations/us-central1/customJobs',
    });
    expect(sent(request)).toEqual({
      displayName: 'digits',
      labels: { 'trainyard-run': 'abcd2345' },
      jobSpec: {
        workerPoolSpecs: [
          {
            machineSpec: { machineType: 'n1-standard-4', acceleratorType: 5, acceleratorCount: 1 },
            replicaCount: '1',
            containerSpec: { imageUri: 'example@sha256:0', args: ['--lr=$(LR)'] },
            diskSpec: { bootDiskType: 'pd-ssd', bootDiskSizeGb: 100 },
          },
        ],
        scheduling: { timeout: '3600s', maxWaitDuration: '1.500s', strategy: 4 },
        baseOutputDirectory: { outputUriPrefix: 'gs://demo-project-trainyard-results/x/' },
      },
    });
    expect(snapshot).toEqual({
      name: jobName,
      id: '42',
      state: 'running',
      createTime: '2026-01-02T03:04:05.678Z',
      startTime: '2026-01-02T03:05:00.000Z',
      labels: { 'trainyard-run': 'abcd2345' },
    });
  });

  it.each([
    ['503', googleError(503, 'UNAVAILABLE', 'busy'), { status: 503, ambiguous: true }],
    ['500', googleError(500, 'INTERNAL', 'oops'), { status: 500, ambiguous: true }],
    ['reset', { drop: true }, { status: 0, ambiguous: true }],
    ['HTML 502', { status: 502, body: '<html>' }, { status: 502, ambiguous: true }],
    ['429', googleError(429, 'RESOURCE_EXHAUSTED', 'q'), { status: 429, ambiguous: false }],
    ['400', googleError(400, 'INVALID_ARGUMENT', 'bad'), { status: 400, ambiguous: false }],
    ['403', googleError(403, 'PERMISSION_DENIED', 'no'), { status: 403, ambiguous: false }],
  ])('sends a create once, whatever comes back: %s', async (_name, answer, expected) => {
    service.behave(() => answer);
    const error: unknown = await ports.jobs.create(jobRequest).catch((e: unknown) => e);
    expect(service.requests).toHaveLength(1);
    expect(error).toBeInstanceOf(CloudError);
    expect(error).toMatchObject({ operation: 'customJobs.create', ...expected });
  });

  it('sends a create once more, with a new token, when the old one was refused', async () => {
    service.behave(() => googleError(401, 'UNAUTHENTICATED', 'who'));
    const failure = { operation: 'customJobs.create', status: 401, ambiguous: false };
    await expect(ports.jobs.create(jobRequest)).rejects.toMatchObject(failure);
    expect(service.requests).toHaveLength(2);
  });

  it("passes the service's own sentence on", async () => {
    const message = 'Machine type "n1-standard-5" is not supported.';
    service.behave(() => googleError(400, 'INVALID_ARGUMENT', message));
    await expect(ports.jobs.create(jobRequest)).rejects.toThrow(
      expect.objectContaining({ message }),
    );
  });

  it('repeats a read that was refused in passing', async () => {
    let asked = 0;
    service.behave(() =>
      ++asked < 3 ? googleError(429, 'RESOURCE_EXHAUSTED', 'slow down') : { json: job },
    );
    await expect(ports.jobs.get(jobName)).resolves.toMatchObject({ state: 'running' });
    expect(asked).toBe(3);
  });

  it('leaves a long Retry-After to the caller', async () => {
    service.behave(() => googleError(429, 'RESOURCE_EXHAUSTED', 'q', { 'retry-after': '90' }));
    await expect(ports.jobs.get(jobName)).rejects.toMatchObject({ retryable: true });
  });

  it('finds jobs by label, newest first, and checks the label itself', async () => {
    const named = (id: string, createTime: string, value = 'abcd2345') => ({
      ...job,
      name: jobName.replace('42', id),
      createTime,
      labels: { 'trainyard-run': value },
    });
    service.behave(({ query }) =>
      query.get('pageToken') === 'next'
        ? { json: { customJobs: [named('3', '2026-01-03T00:00:00Z')] } }
        : {
            json: {
              customJobs: [
                named('1', '2026-01-01T00:00:00Z'),
                named('2', '2026-01-02T00:00:00Z', 'other'),
              ],
              nextPageToken: 'next',
            },
          },
    );
    const found = await ports.jobs.findByLabel({
      project: 'demo-project',
      region: 'us-central1',
      key: 'trainyard-run',
      value: 'abcd2345',
    });
    expect(found.map(({ id }) => id)).toEqual(['3', '1']);
    expect(service.requests[0]!.query.get('filter')).toBe('labels.trainyard-run=abcd2345');
  });

  it('takes cancelling a finished job as done, and nothing else', async () => {
    const refuse = googleError(400, 'FAILED_PRECONDITION', 'already over');
    service.behave(({ method }) =>
      method === 'POST' ? refuse : { json: { ...job, state: 'JOB_STATE_FAILED' } },
    );
    await expect(ports.jobs.cancel(jobName)).resolves.toBeUndefined();
    expect(service.requests[0]!.path).toBe(`/v1/${jobName}:cancel`);
    service.behave(({ method }) => (method === 'POST' ? refuse : { json: job }));
    await expect(ports.jobs.cancel(jobName)).rejects.toMatchObject({ status: 400 });
    service.behave(() => ({ status: 200, json: {} }));
    await expect(ports.jobs.cancel(jobName)).resolves.toBeUndefined();
    service.behave(() => ({ status: 204 }));
    await expect(ports.jobs.cancel(jobName)).resolves.toBeUndefined();
  });

  it.each(['evil.example/', 'us-central1@evil', '', 'US-CENTRAL1', '../../x'])(
    'builds no URL from the region %j',
    async (region) => {
      service.behave(() => ({ json: job }));
      await expect(ports.jobs.create({ ...jobRequest, region })).rejects.toThrow(UserError);
      expect(service.requests).toHaveLength(0);
    },
  );
});

describe('builds', () => {
  it('creates at the located path and reads the build out of the operation', async () => {
    service.behave(() => ({
      json: {
        name: 'operations/build/demo-project/MTE',
        metadata: {
          '@type': 'type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata',
          build: { ...build, status: 'QUEUED', results: undefined },
        },
      },
    }));
    const snapshot = await ports.builds.create(buildRequest);
    expect(service.requests).toHaveLength(1);
    const [request] = service.requests;
    expect(request!.path).toBe('/v1/projects/demo-project/locations/us-central1/builds');
    expect(request!.query.has('parent')).toBe(false);
    expect(sent(request)).toEqual({
      source: {
        storageSource: {
          bucket: 'demo-project_cloudbuild',
          object: 'source/a b.tgz',
          generation: '17',
        },
      },
      steps: [
        { name: 'gcr.io/cloud-builders/docker', args: ['build', '-f', '$$HOME/x', '.'] },
        { name: 'ubuntu', timeout: '1.500s', secretEnv: ['TOKEN'] },
      ],
      images,
      tags,
      timeout: '1200s',
      queueTtl: '60s',
      logsBucket: 'gs://demo-project_cloudbuild',
      options: { logging: 2, machineType: 5, diskSizeGb: '200' },
      substitutions: { _A: 'b' },
      availableSecrets: { secretManager: [{ versionName: 'v', env: 'TOKEN' }] },
      serviceAccount:
        'projects/demo-project/serviceAccounts/builder@demo-project.iam.gserviceaccount.com',
    });
    expect(snapshot).toMatchObject({ name: buildName, id: '11111111-2222', status: 'queued' });
  });

  it('is in doubt about a create whose answer names no build', async () => {
    service.behave(() => ({ json: { name: 'operations/build/demo-project/MTE' } }));
    await expect(ports.builds.create(buildRequest)).rejects.toMatchObject({ ambiguous: true });
  });

  it('reads images, log and failure', async () => {
    service.behave(() => ({
      json: { ...build, status: 4, failureInfo: { type: 5, detail: 'step 0 failed' } },
    }));
    await expect(ports.builds.get(buildName)).resolves.toEqual({
      name: buildName,
      id: '11111111-2222',
      status: 'failure',
      statusDetail: 'step 0 failed',
      createTime: '2026-01-02T03:04:05.000Z',
      tags,
      images: [{ name: images[0], digest: 'sha256:00' }],
      logUrl: build.logUrl,
      logsBucket: build.logsBucket,
    });
    expect(service.requests[0]!.path).toBe(`/v1/${buildName}`);
  });

  it('finds builds by tag', async () => {
    service.behave(() => ({ json: { builds: [build] } }));
    const where = { project: 'demo-project', region: 'us-central1', tag: tags[1]! };
    await expect(ports.builds.findByTag(where)).resolves.toHaveLength(1);
    const [request] = service.requests;
    expect(request!.path).toBe('/v1/projects/demo-project/locations/us-central1/builds');
    expect(request!.query.get('filter')).toBe('tags="trainyard-run-abcd2345"');
  });

  it('takes cancelling a finished build as done', async () => {
    service.behave(({ method }) =>
      method === 'POST'
        ? googleError(400, 'FAILED_PRECONDITION', 'Build is already terminated.')
        : { json: build },
    );
    await expect(ports.builds.cancel(buildName)).resolves.toBeUndefined();
    expect(service.requests[0]!.path).toBe(`/v1/${buildName}:cancel`);
  });
});
