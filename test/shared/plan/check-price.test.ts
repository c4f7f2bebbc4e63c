/** What a run can cost at most: one figure, of the build and of every attempt, which each ceiling is held against. */
import { describe, expect, it } from '@jest/globals';
import { buildUsdPerHour } from '../../../shared/catalogue/build-prices.ts';
import type { WorkerPoolSpec } from '../../../shared/config/job-spec.ts';
import {
  checkBuildPrice,
  checkPrice,
  type Price,
  type PriceLimits,
  type PricedParts,
} from '../../../shared/plan/check-price.ts';
import type { BuildPlan, OwnBuild } from '../../../shared/plan/plan.ts';
import { plan as worldPlan } from '../world.ts';

const prices = { 'n1-standard-8': 1, NVIDIA_TESLA_T4: 2, 'n1-standard-4': 0.5, 'pd-ssd': 0.0001 };
const t4: WorkerPoolSpec = {
  machineSpec: {
    machineType: 'n1-standard-8',
    acceleratorType: 'NVIDIA_TESLA_T4',
    acceleratorCount: 2,
  },
  replicaCount: '1',
};
const cpu: WorkerPoolSpec = { machineSpec: { machineType: 'n1-standard-4' }, replicaCount: '3' };
/** Ten minutes on Cloud Build's default machine. */
const build = worldPlan.build;
const buildUsd = 0.06;
const limits: PriceLimits = { maxUsd: undefined, attempts: 1, mayShorten: true };
const parts: PricedParts = { region: 'us-central1', elsewhere: [], build };

function ask(change: Partial<PriceLimits>, where: Partial<PricedParts> = {}, pools = [t4]) {
  const all = { ...limits, ...change };
  return checkPrice({ workerPoolSpecs: pools }, 3_600, all, { ...parts, ...where });
}

function priced(...asked: Parameters<typeof ask>): Price {
  const answer = ask(...asked);
  if (answer.kind === 'rejected') throw new Error(answer.message);
  return answer;
}

function own(options: NonNullable<OwnBuild['config']['options']>, timeout?: string): BuildPlan {
  const config = { steps: [], options, ...(timeout === undefined ? {} : { timeout }) };
  const image = { from: 'reported' } as const;
  return { ...build, kind: 'cloudbuild', file: 'cloudbuild.yaml', config, image };
}

describe('what a run can cost', () => {
  it('counts every replica, every attempt, the disks and the build, for the whole timeout', () => {
    const { estimate } = priced({ attempts: 2, prices }, {}, [t4, {}, cpu]);
    expect(estimate.ceilingUsd).toBeCloseTo(2 * (1 + 2 * 2 + 3 * 0.5) + buildUsd, 2);
    expect(estimate.ceilingUsd).toBeGreaterThan(2 * 6.5 + buildUsd);
    expect(estimate).toMatchObject({ buildUsdPerHour: 0.36, timeoutSeconds: 3_600 });
  });

  it('takes the dearest of the regions', () => {
    const one = priced({}).estimate.ceilingUsd - buildUsd;
    const { estimate, elsewhere } = priced({}, { elsewhere: ['us-east1', 'southamerica-east1'] });
    expect(estimate.ceilingUsd - buildUsd).toBeCloseTo(1.588 * one, 6);
    expect(elsewhere[1]?.usdPerHour).toBeCloseTo(1.588 * estimate.usdPerHour, 6);
  });

  it.each<[string, BuildPlan | undefined, number]>([
    ['no build', undefined, 0],
    ['an image that must be there', { ...build, mode: 'never' }, 0],
    ["the runner's docker", { ...build, by: 'docker' }, 0],
    ['the default machine', build, 0.06],
    ['a large machine', { ...build, workerMachineType: 'E2_HIGHCPU_32' }, 0.64],
    ['a build config with a timeout of its own', own({}, '3600s'), 0.36],
    ['a build config with a machine', own({ machineType: 'E2_HIGHCPU_8' }), 0.16],
    // 900 GB more than what is free, at 1.6 × $0.17 a GB-month, for ten minutes.
    ['a large disk', own({ diskSizeGb: '1000' }), 0.06 + (900 * 0.17 * 1.6) / 730 / 6],
  ])('%s', (_, built, usd) => {
    const none = priced({}, { build: undefined }).estimate.ceilingUsd;
    expect(priced({}, { build: built }).estimate.ceilingUsd - none).toBeCloseTo(usd, 6);
  });

  it.each<[string, BuildPlan, Readonly<Record<string, number>> | undefined, number | undefined]>([
    [
      'a machine that nobody knows',
      { ...build, workerMachineType: 'E9_HUGE' },
      undefined,
      undefined,
    ],
    ['__proto__', { ...build, workerMachineType: '__proto__' }, {}, undefined],
    [
      'a machine whose price is given',
      { ...build, workerMachineType: 'E9_HUGE' },
      { E9_HUGE: 6 },
      1,
    ],
    ['a private pool', own({ pool: { name: 'p' } }), undefined, undefined],
    ['a private pool whose price is given', own({ workerPool: 'p' }), { PRIVATE_POOL: 3 }, 0.5],
    ['a better price', build, { E2_STANDARD_2: 0.6 }, 0.1],
  ])('%s', (_, built, given, usd) => {
    const asked = given === undefined ? {} : { prices: given };
    const none = priced(asked, { build: undefined }).estimate.ceilingUsd;
    const { estimate, notes } = priced(asked, { build: built });
    expect(estimate.ceilingUsd - none).toBeCloseTo(usd ?? 0, 6);
    expect(estimate.isIncomplete).toBe(usd === undefined ? true : undefined);
    expect(notes.join()).toMatch(usd === undefined ? /not known: there is no estimate/ : /^$/);
    const below = ask({ ...asked, maxUsd: 1e6 }, { build: built });
    expect(below.kind === 'rejected' ? below.reason : below.kind).toBe(
      usd === undefined ? 'price_unknown' : 'priced',
    );
  });

  it('is nothing beside the build on a persistent resource', () => {
    const spec = { workerPoolSpecs: [t4], persistentResourceId: 'mine' };
    const answer = checkPrice(spec, 3_600, limits, parts);
    expect(answer).toMatchObject({ estimate: { usdPerHour: 0, ceilingUsd: buildUsd } });
  });
});

