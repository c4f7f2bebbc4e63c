import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { TrainCommand } from '../../../shared/command/command.ts';
import { defaultSettings } from '../../../shared/config/project-settings.ts';
import { withBuiltImage } from '../../../shared/plan/built-image.ts';
import { planRun, type PlanInput } from '../../../shared/plan/plan-run.ts';
import { imagePlaceholder, type Plan } from '../../../shared/plan/plan.ts';
import { newRunId } from '../../../shared/plan/run-id.ts';

const cpu = `workerPoolSpecs:
  machineSpec: {machineType: n1-standard-8}
  replicaCount: 1
  containerSpec: {imageUri: $IMAGE}
`;
const cases = join(import.meta.dirname, '../config/cases');
const sha = '3f2c1ab'.padEnd(40, '0');
const input: PlanInput = {
  runId: 'k7q2m4xa',
  owner: 'Mine',
  tier: 'pull',
  subject: {
    repository: { id: 1001, fullName: 'acme/Digits.AI' },
    pullNumber: 12,
    headSha: sha,
    requestedBy: { id: 7, login: 'olivia' },
  },
  command: { kind: 'train', dryRun: false },
  repoConfig: { config: 'config_cpu.yaml', dockerfile: 'Dockerfile' },
  settings: defaultSettings('demo-project', ['us-central1']),
  jobConfig: { path: 'config_cpu.yaml', text: cpu },
  hasDockerfile: true,
  authority: 'app',
};
const command = (fields: Partial<TrainCommand>): Partial<PlanInput> => ({
  command: { kind: 'train', dryRun: false, ...fields },
});
const config = (text: string): Partial<PlanInput> => ({
  jobConfig: { path: 'config_cpu.yaml', text },
});
const t4 = command({ gpu: { kind: 'gpu', name: 'T4', count: 1 } });

function planned(change: Partial<PlanInput> = {}): Plan {
  const answer = planRun({ ...input, ...change });
  if (answer.kind === 'rejected') throw new Error(`${answer.reason}: ${answer.message}`);
  return answer.plan;
}

