/** What a workflow step plans: its author is the authority. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withBuiltImage } from '../../../shared/plan/built-image.ts';
import { planRun, type PlanInput } from '../../../shared/plan/plan-run.ts';
import { imagePlaceholder } from '../../../shared/plan/plan.ts';
import { cases, command, config, cpu, input, planned, t4 } from './plan-input.ts';

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
