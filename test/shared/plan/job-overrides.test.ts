/** What a workflow sets beside its job config: each override by itself, and how they arrive in the plan. */
import { describe, expect, it } from '@jest/globals';
import { defaultSettings } from '../../../shared/config/project-settings.ts';
import { planRun, refusalsOf, type PlanInput } from '../../../shared/plan/plan-run.ts';
import type { JobOverrides } from '../../../shared/plan/job-overrides.ts';
import type { Plan } from '../../../shared/plan/plan.ts';

const container = 'containerSpec: {imageUri: $IMAGE}';
const machine = 'machineSpec: {machineType: n1-standard-8}';
const one = `workerPoolSpecs:\n- {${machine}, ${container}}\n`;
const reducer = `- {${machine}, containerSpec: {imageUri: us-docker.pkg.dev/vertex-ai-restricted/training/reductionserver:latest}}\n`;

const input: PlanInput = {
  runId: 'k7q2m4xa',
  owner: 'workflow',
  tier: 'base',
  subject: {
    repository: { id: 1001, fullName: 'acme/digits' },
    headSha: '3f2c1ab'.padEnd(40, '0'),
    requestedBy: { id: 7, login: 'olivia' },
  },
  command: { kind: 'train', dryRun: false },
  repoConfig: { config: 'config.yaml', dockerfile: 'Dockerfile' },
  settings: {
    ...defaultSettings('demo-project', ['us-central1']),
    maxUsdPerRun: 1_000,
    maxTimeoutSeconds: 7 * 86_400,
  },
  jobConfig: { path: 'config.yaml', text: one },
  hasDockerfile: true,
  authority: 'workflow',
};

function planned(overrides: JobOverrides, text = one, change: Partial<PlanInput> = {}): Plan {
  const jobConfig = { path: 'config.yaml', text };
  const answer = planRun({ ...input, ...change, jobConfig, overrides });
  if (answer.kind === 'rejected') throw new Error(`${answer.reason}: ${answer.message}`);
  return answer.plan;
}