describe('planRun', () => {
  it('is judged by the metric that the repository names, and as it says', () => {
    const judged = { metric: 'val_loss', goal: 'minimize' } as const;
    expect(planned({ repoConfig: { ...input.repoConfig, ...judged } })).toMatchObject(judged);
    expect(Object.keys(planned())).not.toEqual(expect.arrayContaining(['metric']));
  });

  it('plans a build and a job from a comment', () => {
    const plan = planned(t4);
    expect(plan.build).toEqual({
      kind: 'dockerfile',
      region: 'global',
      dockerfile: 'Dockerfile',
      imageName: 'us-central1-docker.pkg.dev/demo-project/trainyard/digits-ai-1001',
      sourceBucket: 'demo-project_cloudbuild',
      logsBucket: 'demo-project_cloudbuild',
      timeoutSeconds: 1_800,
    });
    const outputUriPrefix = 'gs://demo-project-trainyard-results/1001/pull/k7q2m4xa/';
    expect(plan.job).toMatchObject({
      region: 'us-central1',
      displayName: 'acme/Digits.AI#12 3f2c1ab k7q2m4xa',
      machine: { machineType: 'n1-standard-8', gpu: 'T4', gpuCount: 1, replicas: 1 },
      outputUriPrefix,
      timeoutSeconds: 3_600,
      spec: {
        workerPoolSpecs: [
          {
            machineSpec: {
              machineType: 'n1-standard-8',
              acceleratorType: 'NVIDIA_TESLA_T4',
              acceleratorCount: 1,
            },
            replicaCount: '1',
            containerSpec: { imageUri: imagePlaceholder },
          },
        ],
        scheduling: { timeout: '3600s' },
        baseOutputDirectory: { outputUriPrefix },
      },
    });
    // An hour of the job, and half an hour of the build.
    expect(plan.estimate.ceilingUsd).toBeCloseTo(0.866 + 0.18, 3);
    expect(plan.notes).toEqual([]);
    for (const [key, value] of Object.entries(plan.job.labels))
      expect(`${key}=${value}`).toMatch(/^trainyard-[a-z]+=[a-z0-9_-]{1,63}$/);
    expect(plan.job.labels).toMatchObject({
      'trainyard-owner': 'mine',
      'trainyard-run': 'k7q2m4xa',
      'trainyard-pr': '12',
      'trainyard-sha': input.subject.headSha,
      'trainyard-tier': 'pull',
    });
  });

  it('is the same for the same input', () => {
    expect(planned(t4)).toEqual(planned(t4));
  });

  it('runs as the trainer account that the operator names', () => {
    const trainerServiceAccount = 'trainer@demo-project.iam.gserviceaccount.com';
    const plan = planned({ settings: { ...input.settings, trainerServiceAccount } });
    expect(plan.job.spec.serviceAccount).toBe(trainerServiceAccount);
  });

  it.each(['base', 'pull', 'fork'] as const)('keeps the results of the tier %s apart', (tier) => {
    const { job } = planned({ tier, runDirectory: 'unguessable' });
    const expected = `gs://demo-project-trainyard-results/1001/${tier}/unguessable/`;
    expect(job.outputUriPrefix).toBe(expected);
    expect(job.spec.baseOutputDirectory?.outputUriPrefix).toBe(expected);
  });

  it('keeps a display name within the limit of 128 characters', () => {
    const repository = { id: 1, fullName: `a/${'x'.repeat(200)}` };
    const plan = planned({ subject: { ...input.subject, repository } });
    expect(plan.job.displayName).toHaveLength(128);
    expect(plan.job.displayName).toMatch(/k7q2m4xa$/);
  });

  it('runs the image of the commit, whatever a pull request names', () => {
    const plan = planned(config(cpu.replace('$IMAGE', 'gcr.io/evil/image')));
    expect(plan.job.spec.workerPoolSpecs[0]?.containerSpec?.imageUri).toBe(imagePlaceholder);
    expect(plan.notes).toEqual([expect.stringContaining('`gcr.io/evil/image`')]);
  });

  it.each([
    ['us-docker.pkg.dev/vertex-ai-restricted/training/reductionserver:latest', 0],
    ['us-docker.pkg.dev/vertex-ai-evil/x', 1],
  ])('in a second pool, %s is replaced %d times', (image, replaced) => {
    const pools = `workerPoolSpecs:
- {machineSpec: {machineType: n1-standard-8}, containerSpec: {imageUri: $IMAGE}}
- {machineSpec: {machineType: n1-standard-8}, containerSpec: {imageUri: ${image}}}
`;
    expect(planned(config(pools)).notes).toHaveLength(replaced);
  });

  it.each([
    ['$(HOME)', '$$(HOME)'],
    ['$$(HOME)', '$$$$(HOME)'],
    ['$5 $HOME', '$5 $HOME'],
  ])('takes the argument %s literally', (typed, sent) => {
    const plan = planned(command({ args: ['--a', typed] }));
    expect(plan.job.spec.workerPoolSpecs[0]?.containerSpec?.args).toEqual(['--a', sent]);
  });

  it('counts all replicas, and prices them', () => {
    const second =
      '- {machineSpec: {machineType: n1-standard-8}, replicaCount: 3, containerSpec: {imageUri: $IMAGE}}\n';
    const plan = planned(config(`workerPoolSpecs:\n${second.replace('3', '1')}${second}`));
    expect(plan.job.machine.replicas).toBe(4);
    expect(plan.estimate.usdPerHour).toBeCloseTo(4 * (0.38 + 100 * (0.17 / 730)) * 1.15, 2);
  });

  const repo = (fields: object): Partial<PlanInput> => ({
    repoConfig: { ...input.repoConfig, ...fields },
  });
  const withTimeout = (timeout: string): Partial<PlanInput> =>
    config(`${cpu}scheduling: {timeout: ${timeout}}\n`);
  it.each([
    ['an hour', {}, 3_600, 0],
    ['the repository’s', repo({ timeoutSeconds: 600 }), 600, 0],
    ['the file’s', withTimeout('1200.5s'), 1_201, 0],
    [
      'the repository’s limit',
      { ...withTimeout('7200s'), ...repo({ timeoutSeconds: 600 }) },
      600,
      1,
    ],
    ['the command’s', { ...withTimeout('1200s'), ...command({ timeoutSeconds: 60 }) }, 60, 0],
  ] as const)('ends the job after %s', (_, change, seconds, notes) => {
    const plan = planned(change);
    expect(plan.job.timeoutSeconds).toBe(seconds);
    expect(plan.job.spec.scheduling?.timeout).toBe(`${seconds}s`);
    expect(plan.notes).toHaveLength(notes);
  });
});

