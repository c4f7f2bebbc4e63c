/** What Vertex AI refuses when a job is created, and what it takes. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { image, jobOf, parent, project, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const path = `/v1/${parent}/customJobs`;
const pool = (changes: object = {}): object => ({
  machineSpec: { machineType: 'n1-standard-4' },
  replicaCount: '1',
  containerSpec: { imageUri: image },
  ...changes,
});
const pools = (...workerPoolSpecs: unknown[]): object => jobOf({}, { workerPoolSpecs });
const machine = (machineSpec: object): object => pools(pool({ machineSpec }));
const labels = (entries: object): object => jobOf({ labels: entries });

describe('is taken', () => {
  it.each([
    ['snake_case', { display_name: 'x', job_spec: { worker_pool_specs: [pool()] } }],
    ['a number of replicas', pools(pool({ replicaCount: 1 }))],
    ['a number as text', pools(pool({ replicaCount: '1.0' }))],
    [
      'an enum by number',
      machine({ machineType: 'n1-standard-8', acceleratorType: 5, acceleratorCount: 1 }),
    ],
    ['null, as if it were absent', jobOf({ labels: null, encryptionSpec: null })],
    ['output-only fields, which have no effect', jobOf({ name: 'x', state: 'JOB_STATE_FAILED' })],
    ['fractions of a second', jobOf({}, { scheduling: { timeout: '3600.5s' } })],
    ['labels in any script', labels({ équipe: '機械学習', empty: '' })],
    ['two pools with a skipped one between', pools(pool(), {}, pool({ replicaCount: 2 }))],
    [
      'the accelerator that the machine carries',
      machine({ machineType: 'g2-standard-8', acceleratorType: 'NVIDIA_L4', acceleratorCount: 1 }),
    ],
    [
      'FLEX_START with a GPU that it has',
      jobOf(
        {},
        {
          scheduling: { strategy: 'FLEX_START' },
          workerPoolSpecs: [
            pool({
              machineSpec: {
                machineType: 'g2-standard-8',
                acceleratorType: 'NVIDIA_L4',
                acceleratorCount: 1,
              },
            }),
          ],
        },
      ),
    ],
    [
      'the names of other resources',
      jobOf(
        {
          encryptionSpec: {
            kmsKeyName: 'projects/p/locations/us-central1/keyRings/r/cryptoKeys/k',
          },
        },
        {
          network: 'projects/123/global/networks/default',
          experiment: 'projects/p/locations/l/metadataStores/default/contexts/x',
          models: ['projects/p/locations/l/models/1@2'],
        },
      ),
    ],
    [
      'an account with a TensorBoard',
      jobOf({}, { tensorboard: 'projects/p/locations/l/tensorboards/1', serviceAccount: 'a@b' }),
    ],
  ])('%s', async (_name, job) => {
    const { status, body } = await world.call('POST', path, job);
    expect([status, body]).toEqual([200, expect.objectContaining({ state: 'JOB_STATE_QUEUED' })]);
  });
});

const at = 'custom_job.job_spec.worker_pool_specs\\[0\\]';

describe('is refused', () => {
  it.each([
    ['no body', undefined, /Field: display_name; .*Field: job_spec; /],
    ['an empty one', {}, /1\.Field: display_name; Message: Required/],
    ['a list', [], /Invalid value at 'custom_job'/],
    ['no spec', { displayName: 'x' }, /Field: job_spec; Message: Required/],
    [
      'no pools',
      jobOf({}, { workerPoolSpecs: [] }),
      /Field: job_spec.worker_pool_specs; Message: Required/,
    ],
    ['a name that is too long', jobOf({ displayName: 'x'.repeat(129) }), /no more than 128/],
    [
      'a name that is a number',
      jobOf({ displayName: 5 }),
      /Invalid value at 'custom_job.display_name' \(TYPE_STRING\), 5/,
    ],
    [
      'a name that is a list',
      jobOf({ displayName: ['x'] }),
      /Unknown name "displayName" at 'custom_job': Proto field is not repeating, cannot start list\./,
    ],
    ['a spec that is text', jobOf({ jobSpec: 'x' }), /Invalid value at 'custom_job.job_spec'/],
    [
      'an unknown name at the top',
      jobOf({ foo: 1 }),
      /Unknown name "foo" at 'custom_job': Cannot find field\./,
    ],
    [
      'a job within a job',
      jobOf({ jobSpec: jobOf() }),
      /Unknown name "displayName" at 'custom_job.job_spec'/,
    ],
    [
      'an unknown name in a pool',
      pools(pool({ replicas: 2 })),
      new RegExp(`Unknown name "replicas" at '${at}'`),
    ],
    [
      'pools by name',
      jobOf({}, { workerPoolSpecs: { a: pool() } }),
      /Invalid value at 'custom_job.job_spec.worker_pool_specs'/,
    ],
    ['a pool that is text', pools('x'), new RegExp(`Invalid value at '${at}'`)],
    [
      'no container',
      pools(pool({ containerSpec: undefined })),
      /Either container_spec or python_package_spec must be set/,
    ],
    [
      'two of them',
      pools(
        pool({
          pythonPackageSpec: {
            executorImageUri: 'a',
            packageUris: ['gs://b/c'],
            pythonModule: 'm',
          },
        }),
      ),
      /oneof field 'task' is already set\. Cannot set 'pythonPackageSpec'/,
    ],
    [
      'an image that is none',
      pools(pool({ containerSpec: { imageUri: 'https://x y' } })),
      /Invalid image URI/,
    ],
    [
      'a container without an image',
      pools(pool({ containerSpec: {} })),
      /container_spec.image_uri; Message: Required/,
    ],
    [
      'arguments that are numbers',
      pools(pool({ containerSpec: { imageUri: image, args: [1] } })),
      new RegExp(`Invalid value at '${at}.container_spec.args\\[0\\]' \\(TYPE_STRING\\), 1`),
    ],
    [
      'arguments that are text',
      pools(pool({ containerSpec: { imageUri: image, args: '--a' } })),
      new RegExp(`Invalid value at '${at}.container_spec.args'`),
    ],
    [
      'no replica in the first pool',
      pools(pool({ replicaCount: 0 })),
      /first worker pool must be 1/,
    ],
    ['two of them', pools(pool({ replicaCount: 2 })), /first worker pool must be 1/],
    ['a skipped first pool', pools({}, pool()), /first worker pool must be 1/],
    [
      'a negative number',
      pools(pool(), pool({ replicaCount: '-3' })),
      /worker_pool_specs\[1\].replica_count; .*must not be negative/,
    ],
    ['half a replica', pools(pool({ replicaCount: 1.5 })), /replica_count' \(TYPE_INT64\), 1\.5/],
    ['a yes', pools(pool({ replicaCount: true })), /replica_count' \(TYPE_INT64\), true/],
    [
      'more than int64 holds',
      pools(pool({ replicaCount: '9223372036854775808' })),
      /replica_count' \(TYPE_INT64\)/,
    ],
    ['no machine', machine({}), /machine_type; Message: Required/],
    [
      'a machine that does not exist',
      machine({ machineType: 'n1-standard-5' }),
      /Machine type "n1-standard-5" is not supported\./,
    ],
    [
      'a machine that training does not have',
      machine({ machineType: 'n1-standard-1' }),
      /not supported/,
    ],
    [
      'an accelerator that does not exist',
      machine({ machineType: 'n1-standard-8', acceleratorType: 'NVIDIA_T4', acceleratorCount: 1 }),
      /accelerator_type' \(type\.googleapis\.com\/google\.cloud\.aiplatform\.v1\.AcceleratorType\), "NVIDIA_T4"/,
    ],
    [
      'its number either',
      machine({ machineType: 'n1-standard-8', acceleratorType: 999, acceleratorCount: 1 }),
      /AcceleratorType\), 999/,
    ],
    [
      'an accelerator without a count',
      machine({ machineType: 'n1-standard-8', acceleratorType: 'NVIDIA_TESLA_T4' }),
      /should be specified or none/,
    ],
    [
      'a count without an accelerator',
      machine({ machineType: 'n1-standard-8', acceleratorCount: 1 }),
      /should be specified or none/,
    ],
    [
      'three of four',
      machine({
        machineType: 'n1-standard-8',
        acceleratorType: 'NVIDIA_TESLA_T4',
        acceleratorCount: 3,
      }),
      /count 3 .*Supported counts: 1, 2, 4/,
    ],
    [
      'an L4 on n1',
      machine({ machineType: 'n1-standard-8', acceleratorType: 'NVIDIA_L4', acceleratorCount: 1 }),
      /"NVIDIA_L4" is not supported for machine type/,
    ],
    ['a g2 without its L4', machine({ machineType: 'g2-standard-8' }), /requires accelerators/],
    [
      'an account that is no address',
      jobOf({}, { serviceAccount: 'projects/p/serviceAccounts/1' }),
      /job_spec\.service_account; Message: Invalid service account/,
    ],
    [
      'a network by its name alone',
      jobOf({}, { network: 'default' }),
      /job_spec\.network; Message: Invalid resource name: default\./,
    ],
    [
      'a network of a project by its id, not by its number',
      jobOf({}, { network: 'projects/demo-project/global/networks/default' }),
      /Expected format: projects\/\{number\}\/global\/networks\/\{network\}/,
    ],
    [
      'a TensorBoard by its id alone',
      jobOf({}, { tensorboard: '1', serviceAccount: 'a@b' }),
      /job_spec\.tensorboard; Message: Invalid resource name: 1\./,
    ],
    ['an experiment by its name alone', jobOf({}, { experiment: 'x' }), /job_spec\.experiment; /],
    ['a model by its id alone', jobOf({}, { models: ['1'] }), /job_spec\.models\[0\]; /],
    [
      'a key of no form',
      jobOf({ encryptionSpec: { kmsKeyName: 'key' } }),
      /encryption_spec\.kms_key_name; Message: Invalid resource name: key\./,
    ],
    [
      'a key of another region',
      jobOf({
        encryptionSpec: { kmsKeyName: 'projects/p/locations/us-west1/keyRings/r/cryptoKeys/k' },
      }),
      /The key is in us-west1\. It must be in the same region as the job/,
    ],
    [
      'a variable with a space',
      pools(pool({ containerSpec: { imageUri: image, env: [{ name: 'A B', value: 'x' }] } })),
      /container_spec\.env\[0\]\.name; Message: "A B" is not a valid C identifier/,
    ],
    ['a fifth pool', pools(pool(), pool(), pool(), pool(), pool()), /No more than 4 worker pools/],
    [
      'a disk of no type',
      pools(pool({ diskSpec: { bootDiskType: 'pd-fast' } })),
      /boot_disk_type; Message: Unsupported boot disk type: pd-fast/,
    ],
    [
      'FLEX_START without a GPU',
      jobOf({}, { scheduling: { strategy: 'FLEX_START' } }),
      /scheduling\.strategy; Message: FLEX_START is supported for L4, A100/,
    ],
    [
      'a disk that is too small',
      pools(pool({ diskSpec: { bootDiskSizeGb: 10 } })),
      /boot_disk_size_gb; Message: Boot disk size must be between/,
    ],
    [
      'minutes',
      jobOf({}, { scheduling: { timeout: '60m' } }),
      /Illegal duration format; duration must end with 's'/,
    ],
    [
      'a bare number of seconds',
      jobOf({}, { scheduling: { timeout: 3600 } }),
      /Invalid value at 'custom_job.job_spec.scheduling.timeout'/,
    ],
    ['no time at all', jobOf({}, { scheduling: { timeout: '0s' } }), /Timeout must be positive/],
    [
      'more than a week of FLEX_START',
      jobOf({}, { scheduling: { timeout: '700000s', strategy: 'FLEX_START' } }),
      /at most 7 days/,
    ],
    [
      'a strategy that does not exist',
      jobOf({}, { scheduling: { strategy: 'CHEAP' } }),
      /scheduling.strategy' \(type.googleapis.com\/google.cloud.aiplatform.v1.Scheduling.Strategy\), "CHEAP"/,
    ],
    [
      'an output that is no bucket',
      jobOf({}, { baseOutputDirectory: { outputUriPrefix: '/tmp' } }),
      /Invalid Cloud Storage URI/,
    ],
    [
      'a TensorBoard without an account',
      jobOf({}, { tensorboard: 'projects/p/locations/l/tensorboards/1' }),
      /service_account; Message: Service account must be specified/,
    ],
    [
      'an encryption without its key',
      jobOf({ encryptionSpec: {} }),
      /encryption_spec.kms_key_name; Message: Required/,
    ],
    ['labels that are a list', labels(['a']), /Invalid value at 'custom_job.labels'/],
    ['a label that is a number', labels({ a: 1 }), /labels\["a"\]' \(TYPE_STRING\), 1/],
    ['capitals in a key', labels({ Team: 'ml' }), /Label "Team": "ml" is invalid/],
    ['capitals in a value', labels({ team: 'ML' }), /Label "team": "ML" is invalid/],
    ['a slash', labels({ branch: 'feature/x' }), /is invalid/],
    ['a digit first', labels({ '1a': 'x' }), /is invalid/],
    ['64 characters', labels({ a: 'x'.repeat(64) }), /longer than 63/],
    [
      '65 labels',
      labels(Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`l${i}`, '']))),
      /more than 64 labels/,
    ],
  ])('%s', async (_name, job, message) => {
    const { status, body } = await world.call('POST', path, job);
    expect([status, body]).toEqual([
      400,
      {
        error: expect.objectContaining({
          code: 400,
          status: 'INVALID_ARGUMENT',
          message: expect.stringMatching(message),
        }),
      },
    ]);
  });

  it('what is no JSON, and what does not say that it is', async () => {
    for (const [body, type] of [
      ['{"displayName":', 'application/json'],
      [JSON.stringify(jobOf()), 'text/plain'],
      [JSON.stringify(jobOf()), 'application/x-www-form-urlencoded'],
    ] as const) {
      const answer = await world.call('POST', path, body, { 'content-type': type });
      expect(answer.body).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } });
    }
  });

  it('what is nested too deeply, without falling over', async () => {
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    const answer = await world.call('POST', path, `{"labels":${deep}}`, {
      'content-type': 'application/json',
    });
    expect(answer.status).toBe(400);
    expect((await world.call('GET', path)).status).toBe(200);
  });

  it.each([
    ['us-results', 'US', 400],
    ['eu-results', 'EUROPE-WEST4', 400],
    ['near-results', 'US-CENTRAL1', 200],
  ])('results in the bucket %s of %s: %i', async (name, location, status) => {
    const made = await world.call('POST', `/storage/v1/b?project=${project}`, { name, location });
    expect(made.status).toBe(200);
    const outputUriPrefix = `gs://${name}/digits`;
    const job = jobOf({}, { baseOutputDirectory: { outputUriPrefix } });
    const answer = await world.call('POST', path, job);
    expect(answer.status).toBe(status);
    if (status === 200) return;
    const where = location.toLowerCase();
    const message = `The Cloud Storage bucket of \`${outputUriPrefix}\` is in location \`${where}\`. It must be in the same regional location as the service location \`us-central1\`.`;
    expect(answer.body).toMatchObject({ error: { status: 'FAILED_PRECONDITION', message } });
  });

  it('more replicas than a quota has', async () => {
    const { body } = await world.call('POST', path, pools(pool(), pool({ replicaCount: 1_000 })));
    expect(body).toMatchObject({
      error: {
        code: 429,
        status: 'RESOURCE_EXHAUSTED',
        message: expect.stringContaining('aiplatform.googleapis.com/custom_model_training_cpus'),
      },
    });
  });
});

it('is refused where the region does not have the machine', async () => {
  const job = machine({
    machineType: 'n1-standard-8',
    acceleratorType: 'NVIDIA_TESLA_T4',
    acceleratorCount: 1,
  });
  const inRegion = (region: string): Promise<{ readonly status: number; readonly body: unknown }> =>
    world.call('POST', path.replace('us-central1', region), job);
  expect((await inRegion('europe-west4')).status).toBe(200);
  expect((await inRegion('africa-south1')).body).toMatchObject({
    error: { message: 'Machine type "n1-standard-8" is not supported.' },
  });
});
