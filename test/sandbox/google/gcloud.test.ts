/**
 * The real gcloud against the sandbox: what people type from a tutorial must work. Skipped where there is
 * no gcloud. The tail of a build's log is not here, because gcloud asks storage.googleapis.com for it
 * whatever its settings are; the object that it would read is.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { configureGcloud, hasGcloud, type Gcloud } from './gcloud-cli.ts';
import {
  fakeExecutor,
  image,
  project,
  startWorld,
  until,
  untilAborted,
  type World,
} from './world.ts';

if (!hasGcloud) console.warn('skipped: gcloud is not installed');
const region = '--region=us-central1';

(hasGcloud ? describe : describe.skip)('gcloud', () => {
  let world: World;
  let gcloud: Gcloud;

  beforeAll(async () => {
    const executor = fakeExecutor();
    const { run, build } = executor;
    executor.run = (job) => (job.args.includes('wait') ? untilAborted(job.signal) : run(job));
    executor.build = async (given) => {
      if (!given.steps.some(({ args }) => args.includes('wait'))) return build(given);
      await untilAborted(given.signal);
      return { status: 'CANCELLED', images: [] };
    };
    world = await startWorld({ executor });
    gcloud = await configureGcloud(world.endpoint, project);
  });
  afterAll(async () => {
    await world.close();
    await rm(gcloud.directory, { recursive: true, force: true });
  });

  const jobs = (...args: string[]): string[] => ['ai', 'custom-jobs', ...args, region];

  it('creates custom jobs by file and by flags, finds, describes and cancels them', async () => {
    const file = join(gcloud.directory, 'job.yaml');
    const config = [
      'workerPoolSpecs:',
      '  machineSpec: {machineType: n1-standard-4}',
      '  replicaCount: 1',
      `  containerSpec: {imageUri: "${image}", args: [wait]}`,
    ];
    await writeFile(file, `${config.join('\n')}\n`);
    const created = await gcloud.run(
      jobs('create', '--display-name=by-file', `--config=${file}`, '--labels=run=r1'),
    );
    expect(created).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('is submitted successfully'),
    });
    const pool = `machine-type=n1-standard-8,accelerator-type=NVIDIA_TESLA_T4,accelerator-count=1,container-image-uri=${image}`;
    await gcloud.output(
      jobs('create', '--display-name=by-flags', `--worker-pool-spec=${pool}`, '--args=--epochs=3'),
    );
    const name = (
      await gcloud.output(
        jobs('list', '--filter=displayName=by-file AND labels.run=r1', '--format=value(name)'),
      )
    ).trim();
    expect(name).toMatch(/^projects\/123456789012\/locations\/us-central1\/customJobs\/\d{19}$/);
    await gcloud.output(jobs('cancel', name));
    const described = JSON.parse(
      await gcloud.output(jobs('describe', name, '--format=json')),
    ) as object;
    expect(described).toMatchObject({
      displayName: 'by-file',
      state: expect.stringMatching(/^JOB_STATE_CANCELL(?:ING|ED)$/),
      jobSpec: { workerPoolSpecs: [{ replicaCount: '1', containerSpec: { args: ['wait'] } }] },
    });
  });

  it("shows production's words for what is refused", async () => {
    const file = join(gcloud.directory, 'bad.yaml');
    const config = [
      'foo: bar',
      'workerPoolSpecs:',
      '- machineSpec: {machineType: n1-standard-4}',
      `  containerSpec: {imageUri: "${image}"}`,
    ];
    await writeFile(file, `${config.join('\n')}\n`);
    const refused = await gcloud.run(jobs('create', '--display-name=x', `--config=${file}`));
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(
      `INVALID_ARGUMENT: Invalid JSON payload received. Unknown name "foo" at 'custom_job.job_spec': Cannot find field.`,
    );
    const missing = await gcloud.run(jobs('describe', '42'));
    expect(missing.stderr).toContain('NOT_FOUND');
    const unserved = await gcloud.run(['builds', 'worker-pools', 'list', '--region=us-central1']);
    expect(unserved).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('the sandbox does not serve GET'),
    });
  });

  it('submits builds: by tag, by file, and with more source than one request takes', async () => {
    const app = join(gcloud.directory, 'app');
    await mkdir(app);
    await writeFile(join(app, 'Dockerfile'), 'FROM scratch\n');
    const submit = ['builds', 'submit', '--format=value(id)'];
    const small = (
      await gcloud.output([...submit, `--tag=${image}`, '--async'], { cwd: app })
    ).trim();
    // Random, so that 6 MiB stay 6 MiB when they are packed: above 5 the upload is resumable.
    await writeFile(join(app, 'weights.bin'), randomBytes(6 * 1024 * 1024));
    const big = (
      await gcloud.output([...submit, `--tag=${image}`, '--async', region], { cwd: app })
    ).trim();
    const steps = join(gcloud.directory, 'steps.yaml');
    await writeFile(
      steps,
      [
        'steps:',
        '- name: ubuntu',
        '  args: [echo, "$_WORD"]',
        'options: {logging: CLOUD_LOGGING_ONLY}',
        'tags: [by-file]',
        '',
      ].join('\n'),
    );
    // Without --async: gcloud follows the build to its end.
    const args = ['--no-source', `--config=${steps}`, '--substitutions=_WORD=hello'];
    const followed = await gcloud.run(['builds', 'submit', ...args]);
    expect(followed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('SUCCESS') });
    for (const [location, id] of [
      ['global', small],
      ['us-central1', big],
    ]) {
      const path = `/v1/projects/${project}/locations/${location!}/builds/${id!}`;
      const { body } = await until(
        () => world.call('GET', path),
        (answer) => (answer.body as { status: string }).status === 'SUCCESS',
      );
      const { source } = body as {
        source: { storageSource: { bucket: string; object: string } };
      };
      expect(source.storageSource.bucket).toBe('demo-project_cloudbuild');
      const object = `/storage/v1/b/demo-project_cloudbuild/o/${encodeURIComponent(source.storageSource.object)}`;
      const { size } = (await world.call('GET', object)).body as { size: string };
      expect(Number(size) > 6 * 1024 * 1024).toBe(id === big);
    }
    expect(
      (
        await gcloud.output(['builds', 'list', '--filter=tags=by-file', '--format=value(status)'])
      ).trim(),
    ).toBe('SUCCESS');
  });

  // The truth of docs/sandbox.md, which says what to read a log with instead.
  it.each([
    { words: ['log'], exitCode: 1, says: 'Unable to load credentials' },
    { words: ['log', '--stream'], exitCode: 0, says: 'only displays logs from Cloud Storage' },
  ])(
    'does not show the log of a build that logs to Cloud Logging by builds $words',
    async ({ words, exitCode, says }) => {
      const { body } = await world.call('POST', `/v1/projects/${project}/locations/global/builds`, {
        steps: [{ name: 'ubuntu' }],
        options: { logging: 'CLOUD_LOGGING_ONLY' },
      });
      const { id } = (body as { metadata: { build: { id: string } } }).metadata.build;
      const shown = await gcloud.run(['builds', ...words, id]);
      expect(shown).toMatchObject({ exitCode, stderr: expect.stringContaining(says) });
      const filter = `resource.type=build AND resource.labels.build_id=${id}`;
      const read = ['logging', 'read', filter, '--format=value(textPayload)', '--order=asc'];
      const lines = await until(
        () => gcloud.output(read),
        (text) => text.includes('DONE'),
      );
      expect(lines).toContain(`starting build "${id}"`);
      expect(lines).toContain('Step 1/1 : FROM scratch');
    },
  );

  it('describes and cancels a build, and the log lies where gcloud reads it', async () => {
    const { body } = await world.call('POST', `/v1/projects/${project}/locations/global/builds`, {
      steps: [{ name: 'ubuntu', args: ['wait'] }],
    });
    const { id } = (body as { metadata: { build: { id: string } } }).metadata.build;
    await gcloud.output(['builds', 'cancel', id]);
    const build = JSON.parse(await gcloud.output(['builds', 'describe', id, '--format=json'])) as {
      status: string;
      logsBucket: string;
    };
    expect(build.status).toBe('CANCELLED');
    const log = await world.call('GET', `/${build.logsBucket.replace('gs://', '')}/log-${id}.txt`);
    expect(log.text).toContain('CANCELLED');
  });

  it('makes buckets, changes them, and moves files up and down', async () => {
    const storage = (...args: string[]): Promise<string> => gcloud.output(['storage', ...args]);
    await storage('buckets', 'create', 'gs://demo-bucket', '--location=us-central1');
    await storage('buckets', 'update', 'gs://demo-bucket', '--versioning');
    const fields = '--format=value(location,versioning_enabled)';
    expect(await storage('buckets', 'describe', 'gs://demo-bucket', fields)).toBe(
      'US-CENTRAL1\tTrue\n',
    );
    const tree = join(gcloud.directory, 'tree');
    await mkdir(join(tree, 'inner'), { recursive: true });
    await writeFile(join(tree, 'a.txt'), 'hello');
    await writeFile(join(tree, 'inner/b.bin'), randomBytes(3 * 1024 * 1024));
    await storage('cp', '-r', tree, 'gs://demo-bucket/up');
    expect((await storage('ls', '-r', 'gs://demo-bucket/up/**')).split('\n')).toEqual([
      'gs://demo-bucket/up/a.txt',
      'gs://demo-bucket/up/inner/b.bin',
      '',
    ]);
    const back = join(gcloud.directory, 'back.bin');
    await storage('cp', 'gs://demo-bucket/up/inner/b.bin', back);
    const original = await readFile(join(tree, 'inner/b.bin'));
    expect((await readFile(back)).equals(original)).toBe(true);
    await storage('mv', 'gs://demo-bucket/up/a.txt', 'gs://demo-bucket/moved.txt');
    expect(await storage('cat', 'gs://demo-bucket/moved.txt')).toBe('hello');
    await storage('rm', '-r', 'gs://demo-bucket');
    const gone = await gcloud.run(['storage', 'buckets', 'describe', 'gs://demo-bucket']);
    expect(gone).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('404') });
  });

  it('makes repositories and lists images with their tags', async () => {
    const artifacts = (...args: string[]): Promise<string> => gcloud.output(['artifacts', ...args]);
    const location = '--location=us-central1';
    await artifacts('repositories', 'create', 'trainyard', '--repository-format=docker', location);
    const described = await artifacts('repositories', 'describe', 'trainyard', location);
    expect(described).toContain(`registryUri: us-central1-docker.pkg.dev/${project}/trainyard`);
    const names = await artifacts('repositories', 'list', '--format=value(name.basename())');
    expect(names.trim()).toBe('trainyard');
    const images = await artifacts(
      ...['docker', 'images', 'list', image.replace(/:.*/, ''), '--include-tags'],
      '--format=value(package,tags)',
    );
    expect(images.trim()).toBe(`us-central1-docker.pkg.dev/${project}/trainyard/digits\tv1`);
  });

  it('keeps a secret', async () => {
    const secrets = (...args: string[]): Promise<string> => gcloud.output(['secrets', ...args]);
    const file = join(gcloud.directory, 'secret');
    await writeFile(file, 'first');
    await secrets('create', 'key', `--data-file=${file}`, '--labels=team=a');
    await writeFile(file, 'second');
    await secrets('versions', 'add', 'key', `--data-file=${file}`);
    expect(await secrets('versions', 'access', '1', '--secret=key')).toBe('first');
    expect(await secrets('versions', 'access', 'latest', '--secret=key')).toBe('second');
    expect(await secrets('versions', 'list', 'key', '--format=value(name)')).toBe('2\n1\n');
    const role = '--role=roles/secretmanager.secretAccessor';
    await secrets('add-iam-policy-binding', 'key', '--member=user:a@b.example', role);
    expect(await secrets('list', '--format=value(labels.team)')).toBe('a\n');
    await secrets('delete', 'key');
    expect(await secrets('list', '--format=value(name)')).toBe('');
  });

  it('reads logs', async () => {
    const { body } = await world.call(
      'POST',
      `/v1/projects/${project}/locations/us-central1/customJobs`,
      {
        displayName: 'logged',
        jobSpec: {
          workerPoolSpecs: [
            {
              machineSpec: { machineType: 'n1-standard-4' },
              replicaCount: 1,
              containerSpec: { imageUri: image },
            },
          ],
        },
      },
    );
    const { name } = body as { name: string };
    await until(
      () => world.call('GET', `/v1/${name}`),
      (answer) => (answer.body as { state: string }).state === 'JOB_STATE_SUCCEEDED',
    );
    const filter = `resource.type="ml_job" AND resource.labels.job_id="${name.split('/').at(-1)!}" AND severity>=ERROR`;
    const lines = await gcloud.output(['logging', 'read', filter, '--format=value(textPayload)']);
    expect(lines).toBe('a warning\n');
  });
});