describe('planRun refuses', () => {
  const gpu = (name: string): Partial<PlanInput> =>
    command({ gpu: { kind: 'gpu', name, count: 1 } });
  const twoRegions = defaultSettings('demo-project', ['us-central1', 'europe-west4']);
  const rich = { ...input.settings, maxUsdPerRun: 1_000 };
  const tight = { repoConfig: { ...input.repoConfig, maxUsd: 0.005 } };
  const b200 = command({ gpu: { kind: 'gpu', name: 'B200', count: 8 } });
  const hyperdisk = config(`${cpu}  diskSpec: {bootDiskType: hyperdisk-balanced}\n`);
  const cases: readonly [string, Partial<PlanInput>, string, RegExp][] = [
    ['a missing config', { jobConfig: undefined }, 'no_config', /`config_cpu.yaml`/],
    ['a broken config', config('a: ['), 'bad_config', /`config_cpu.yaml:1:\d+`/],
    ['a missing Dockerfile', { hasDockerfile: false }, 'no_dockerfile', /`Dockerfile`/],
    ['an unknown GPU', gpu('T5'), 'unknown_gpu', /`T5`/],
    ['a retired GPU', gpu('K80'), 'unknown_gpu', /retired/],
    [
      'a machine that cannot take it',
      command({ gpu: { kind: 'gpu', name: 'L4', count: 1 }, machineType: 'n1-standard-8' }),
      'machine_gpu_mismatch',
      /n1-standard-8/,
    ],
    ['a region', command({ region: 'asia-east1' }), 'region_not_allowed', /`asia-east1`/],
    [
      'a region without a bucket',
      { settings: twoRegions, ...command({ region: 'europe-west4' }) },
      'region_not_allowed',
      /bucket/,
    ],
    ['a week', command({ timeoutSeconds: 604_800 }), 'timeout_too_long', /of 7d .* the 1d/],
    ['99h', command({ timeoutSeconds: 356_400 }), 'timeout_too_long', /of 99h .* the 24h/],
    ['a high price', command({ timeoutSeconds: 80_000 }), 'over_ceiling', /at most \$5.00/],
    ['a ceiling that is no minute', tight, 'over_ceiling', /at most <\$0.01/],
    ['an unknown price', { ...b200, settings: rich }, 'price_unknown', /B200.*not known/],
    ['a disk of unknown price', hyperdisk, 'price_unknown', /not known/],
    ['a TPU', config(cpu.replace('n1-standard-8', 'cloud-tpu')), 'unknown_machine', /is a TPU/],
    [
      'a GPU that is not in the region',
      {
        ...gpu('L4'),
        ...command({ gpu: { kind: 'gpu', name: 'L4', count: 1 }, region: 'us-west2' }),
        settings: {
          ...defaultSettings('demo-project', ['us-central1', 'us-west2']),
          resultsBuckets: { 'us-west2': 'west' },
        },
      },
      'region_not_allowed',
      /L4 \(g2-standard-8\) is not offered in `us-west2`/,
    ],
    [
      'a region that does not train',
      {
        settings: {
          ...defaultSettings('demo-project', ['us-central9']),
          resultsBuckets: { 'us-central9': 'nine' },
        },
      },
      'region_not_allowed',
      /does not train in `us-central9`/,
    ],
  ];
  it.each(cases)('%s', (_, change, reason, message) => {
    const answer = planRun({ ...input, ...change });
    expect(answer).toMatchObject({ kind: 'rejected', reason });
    expect(answer.kind === 'rejected' && answer.message).toMatch(message);
    expect(answer.kind === 'rejected' && answer.fix.length).toBeGreaterThan(10);
  });

  it('lets the repository narrow the price, not widen it', () => {
    const change = { ...command({ timeoutSeconds: 80_000 }) };
    const repoConfig = { ...input.repoConfig, maxUsd: 100 };
    expect(planRun({ ...input, ...change, repoConfig })).toMatchObject({ reason: 'over_ceiling' });
  });

  it.each([
    'serviceAccount: a@b',
    'network: projects/1/global/networks/n',
    'enableWebAccess: true',
    'enableDashboardAccess: true',
    'baseOutputDirectory: {outputUriPrefix: gs://b/}',
    'persistentResourceId: shared',
    'tensorboard: t',
    'experiment: e',
    'reservedIpRanges: [r]',
    'pscInterfaceConfig: {networkAttachment: attachment}',
    'protectedArtifactLocationId: us',
    'models: [m]',
  ])('%s of a pull request', (line) => {
    const answer = planRun({ ...input, ...config(`${cpu}${line}\n`) });
    expect(answer).toMatchObject({ kind: 'rejected', reason: 'field_not_allowed' });
    expect(answer.kind === 'rejected' && answer.message).toContain(
      `\`${line.split(':')[0] ?? ''}\``,
    );
    const settings = { ...input.settings, maxUsdPerRun: 100 };
    const workflow = { authority: 'workflow', settings } as const;
    expect(planned({ ...config(`${cpu}${line}\n`), ...workflow })).toBeDefined();
  });

  it.each([
    '  nfsMounts: [{server: s, path: /p, mountPoint: m}]\n',
    '  machineSpec: {machineType: n1-standard-8, reservationAffinity: {reservationAffinityType: ANY_RESERVATION}}\n',
  ])('within a pool, %j', (line) => {
    const text = line.includes('machineSpec')
      ? cpu.replace('  machineSpec: {machineType: n1-standard-8}\n', line)
      : `${cpu}${line}`;
    expect(planRun({ ...input, ...config(text) })).toMatchObject({ reason: 'field_not_allowed' });
  });

  it.each(['AIP_MODEL_DIR', 'GOOGLE_APPLICATION_CREDENTIALS', 'LD_PRELOAD', 'PATH'])(
    'the variable %s of a pull request',
    (name) => {
      const env = `{imageUri: $IMAGE, env: [{name: ${name}, value: x}]}`;
      const answer = planRun({ ...input, ...config(cpu.replace('{imageUri: $IMAGE}', env)) });
      expect(answer).toMatchObject({ reason: 'field_not_allowed' });
    },
  );
});

