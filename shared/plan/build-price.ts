/** What a run's build costs: its plan in, dollars an hour and at its most out. Pure. */
import { buildUsdPerHour, type BuildMachine } from '../catalogue/build-prices.ts';
import type { Rates } from '../catalogue/catalogue.ts';
import type { BuildPlan, Plan } from './plan.ts';

export interface BuildPrice {
  /** Undefined when the price is not known, as the next one. */
  readonly usdPerHour: number | undefined;
  /** The build to its timeout. */
  readonly ceilingUsd: number | undefined;
}

/** A build is begun once, whatever comes of it; one of the runner's own docker, or none at all, costs nothing. */
export function priceBuild(
  build: BuildPlan | undefined,
  prices: Rates['prices'] | undefined,
): BuildPrice {
  const isFree =
    build === undefined ||
    build.mode === 'never' ||
    (build.kind === 'dockerfile' && build.by === 'docker');
  if (isFree) return { usdPerHour: 0, ceilingUsd: 0 };
  const usdPerHour = buildUsdPerHour(machineOf(build), prices === undefined ? {} : { prices });
  const ceilingUsd = usdPerHour && (usdPerHour * timeoutSecondsOf(build)) / 3_600;
  return { usdPerHour, ceilingUsd };
}

/** What of a plan's most is its build's: the price that was found then, to the build's own timeout. */
export function buildCeilingUsd({ build, estimate }: Pick<Plan, 'build' | 'estimate'>): number {
  const { buildUsdPerHour = 0 } = estimate;
  return build === undefined ? 0 : (buildUsdPerHour * timeoutSecondsOf(build)) / 3_600;
}

/** For people. */
export function buildMachineText(build: BuildPlan | undefined): string {
  const { machineType, isPrivatePool } = build === undefined ? {} : machineOf(build);
  return isPrivatePool === true ? 'a private pool' : (machineType ?? 'the build');
}

function machineOf(build: BuildPlan): BuildMachine {
  if (build.kind === 'dockerfile') {
    const { workerMachineType } = build;
    return workerMachineType === undefined ? {} : { machineType: workerMachineType };
  }
  const { options = {} } = build.config;
  const { machineType } = options;
  const diskSizeGb = Number(options['diskSizeGb'] ?? 0);
  return {
    ...(machineType === undefined ? {} : { machineType }),
    ...(Number.isFinite(diskSizeGb) ? { diskSizeGb } : {}),
    isPrivatePool: options['pool'] !== undefined || (options['workerPool'] ?? '') !== '',
  };
}

/** A build config's own timeout counts before ours. */
function timeoutSecondsOf(build: BuildPlan): number {
  const own = build.kind === 'cloudbuild' ? build.config.timeout : undefined;
  return own === undefined ? build.timeoutSeconds : Number.parseFloat(own);
}
