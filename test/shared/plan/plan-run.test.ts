/** What a comment's command becomes. */
import { describe, expect, it } from '@jest/globals';
import type { PlanInput } from '../../../shared/plan/plan-run.ts';
import { imagePlaceholder, type Plan } from '../../../shared/plan/plan.ts';
import { newRunId } from '../../../shared/plan/run-id.ts';
import { command, config, cpu, input, planned, t4 } from './plan-input.ts';

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

describe('newRunId', () => {
  it('makes eight letters and digits from random bytes', () => {
    expect(newRunId((size) => new Uint8Array(size))).toBe('aaaaaaaa');
    expect(newRunId(() => Uint8Array.of(0, 1, 25, 26, 31, 32, 255, 128))).toBe('abz27a7a');
  });
});