describe('the ceiling', () => {
  const ceiling = (maxUsd: number): Partial<PlanInput> => ({
    repoConfig: { ...input.repoConfig, maxUsd },
  });
  const hours = (count: number): Partial<PlanInput> =>
    config(`${cpu}scheduling: {timeout: ${count * 3_600}s}\n`);

  it.each<[string, Partial<PlanInput>, number]>([
    ['a default', ceiling(0.28), 12],
    ['a file', { ...ceiling(1.18), ...hours(20) }, 129],
    ['64 TB of disk', config(`${cpu}  diskSpec: {bootDiskSizeGb: 64000}\n`), 16],
    ['a workflow that names none', { ...ceiling(1.18), authority: 'workflow' }, 129],
  ])('shortens the timeout of %s, and says so', (_, change, minutes) => {
    const plan = planned(change);
    expect(plan.job.timeoutSeconds).toBe(minutes * 60);
    expect(plan.job.spec.scheduling?.timeout).toBe(`${minutes * 60}s`);
    expect(plan.estimate.timeoutSeconds).toBe(minutes * 60);
    const maxUsd = change.repoConfig?.maxUsd ?? input.settings.maxUsdPerRun ?? 0;
    expect(plan.estimate.ceilingUsd).toBeLessThanOrEqual(maxUsd);
    expect(plan.estimate.ceilingUsd + plan.estimate.usdPerHour / 60).toBeGreaterThan(maxUsd);
    expect(plan.notes).toEqual([
      expect.stringMatching(/^The timeout was cut from .* costs at most \$/),
    ]);
  });

  it.each<[string, Partial<PlanInput>]>([
    ['whoever types it', command({ timeoutSeconds: 36_000 })],
    ['a workflow that types it', { ...command({ timeoutSeconds: 36_000 }), authority: 'workflow' }],
    ["the author of a workflow's config", { ...hours(10), authority: 'workflow' }],
  ])('leaves a timeout to %s, and says what fits instead', (_, change) => {
    const answer = planRun({ ...input, ...ceiling(1.18), ...change });
    expect(answer).toMatchObject({ reason: 'over_ceiling' });
    expect(answer.kind === 'rejected' && answer.fix).toMatch(/`timeout=2h9m`/);
  });

  it('counts a spot job at the price on demand', () => {
    const spot = config(`${cpu}scheduling: {strategy: SPOT}\n`);
    expect(planned(spot).estimate).toEqual(planned().estimate);
    expect(planned(spot).notes).toEqual([expect.stringContaining('on demand')]);
  });

  it('is for one timeout: a job that outruns it has a deadline, unless hours pass that nobody pays for', () => {
    expect(planned(hours(1)).job).toMatchObject({ timeoutSeconds: 3_600, deadlineSeconds: 4_500 });
    const spot = config(`${cpu}scheduling: {strategy: SPOT}\n`);
    expect(planned(spot).job).not.toHaveProperty('deadlineSeconds');
  });

  it('uses the prices that the operator knows', () => {
    const settings = { ...input.settings, prices: { 'n1-standard-8': 1, 'pd-ssd': 0.73 } };
    expect(planned({ settings }).estimate.usdPerHour).toBeCloseTo(1.1, 6);
  });
});