describe('overrides of the job config', () => {
  const n1 = { machineSpec: { machineType: 'n1-standard-8' } };
  const image = { imageUri: '$IMAGE' };
  const cases: [string, string, JobOverrides, object][] = [
    [
      'env is added, and beats what the file says of the same name',
      one.replace('$IMAGE}', '$IMAGE, env: [{name: A, value: "1"}, {name: B, value: "2"}]}'),
      { env: { B: 'two', C: '' } },
      {
        workerPoolSpecs: [
          {
            containerSpec: {
              env: [
                { name: 'A', value: '1' },
                { name: 'B', value: 'two' },
                { name: 'C', value: '' },
              ],
            },
          },
        ],
      },
    ],
    [
      'env reaches Python packages too',
      `workerPoolSpecs:\n- {${machine}, pythonPackageSpec: {executorImageUri: e, packageUris: [gs://b/p], pythonModule: m}}\n`,
      { env: { A: '1' } },
      { workerPoolSpecs: [{ pythonPackageSpec: { env: [{ name: 'A', value: '1' }] } }] },
    ],
    [
      "a command goes to every program of ours and not to Vertex AI's own images",
      one + reducer,
      { command: ['python', '-m', 'train'], env: { A: '1' } },
      {
        workerPoolSpecs: [
          { containerSpec: { ...image, command: ['python', '-m', 'train'] } },
          {
            containerSpec: {
              imageUri: 'us-docker.pkg.dev/vertex-ai-restricted/training/reductionserver:latest',
            },
          },
        ],
      },
    ],
    ['spot machines', one, { spot: true }, { scheduling: { strategy: 'SPOT' } }],
    [
      'spot machines, whatever the file says',
      `${one}scheduling: {strategy: FLEX_START, disableRetries: true}\n`,
      { spot: true },
      { scheduling: { strategy: 'SPOT', disableRetries: true } },
    ],
    [
      'an account instead of the one in the file',
      `${one}serviceAccount: file@demo-project.iam.gserviceaccount.com\n`,
      { serviceAccount: 'input@demo-project.iam.gserviceaccount.com' },
      { serviceAccount: 'input@demo-project.iam.gserviceaccount.com' },
    ],
    [
      'a directory instead of the one in the file',
      `${one}baseOutputDirectory: {outputUriPrefix: gs://file/}\n`,
      { baseOutputDirectory: 'gs://input/runs' },
      { baseOutputDirectory: { outputUriPrefix: 'gs://input/runs' } },
    ],
    [
      'four replicas of one pool: the first and three copies of it',
      one,
      { replicaCount: 4 },
      {
        workerPoolSpecs: [
          { ...n1, replicaCount: '1', containerSpec: image },
          { ...n1, replicaCount: '3', containerSpec: image },
        ],
      },
    ],
    [
      'three replicas of two pools and a third that stays',
      `${one}- {machineSpec: {machineType: n1-standard-4}, replicaCount: 7, ${container}}\n${reducer}`,
      { replicaCount: 3 },
      {
        workerPoolSpecs: [
          { ...n1, replicaCount: '1' },
          { machineSpec: { machineType: 'n1-standard-4' }, replicaCount: '2' },
          { machineSpec: { machineType: 'n1-standard-8' } },
        ],
      },
    ],
  ];

  it.each(cases)('%s', (_what, text, overrides, spec) => {
    expect(planned(overrides, text).job.spec).toMatchObject(spec);
  });

  it.each([
    ['the last pool goes', '', 1],
    ['a pool before others is left empty', reducer, 3],
  ])('one replica needs no second pool: %s', (_what, more, pools) => {
    const second = `- {${machine}, ${container}}\n`;
    const { workerPoolSpecs } = planned({ replicaCount: 1 }, one + second + more).job.spec;
    expect(workerPoolSpecs).toHaveLength(pools);
    expect(workerPoolSpecs[1] ?? {}).toEqual({});
  });

  it('counts, prices and equips the replicas like the first', () => {
    const command = {
      ...input.command,
      gpu: { kind: 'gpu', name: 'T4', count: 2 },
    } as const satisfies PlanInput['command'];
    const single = planned({}, one, { command });
    const four = planned({ replicaCount: 4 }, one, { command });
    expect(four.job.machine.replicas).toBe(4);
    expect(four.estimate.usdPerHour).toBeCloseTo(4 * single.estimate.usdPerHour, 6);
    expect(four.job.spec.workerPoolSpecs[1]?.machineSpec).toMatchObject({
      acceleratorType: 'NVIDIA_TESLA_T4',
      acceleratorCount: 2,
    });
  });

  it.each(['SPOT', 'LOW_COST'])('`spot: false` takes %s back, and nothing else', (strategy) => {
    const text = `${one}scheduling: {strategy: ${strategy}, timeout: 60s}\n`;
    expect(planned({ spot: false }, text).job.spec.scheduling).toEqual({ timeout: '60s' });
    const flexible = text.replace(strategy, 'FLEX_START');
    expect(planned({ spot: false }, flexible).job.spec.scheduling?.['strategy']).toBe('FLEX_START');
  });

  it("names, labels and a deadline for the start are the job's; labels of ours stay ours", () => {
    const labels = { team: 'vision', 'trainyard-run': 'somebody' };
    const { job } = planned({ displayName: 'Mine', labels, startTimeoutSeconds: 60 });
    expect(job).toMatchObject({ displayName: 'Mine', startTimeoutSeconds: 60 });
    expect(job.labels).toMatchObject({ team: 'vision', 'trainyard-run': 'k7q2m4xa' });
  });

  it('without any, the job is what the file says', () => {
    expect(planned({})).toEqual(planned({ env: {}, labels: {} }));
  });

  it.each<[string, string, JobOverrides]>([
    [
      'a command without a container',
      `workerPoolSpecs:\n- {${machine}, pythonPackageSpec: {executorImageUri: e, packageUris: [gs://b/p], pythonModule: m}}\n`,
      { command: ['x'] },
    ],
    [
      'more variables than a container may have',
      one.replace('$IMAGE}', '$IMAGE, env: [{name: OF_FILE, value: "1"}]}'),
      { env: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`V${i}`, ''])) },
    ],
  ])('refuses %s', (_what, text, overrides) => {
    const jobConfig = { path: 'config.yaml', text };
    expect(planRun({ ...input, jobConfig, overrides })).toMatchObject({ reason: 'bad_argument' });
  });
});

