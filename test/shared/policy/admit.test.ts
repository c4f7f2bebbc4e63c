import { describe, expect, it } from '@jest/globals';
import type { WorkerPoolSpec } from '../../../shared/config/job-spec.ts';
import { defaultSettings, type ProjectSettings } from '../../../shared/config/project-settings.ts';
import type { JobPlan, Plan } from '../../../shared/plan/plan.ts';
import { admit } from '../../../shared/policy/admit.ts';
import { effectivePolicy, type PolicyRules } from '../../../shared/policy/policy.ts';
import { costUsd, spentUsd } from '../../../shared/policy/run-cost.ts';
import {
  hasForkPlaces,
  policyOf,
  settingsOfTier,
} from '../../../shared/policy/settings-of-tier.ts';
import type { Run } from '../../../shared/watch/run.ts';
import { plan as worldPlan } from '../world.ts';

const t4: WorkerPoolSpec = {
  machineSpec: {
    machineType: 'n1-standard-8',
    acceleratorType: 'NVIDIA_TESLA_T4',
    acceleratorCount: 2,
  },
  replicaCount: '1',
};
const cpu: WorkerPoolSpec = { machineSpec: { machineType: 'n1-standard-4' }, replicaCount: '3' };
const jobOf = (pools: readonly WorkerPoolSpec[], region = 'us-central1'): JobPlan => ({
  ...worldPlan.job,
  region,
  spec: { workerPoolSpecs: pools },
  timeoutSeconds: 3_600,
});
const plan: Plan = {
  ...worldPlan,
  job: jobOf([t4, {}, cpu]),
  estimate: { ...worldPlan.estimate, ceilingUsd: 3 },
};
const settings = defaultSettings('demo-project', ['us-central1']);
const usage = { openRunsOfPull: 0, openRunsOfUser: 0, openRunsOfRepository: 0, monthUsd: 0 };
function reasonOf(rules: PolicyRules, changes: Partial<Plan> = {}): string | undefined {
  const answer = admit({ ...plan, ...changes }, effectivePolicy(rules, {}), usage);
  return answer.kind === 'rejected' ? answer.reason : undefined;
}

describe('admit', () => {
  it.each<[PolicyRules, string | undefined]>([
    [{}, undefined],
    [{ machines: ['n1-standard-8', 'n1-standard-4'] }, undefined],
    [{ machines: ['n1-standard-8'] }, 'machine_not_allowed'],
    [{ machines: [] }, 'machine_not_allowed'],
    [{ gpus: ['T4'] }, undefined],
    [{ gpus: ['L4'] }, 'machine_not_allowed'],
    [{ gpus: [] }, 'machine_not_allowed'],
    [{ maxGpusPerRun: 2 }, undefined],
    [{ maxGpusPerRun: 1 }, 'machine_not_allowed'],
    [{ maxUsdPerMonth: 100 }, undefined],
    [{ maxUsdPerMonth: 1 }, 'over_budget'],
  ])('two T4 and three CPU machines below %j', (rules, reason) => {
    expect(reasonOf(rules)).toBe(reason);
  });

  it('counts the GPUs of every replica', () => {
    const job = jobOf([t4, { ...t4, replicaCount: '3' }]);
    expect(reasonOf({ maxGpusPerRun: 8 }, { job })).toBeUndefined();
    expect(reasonOf({ maxGpusPerRun: 7 }, { job })).toBe('machine_not_allowed');
  });

  it('refuses an unknown price where a ceiling exists, and only there', () => {
    const estimate = { ...plan.estimate, isIncomplete: true } as const;
    expect(reasonOf({}, { estimate })).toBeUndefined();
    expect(reasonOf({ maxUsdPerMonth: 1e6 }, { estimate })).toBe('price_unknown');
    expect(reasonOf({ maxUsdPerRun: 1e6 }, { estimate })).toBe('price_unknown');
  });

  it('gives code of forks its Dockerfile and no secrets', () => {
    const own = { ...plan.build, kind: 'cloudbuild' } as unknown as NonNullable<Plan['build']>;
    const secrets = {} as NonNullable<Plan['secrets']>;
    expect(reasonOf({}, { tier: 'fork' })).toBeUndefined();
    expect(reasonOf({}, { tier: 'fork', build: own })).toBe('field_not_allowed');
    expect(reasonOf({}, { tier: 'fork', secrets })).toBe('field_not_allowed');
    expect(reasonOf({}, { tier: 'pull', build: own, secrets })).toBeUndefined();
  });

  it('reserves what the plan says that it can cost', () => {
    const answer = admit(plan, effectivePolicy({ maxUsdPerMonth: 5 }, {}), usage);
    expect(answer).toEqual({
      ...{ kind: 'admitted', usd: plan.estimate.ceilingUsd, limits: { maxUsdPerMonth: 5 } },
    });
  });
});