describe('planRun for a workflow', () => {
  const workflow = {
    authority: 'workflow',
    settings: { ...input.settings, maxUsdPerRun: 100 },
  } as const;

  const { maxUsdPerRun: _, ...open } = workflow.settings;
  const unknown = { ...workflow, settings: { ...open, allowUnknownMachines: true } };

  it('leaves what the file says of its pools as gcloud would send it', () => {
    const text = `workerPoolSpecs:
- machineSpec: {machineType: n9-future-8, acceleratorType: TPU_V3, acceleratorCount: 8}
  containerSpec: {imageUri: gcr.io/mine/image, args: ['$(AIP_MODEL_DIR)']}
serviceAccount: mine@demo-project.iam.gserviceaccount.com
baseOutputDirectory: {outputUriPrefix: 'gs://mine/out'}
`;
    const plan = planned({ ...unknown, ...config(text), hasDockerfile: false });
    expect(plan.build).toBeUndefined();
    expect(plan.job.spec.workerPoolSpecs).toEqual([
      {
        machineSpec: {
          machineType: 'n9-future-8',
          acceleratorType: 'TPU_V3',
          acceleratorCount: 8,
        },
        containerSpec: { imageUri: 'gcr.io/mine/image', args: ['$(AIP_MODEL_DIR)'] },
      },
    ]);
    expect(plan.job.spec.serviceAccount).toBe('mine@demo-project.iam.gserviceaccount.com');
    expect(plan.job.outputUriPrefix).toBe('gs://mine/out/');
    expect(plan.job.spec.baseOutputDirectory).toEqual({ outputUriPrefix: 'gs://mine/out' });
    expect(plan.notes.join('\n')).toMatch(/is a TPU[^]*no estimate[^]*nothing is built/);
  });

  it('adds what the file leaves open, and nothing else', () => {
    const file = readFileSync(join(cases, 'minimal.yaml'), 'utf8');
    const sent = JSON.parse(readFileSync(join(cases, 'minimal.json'), 'utf8')) as object;
    const trainerServiceAccount = 'trainer@demo-project.iam.gserviceaccount.com';
    const settings = { ...workflow.settings, trainerServiceAccount };
    expect(planned({ ...workflow, ...config(file), settings }).job.spec).toEqual({
      ...sent,
      scheduling: { timeout: '86400s' },
      baseOutputDirectory: { outputUriPrefix: expect.stringMatching(/^gs:.*\/$/) as unknown },
      serviceAccount: trainerServiceAccount,
    });
  });

  it('sends a file that says everything as it is', () => {
    const file = readFileSync(join(cases, 'every-field.yaml'), 'utf8');
    const sent: unknown = JSON.parse(readFileSync(join(cases, 'every-field.json'), 'utf8'));
    const trainerServiceAccount = 'other@demo-project.iam.gserviceaccount.com';
    const settings = { ...workflow.settings, trainerServiceAccount };
    expect(planned({ ...workflow, ...config(file), settings }).job.spec).toEqual(sent);
  });

  it('tries a region that is new, with a note', () => {
    const settings = { ...workflow.settings, regions: ['europe-north2'] };
    const plan = planned({ ...workflow, settings });
    expect(plan.notes.join(' ')).toContain('`europe-north2`');
  });

  it('keeps the words of the file’s timeout', () => {
    const text = `${cpu}scheduling: {timeout: 1200.5s}\n`;
    const { job } = planned({ ...workflow, ...config(text) });
    expect([job.spec.scheduling?.timeout, job.timeoutSeconds]).toEqual(['1200.5s', 1_201]);
  });

  it.each<[string, Partial<PlanInput>, string]>([
    [
      'a machine that it misspells',
      config(cpu.replace('n1-standard-8', 'n1-standrad-8')),
      'unknown_machine',
    ],
    ['a machine of the future', config(cpu.replace('n1-', 'n9-')), 'unknown_machine'],
    [
      'a retired GPU',
      config(cpu.replace('-8}', '-8, acceleratorType: NVIDIA_TESLA_K80, acceleratorCount: 1}')),
      'unknown_gpu',
    ],
    [
      'three T4s',
      config(cpu.replace('-8}', '-8, acceleratorType: NVIDIA_TESLA_T4, acceleratorCount: 3}')),
      'gpu_count_invalid',
    ],
    ['a g2 without its L4', config(cpu.replace('n1-', 'g2-')), 'machine_gpu_mismatch'],
    ['no machine', config(cpu.replace('{machineType: n1-standard-8}', '{}')), 'bad_config'],
  ])('refuses %s', (_what, change, reason) => {
    const answer = planRun({ ...input, ...workflow, ...change });
    expect(answer).toMatchObject({ kind: 'rejected', reason });
    if (reason !== 'bad_config') {
      const plan = planned({ ...unknown, ...change });
      expect(plan.notes.join(' ')).toContain('It is tried all the same');
    }
  });

  it('knows no price of an unknown machine, and keeps to the ceiling', () => {
    const settings = { ...workflow.settings, allowUnknownMachines: true };
    const future = config(cpu.replace('n1-standard-8', 'n9-future-8'));
    expect(planRun({ ...input, ...workflow, ...future, settings })).toMatchObject({
      reason: 'price_unknown',
    });
    const priced = { ...settings, prices: { 'n9-future-8': 2 } };
    const plan = planned({ ...workflow, ...future, settings: priced });
    expect(plan.estimate.usdPerHour).toBeGreaterThan(2);
  });

  it('takes its machine from an input where the file has none', () => {
    const file = config('workerPoolSpecs: {containerSpec: {imageUri: $IMAGE}}\n');
    const plan = planned({ ...workflow, ...file, ...t4 });
    expect(plan.job.spec.workerPoolSpecs).toEqual([
      {
        containerSpec: { imageUri: imagePlaceholder },
        machineSpec: {
          machineType: 'n1-standard-8',
          acceleratorType: 'NVIDIA_TESLA_T4',
          acceleratorCount: 1,
        },
      },
    ]);
  });

  it.each([
    ['tensorboard: t', /without a `serviceAccount`/],
    ['scheduling: {strategy: FLEX_START}', /FLEX_START for L4/],
    ['persistentResourceId: mine', /persistent resource/],
  ])('notes what is doubtful about %s', (line, note) => {
    const plan = planned({ ...workflow, ...config(`${cpu}${line}\n`) });
    expect(plan.notes.join(' ')).toMatch(note);
  });

  it('builds for a job that names the image anywhere, and puts it there', () => {
    const pool = '{machineSpec: {machineType: n1-standard-8}, ';
    const text = `workerPoolSpecs:
- ${pool}containerSpec: {imageUri: mine, args: [--image=$IMAGE, $IMAGES], env: [{name: A, value: '\${IMAGE}'}]}}
- ${pool}pythonPackageSpec: {executorImageUri: $IMAGE, packageUris: [gs://a/b], pythonModule: m}}
`;
    const plan = planned({ ...workflow, ...config(text) });
    expect(plan.build).toBeDefined();
    const { workerPoolSpecs } = withBuiltImage(plan.job.spec, 'r/i@sha256:$&');
    expect(workerPoolSpecs[0]?.containerSpec).toEqual({
      imageUri: 'mine',
      args: ['--image=r/i@sha256:$&', '$IMAGES'],
      env: [{ name: 'A', value: 'r/i@sha256:$&' }],
    });
    expect(workerPoolSpecs[1]?.pythonPackageSpec?.['executorImageUri']).toBe('r/i@sha256:$&');
  });

  it('runs a given image without a build', () => {
    const image = 'registry/digits@sha256:1';
    const plan = planned({ ...workflow, image, hasDockerfile: false });
    expect(plan.build).toBeUndefined();
    expect(plan.job.spec.workerPoolSpecs[0]?.containerSpec?.imageUri).toBe(image);
  });

  it('takes its arguments as they are, in every pool', () => {
    const pools = `workerPoolSpecs:
- {machineSpec: {machineType: n1-standard-8}, containerSpec: {imageUri: $IMAGE, args: [old]}}
- {machineSpec: {machineType: n1-standard-8}, containerSpec: {imageUri: $IMAGE, args: [old]}}
`;
    const args = ['--out', '$(AIP_MODEL_DIR)'];
    const plan = planned({ ...workflow, ...config(pools), ...command({ args }) });
    for (const pool of plan.job.spec.workerPoolSpecs)
      expect(pool.containerSpec?.args).toEqual(args);
  });

  it('still refuses a machine that cannot take its GPU', () => {
    const text = cpu.replace(
      'n1-standard-8',
      'e2-standard-8, acceleratorType: NVIDIA_TESLA_T4, acceleratorCount: 1',
    );
    expect(planRun({ ...input, ...workflow, ...config(text) })).toMatchObject({
      reason: 'machine_gpu_mismatch',
    });
  });
});

