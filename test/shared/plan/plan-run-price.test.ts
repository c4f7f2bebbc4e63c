/** What a planned run may cost, in one attempt and in several. */
import { describe, expect, it } from '@jest/globals';
import { defaultSettings } from '../../../shared/config/project-settings.ts';
import { planRun, type PlanInput } from '../../../shared/plan/plan-run.ts';
import { command, config, cpu, input, planned, t4 } from './plan-input.ts';

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
