/** What is not planned, and why. */
import { describe, expect, it } from '@jest/globals';
import { defaultSettings } from '../../../shared/config/project-settings.ts';
import { planRun, type PlanInput } from '../../../shared/plan/plan-run.ts';
import { command, config, cpu, input, planned } from './plan-input.ts';

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