describe('more than one attempt', () => {
  const buckets = { 'us-central1': 'r-us', 'europe-west4': 'r-eu', 'me-central1': 'r-me' };
  const patient = defaultSettings('demo-project', Object.keys(buckets).concat('us-west1'), {
    resultsBuckets: buckets,
    maxAttempts: 2,
  });
  const places = (change: Partial<PlanInput>): string[] =>
    (planned({ settings: patient, ...change }).elsewhere ?? []).map(({ region }) => region);

  it('goes on where there is a bucket for results and the GPU is offered', () => {
    expect(places(t4)).toEqual(['europe-west4']);
    expect(places({})).toEqual(['europe-west4', 'me-central1']);
    const [next] = planned({ ...t4, settings: patient }).elsewhere ?? [];
    expect(next?.outputUriPrefix).toBe('gs://r-eu/1001/pull/k7q2m4xa/');
    expect(next?.spec.baseOutputDirectory?.outputUriPrefix).toBe('gs://r-eu/1001/pull/k7q2m4xa/');
  });

  it.each<[string, Partial<PlanInput>]>([
    ['there is one attempt', { settings: { ...patient, maxAttempts: 1 } }],
    ['somebody named another region', command({ region: 'europe-west4' })],
    [
      'the file names its own output',
      {
        ...config(`${cpu}baseOutputDirectory: {outputUriPrefix: gs://mine/}\n`),
        authority: 'workflow',
      },
    ],
    [
      'the job runs on a persistent resource',
      { ...config(`${cpu}persistentResourceId: mine\n`), authority: 'workflow' },
    ],
  ])('stays where it is when %s', (_why, change) => {
    expect(places(change)).toEqual([]);
  });

  it('may cost as much each time', () => {
    const once = planned({ ...t4, settings: { ...patient, maxAttempts: 1 } }).estimate;
    const twice = planned({ ...t4, settings: patient }).estimate;
    const build = 0.18;
    const dearer = 1.272; // of the other region
    const most = 2 * dearer * (once.ceilingUsd - build) + build;
    expect(twice.ceilingUsd).toBeCloseTo(most, 6);
    expect(twice.usdPerHour).toBe(once.usdPerHour);
    const settings = { ...patient, maxUsdPerRun: once.ceilingUsd * 1.001 };
    expect(planned({ ...t4, settings }).job.timeoutSeconds).toBe(1_800);
  });
});