describe('how the image is built', () => {
  it('is part of the plan', () => {
    const buildOptions = {
      buildArgs: { A: '1' },
      target: 'train',
      platform: 'linux/amd64',
      workerMachineType: 'E2_HIGHCPU_8',
      layerCache: false,
      timeoutSeconds: 60,
    };
    expect(planned({}, one, { buildOptions }).build).toMatchObject(buildOptions);
  });
});

describe('the price of a timeout that nobody wrote', () => {
  const { maxUsdPerRun: _, ...open } = input.settings;
  const settings = { ...open, maxUsdOfDefaultTimeout: 1 };
  const asked = { ...input.command, timeoutSeconds: 360_000 };

  it('is bounded, and the note says how to have more', () => {
    const plan = planned({}, one, { settings });
    const { ceilingUsd, usdPerHour, timeoutSeconds } = plan.estimate;
    expect((usdPerHour * timeoutSeconds) / 3_600).toBeLessThanOrEqual(1);
    // What the build may cost comes on top, and is shown.
    expect(ceilingUsd).toBeCloseTo((usdPerHour * timeoutSeconds) / 3_600 + 0.18, 6);
    expect(plan.notes).toEqual([
      expect.stringMatching(/^The timeout was cut from .*\$1\.00\. Name a timeout to have more\.$/),
    ]);
  });

  it.each<[string, string, Partial<PlanInput>]>([
    ['the input', one, { command: asked }],
    ['the file', `${one}scheduling: {timeout: 360000s}\n`, {}],
  ])('does not bind one that %s names', (_who, text, change) => {
    const plan = planned({}, text, { settings, ...change });
    expect(plan.job.timeoutSeconds).toBe(360_000);
    expect(plan.estimate.ceilingUsd).toBeGreaterThan(40);
    expect(plan.notes).toEqual([]);
  });

  it('never refuses: not the dearest machines, and not those whose price nobody knows', () => {
    const dear = planned({ replicaCount: 900 }, one, { settings });
    expect(dear.job.timeoutSeconds).toBe(60);
    const unknown = one.replace('n1-standard-8', 'z9-standard-8');
    const change = { settings: { ...settings, allowUnknownMachines: true } };
    expect(planned({}, unknown, change).job.timeoutSeconds).toBe(7 * 86_400);
  });
});

describe('refusalsOf', () => {
  it.each<[string, Partial<PlanInput>, readonly string[]]>([
    ['nothing', {}, []],
    [
      'a region, a machine, a timeout and a missing Dockerfile at once',
      {
        command: {
          kind: 'train',
          dryRun: false,
          region: 'mars-north1',
          machineType: 'n9-standard-4',
          timeoutSeconds: 86_400 * 30,
        },
        hasDockerfile: false,
      },
      ['region_not_allowed', 'unknown_machine', 'timeout_too_long', 'no_dockerfile'],
    ],
    [
      'each place of the config that is wrong',
      {
        jobConfig: { path: 'config.yaml', text: 'workerPoolSpec: []\nscheduling: {timeout: x}\n' },
      },
      ['bad_config', 'bad_config', 'bad_config'],
    ],
    [
      'the price, when everything else is right',
      {
        command: { kind: 'train', dryRun: false, timeoutSeconds: 86_400 },
        repoConfig: { ...input.repoConfig, maxUsd: 0.1 },
      },
      ['over_ceiling'],
    ],
  ])('names %s', (_what, change, reasons) => {
    const refusals = refusalsOf({ ...input, ...change });
    expect(refusals.map(({ reason }) => reason)).toEqual(reasons);
    const answer = planRun({ ...input, ...change });
    expect(answer.kind === 'rejected' ? answer.reason : undefined).toBe(reasons[0]);
  });
});