describe('spentUsd', () => {
  const at = (minute: number): string => `2026-03-04T05:${String(minute).padStart(2, '0')}:00Z`;
  const estimate = { ...plan.estimate, usdPerHour: 6, buildUsdPerHour: 0.36 };
  const intent = { at: at(0) };
  const ran: Run = {
    plan: { ...plan, estimate },
    createdAt: at(0),
    build: {
      intent,
      snapshot: {
        ...{ name: 'b', id: 'b', status: 'success', tags: [], images: [] },
        ...{ startTime: at(1), finishTime: at(6) },
      },
    },
    job: {
      intent,
      snapshot: {
        ...{ name: 'j', id: 'j', state: 'succeeded', labels: {} },
        ...{ startTime: at(10), endTime: at(20) },
      },
    },
    end: { outcome: 'succeeded', at: at(21) },
  };

  it('adds the job and the build', () => {
    expect(spentUsd(ran)).toBeCloseTo(1 + 5 * 0.006, 6);
  });

  it('counts each attempt at the price of its region', () => {
    const dear = { ...jobOf([t4], 'southamerica-east1'), usdPerHour: 12 };
    const attempts = [
      { region: 'us-central1', reason: 'preempted', message: '' } as const,
      { region: 'southamerica-east1', reason: 'preempted', message: '' } as const,
    ].map((attempt) => ({ ...attempt, startTime: at(6), endTime: at(11) }));
    const run = { ...ran, plan: { ...ran.plan, elsewhere: [dear] }, attempts };
    // Five minutes there, five elsewhere, and the last ten there again.
    expect(spentUsd(run)).toBeCloseTo(0.5 + 1 + 1 + 5 * 0.006, 6);
  });

  it('counts a build and a job that still run until now', () => {
    const open: Run = {
      ...{ plan: ran.plan, createdAt: at(0) },
      build: {
        intent,
        snapshot: {
          ...{ name: 'b', id: 'b', status: 'working', tags: [], images: [], startTime: at(1) },
        },
      },
    };
    expect(costUsd(open, new Date(at(11)))).toBeCloseTo(10 * 0.006, 6);
    const later: Run = {
      ...open,
      build: ran.build!,
      job: {
        intent,
        snapshot: { name: 'j', id: 'j', state: 'running', labels: {}, startTime: at(10) },
      },
    };
    expect(costUsd(later, new Date(at(40)))).toBeCloseTo(3 + 5 * 0.006, 6);
  });

  it('is nothing for a run that never began', () => {
    const end = { outcome: 'cancelled', at: at(1) } as const;
    expect(spentUsd({ plan: ran.plan, createdAt: at(0), end })).toBe(0);
  });

  it('is not known where something may still run', () => {
    const state = 'running' as const;
    const job = { ...ran.job!, snapshot: { ...ran.job!.snapshot!, state } };
    const end = { outcome: 'failed', at: at(21), reason: 'internal' } as const;
    expect(spentUsd({ ...ran, job, end })).toBeUndefined();
    expect(spentUsd({ ...ran, end })).toBeCloseTo(1.03);
  });
});

describe('settingsOfTier', () => {
  const account = (name: string): string => `${name}@demo-project.iam.gserviceaccount.com`;
  const tiers: ProjectSettings = {
    ...settings,
    builderServiceAccount: account('builder'),
    trainerServiceAccount: account('trainer'),
    trainerServiceAccounts: { base: account('base'), fork: account('fork-trainer') },
    builderServiceAccounts: { fork: account('fork-builder') },
    registries: { fork: 'us-central1-docker.pkg.dev/demo-project/forks' },
  };
  const policy = policyOf(tiers);

  it('gives each tier its own, and what is common where it has none', () => {
    expect(settingsOfTier(tiers, policy, 'pull')).toMatchObject({
      builderServiceAccount: account('builder'),
      trainerServiceAccount: account('trainer'),
      registry: 'us-central1-docker.pkg.dev/demo-project/trainyard',
    });
    expect(settingsOfTier(tiers, policy, 'base').trainerServiceAccount).toBe(account('base'));
    expect(settingsOfTier(tiers, policy, 'fork')).toMatchObject({
      builderServiceAccount: account('fork-builder'),
      trainerServiceAccount: account('fork-trainer'),
      registry: 'us-central1-docker.pkg.dev/demo-project/forks',
    });
  });

  it.each<[string, Partial<ProjectSettings>, boolean]>([
    ['all of its own', {}, true],
    ['no builder', { builderServiceAccounts: {} }, false],
    ['no trainer', { trainerServiceAccounts: {} }, false],
    ['no registry', { registries: {} }, false],
    ['the common builder', { builderServiceAccounts: { fork: account('builder') } }, false],
    ['the base trainer', { trainerServiceAccounts: { base: 'x@y.z', fork: 'x@y.z' } }, false],
    ['the common registry', { registries: { fork: settings.registry } }, false],
    ['the launcher', { launcherServiceAccount: account('fork-trainer') }, false],
  ])('forks need places of their own: %s', (_, change, expected) => {
    expect(hasForkPlaces({ ...tiers, ...change })).toBe(expected);
  });

  it('is as narrow as the repository asks', () => {
    const wide = { ...settings, regions: ['us-central1', 'us-east1'] };
    const repoConfig = {
      config: 'c',
      dockerfile: 'd',
      policy: { regions: ['us-east1', 'x'], maxUsdPerRun: 2 },
    };
    const narrow = settingsOfTier(wide, policyOf(wide, repoConfig), 'pull');
    expect(narrow).toMatchObject({ regions: ['us-east1'], maxUsdPerRun: 2 });
  });
});
