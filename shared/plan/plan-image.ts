/** `/build` and `command: build`: the plan of a run that ends with its image. Pure. */
import type { Refusal } from '../policy/decision.ts';
import { checkBuildPrice, lowestCeiling } from './check-price.ts';
import { planBuild, type BuildInput } from './plan-build.ts';
import type { Plan } from './plan.ts';

type ImageInput = BuildInput & Pick<Plan, 'runId' | 'owner'>;

export function planImage(
  input: ImageInput,
): { readonly kind: 'planned'; readonly plan: Plan } | Refusal {
  const planned = planBuild(input);
  if (planned.kind === 'rejected') return planned;
  const { runId, owner, subject, tier, settings, repoConfig } = input;
  const price = checkBuildPrice(planned.build, {
    maxUsd: lowestCeiling(settings.maxUsdPerRun, repoConfig.maxUsd),
    ...(settings.prices === undefined ? {} : { prices: settings.prices }),
  });
  if (price.kind === 'rejected') return price;
  return {
    kind: 'planned',
    plan: {
      runId,
      owner,
      subject,
      tier,
      project: settings.project,
      build: planned.build,
      job: noJob(settings.regions[0] ?? ''),
      estimate: price.estimate,
      notes: planned.notes,
    },
  };
}

/** True of a run that has what it is for once its image is known. */
export function isImageOnly({ build, job }: Pick<Plan, 'build' | 'job'>): boolean {
  return build !== undefined && job.machine.replicas === 0;
}

/** Never launched. */
function noJob(region: string): Plan['job'] {
  return {
    region,
    displayName: '',
    spec: { workerPoolSpecs: [] },
    labels: {},
    machine: { machineType: '', replicas: 0 },
    timeoutSeconds: 0,
    startTimeoutSeconds: 0,
  };
}
