import { describe, expect, it } from '@jest/globals';
import type { TrainCommand } from '../../../shared/command/command.ts';
import { defaultSettings } from '../../../shared/config/project-settings.ts';
import { planRun, type PlanInput } from '../../../shared/plan/plan-run.ts';
import { imagePlaceholder, type Plan } from '../../../shared/plan/plan.ts';
import { newRunId } from '../../../shared/plan/run-id.ts';

const cpu = `workerPoolSpecs:
  machineSpec: {machineType: n1-standard-8}
  replicaCount: 1
  containerSpec: {imageUri: $IMAGE}
`;
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
  it('plans a build and a job from a comment', () => {
    const plan = planned(t4);
    expect(plan.build).toEqual({
      region: 'global',
      dockerfile: 'Dockerfile',
      imageName: 'us-central1-docker.pkg.dev/demo-project/trainyard/digits-ai',
      sourceBucket: 'demo-project_cloudbuild',
      logsBucket: 'demo-project_cloudbuild',
      timeoutSeconds: 1_800,
    });
    const outputUriPrefix = 'gs://demo-project-trainyard-results/1001/k7q2m4xa/';
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
    expect(plan.estimate.ceilingUsd).toBeCloseTo(0.73, 2);
    expect(plan.notes).toEqual([]);
    for (const [key, value] of Object.entries(plan.job.labels))
      expect(`${key}=${value}`).toMatch(/^trainyard-[a-z]+=[a-z0-9_-]{1,63}$/);
    expect(plan.job.labels).toMatchObject({
      'trainyard-owner': 'mine',
      'trainyard-run': 'k7q2m4xa',
      'trainyard-pr': '12',
      'trainyard-sha': '3f2c1ab',
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
    expect(plan.estimate.usdPerHour).toBeCloseTo(4 * 0.38, 2);
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
  const h100 = { ...input.settings, maxUsdPerRun: 1_000 };
  const tight = { repoConfig: { ...input.repoConfig, maxUsd: 0.1 } };
  const disk = config(`${cpu}  diskSpec: {bootDiskSizeGb: 64000}\n`);
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
    ['a week', command({ timeoutSeconds: 604_800 }), 'timeout_too_long', /7d/],
    ['a high price', command({ timeoutSeconds: 80_000 }), 'over_ceiling', /at most \$5.00/],
    ['more than the repository allows', tight, 'over_ceiling', /at most \$0.10/],
    ['a large disk', disk, 'over_ceiling', /could cost/],
    ['an unknown price', { ...gpu('H100'), settings: h100 }, 'price_unknown', /not known/],
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
    'pscInterfaceConfig: {networkAttachment: n}',
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

describe('planRun for a workflow', () => {
  const workflow = {
    authority: 'workflow',
    settings: { ...input.settings, maxUsdPerRun: 100 },
  } as const;

  it('leaves what the file says of its pools as gcloud would send it', () => {
    const text = `workerPoolSpecs:
- machineSpec: {machineType: n9-future-8, acceleratorType: TPU_V3, acceleratorCount: 8}
  containerSpec: {imageUri: gcr.io/mine/image, args: ['$(AIP_MODEL_DIR)']}
serviceAccount: mine@demo-project.iam.gserviceaccount.com
baseOutputDirectory: {outputUriPrefix: 'gs://mine/out'}
`;
    const plan = planned({ ...workflow, ...config(text), hasDockerfile: false });
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
    expect(plan.notes.join('\n')).toMatch(/catalogue[^]*no estimate[^]*nothing is built/);
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

describe('newRunId', () => {
  it('makes eight letters and digits from random bytes', () => {
    expect(newRunId((size) => new Uint8Array(size))).toBe('aaaaaaaa');
    expect(newRunId(() => Uint8Array.of(0, 1, 25, 26, 31, 32, 255, 128))).toBe('abz27a7a');
  });
});