describe('the ceiling of a run', () => {
  const usdPerHour = priced({}).estimate.usdPerHour;

  it('is held against the build as well, to the cent', () => {
    const worst = usdPerHour + buildUsd;
    expect(priced({ maxUsd: worst + 1e-9, mayShorten: false }).estimate.ceilingUsd).toBe(worst);
    const answer = ask({ maxUsd: worst - 0.01, mayShorten: false });
    expect(answer).toMatchObject({
      reason: 'over_ceiling',
      message: expect.stringContaining('and $0.06 for its build') as unknown,
      fix: expect.stringContaining('`timeout=59m`') as unknown,
    });
  });

  it('shortens the job by what the build may cost', () => {
    const half = priced({ maxUsd: usdPerHour / 2 + buildUsd }).estimate;
    expect(half.timeoutSeconds).toBe(1_800);
    expect(half.ceilingUsd).toBeLessThanOrEqual(usdPerHour / 2 + buildUsd);
    expect(priced({ maxUsd: usdPerHour / 2 }).estimate.timeoutSeconds).toBeLessThan(1_800);
  });

  it('says that it is the build, where that alone is too dear', () => {
    const large = { ...build, workerMachineType: 'E2_HIGHCPU_32', timeoutSeconds: 36_000 };
    const answer = ask({ maxUsd: 5 }, { build: large });
    expect(answer).toMatchObject({
      reason: 'over_ceiling',
      fix: expect.stringContaining('Give the build a smaller machine') as unknown,
    });
    expect(checkBuildPrice(large, { maxUsd: 5 })).toMatchObject({ reason: 'over_ceiling' });
    expect(checkBuildPrice(large, { maxUsd: 50 })).toMatchObject({
      estimate: { ceilingUsd: 38.4, usdPerHour: 0 },
    });
    const unknown = { ...build, workerMachineType: 'E9_HUGE' };
    expect(checkBuildPrice(unknown, { maxUsd: 50 })).toMatchObject({ reason: 'price_unknown' });
    expect(checkBuildPrice(unknown, { maxUsd: undefined })).toMatchObject({
      estimate: { isIncomplete: true },
    });
  });

  it('leaves out regions where the run could cost more than it may, and says which', () => {
    const elsewhere = ['us-east1', 'southamerica-east1', 'us-west1'];
    const {
      elsewhere: kept,
      estimate,
      notes,
    } = priced({ maxUsd: usdPerHour + buildUsd + 1e-9 }, { elsewhere });
    expect(kept.map(({ region }) => region)).toEqual(['us-east1', 'us-west1']);
    expect(estimate.ceilingUsd).toBeCloseTo(usdPerHour + buildUsd, 6);
    expect(notes).toEqual([
      'The run is not tried where it could cost more than it may: southamerica-east1.',
    ]);
  });

  it('of a timeout that nobody wrote is held against the job, whose it is', () => {
    const maxUsdOfDefaultTimeout = usdPerHour / 2;
    const { estimate, notes } = priced({ maxUsdOfDefaultTimeout });
    expect(estimate.timeoutSeconds).toBe(1_800);
    expect(estimate.ceilingUsd).toBeCloseTo(usdPerHour / 2 + buildUsd, 6);
    expect(notes.join()).toMatch(/so that the job costs at most \$.*Name a timeout to have more/);
  });

  it('of such a timeout is kept in the dearest region, and leaves none out', () => {
    const maxUsdOfDefaultTimeout = usdPerHour / 2;
    const elsewhere = ['us-east1', 'southamerica-east1'];
    const { estimate, ...kept } = priced({ maxUsdOfDefaultTimeout }, { elsewhere });
    expect(kept.elsewhere.map(({ region }) => region)).toEqual(elsewhere);
    expect(estimate.timeoutSeconds).toBe(18 * 60);
    expect(estimate.ceilingUsd).toBeLessThanOrEqual(usdPerHour / 2 + buildUsd);
    expect(kept.notes).toHaveLength(1);
  });
});

describe('buildUsdPerHour', () => {
  it.each<[Parameters<typeof buildUsdPerHour>[0], number | undefined]>([
    [{}, 0.36],
    [{ machineType: '' }, 0.36],
    [{ machineType: 'UNSPECIFIED' }, 0.36],
    [{ machineType: 'E2_MEDIUM' }, 0.18],
    [{ machineType: 'N1_HIGHCPU_32' }, 3.84],
    [{ machineType: 'E2_HIGHCPU_32', diskSizeGb: 100 }, 3.84],
    [{ machineType: 'constructor' }, undefined],
    [{ isPrivatePool: true, machineType: 'E2_MEDIUM' }, undefined],
  ])('%j', (machine, usd) => {
    if (usd === undefined) expect(buildUsdPerHour(machine)).toBeUndefined();
    else expect(buildUsdPerHour(machine)).toBeCloseTo(usd, 6);
  });
});