describe('newRunId', () => {
  it('makes eight letters and digits from random bytes', () => {
    expect(newRunId((size) => new Uint8Array(size))).toBe('aaaaaaaa');
    expect(newRunId(() => Uint8Array.of(0, 1, 25, 26, 31, 32, 255, 128))).toBe('abz27a7a');
  });
});

describe('keys of a comment', () => {
  const env = (plan: Plan): unknown => plan.job.spec.workerPoolSpecs[0]?.containerSpec?.env;

  it('set replicas, spot, a name and variables, literally', () => {
    const keys = { replicas: 3, spot: true, name: 'wide', env: { LR: '$(HOME)', A: '$$(A)' } };
    const plan = planned(command(keys));
    expect(plan.job.spec.workerPoolSpecs.map(({ replicaCount }) => replicaCount)).toEqual([
      '1',
      '2',
    ]);
    expect(plan.job.spec.scheduling).toMatchObject({ strategy: 'SPOT' });
    expect(plan.job.displayName).toBe('wide');
    expect(plan.job.labels['trainyard-name']).toBe('wide');
    expect(env(plan)).toEqual([
      { name: 'LR', value: '$$(HOME)' },
      { name: 'A', value: '$$$$(A)' },
    ]);
    expect(plan.job.machine.replicas).toBe(3);
  });

  it('spot=false takes what the job config says of it back', () => {
    const spot = config(`${cpu}scheduling: {strategy: SPOT, timeout: 600s}\n`);
    expect(planned(spot).job.spec.scheduling).toHaveProperty('strategy');
    const plan = planned({ ...spot, ...command({ spot: false }) });
    expect(plan.job.spec.scheduling).toEqual({ timeout: '600s' });
  });

  it('max-cost lowers the ceiling and never raises it', () => {
    const cheap = planned(command({ maxUsd: 0.3 }));
    expect(cheap.estimate.ceilingUsd).toBeLessThanOrEqual(0.3);
    expect(cheap.notes.join()).toMatch(/timeout was cut/);
    const settings = { ...input.settings, maxUsdPerRun: 0.3 };
    const plan = planned({ settings, ...command({ maxUsd: 100 }) });
    expect(plan.estimate.ceilingUsd).toBeLessThanOrEqual(0.3);
  });

  it('build=… is how the image is had, image=… which one', () => {
    expect(planned(command({ build: 'always' })).build?.mode).toBe('always');
    expect(planned().build).not.toHaveProperty('mode');
    const image = `us-central1-docker.pkg.dev/demo-project/trainyard/digits@sha256:${'a'.repeat(64)}`;
    const plan = planned({ image, ...command({ image }) });
    expect(plan.build).toBeUndefined();
    expect(plan.job.spec.workerPoolSpecs[0]?.containerSpec?.imageUri).toBe(image);
  });
});
