/** What a run may cost: its pools, places, timeout and build and the ceiling in, an estimate or a Refusal out. */
import type { Rates } from '../catalogue/catalogue.ts';
import { describeMachine } from '../catalogue/choose-machine.ts';
import { estimate, type PricedPool } from '../catalogue/estimate.ts';
import { pricesAsOf } from '../catalogue/prices.ts';
import type { CustomJobSpec } from '../config/job-spec.ts';
import type { Refusal } from '../policy/decision.ts';
import { formatDuration, formatUsd, typedDuration } from '../units.ts';
import { buildMachineText, priceBuild, type BuildPrice } from './build-price.ts';
import { runsOnPersistentResource, toMachineChoice } from './choose-hardware.ts';
import type { BuildPlan, RunEstimate } from './plan.ts';

export interface PriceLimits {
  /** The most that a run may cost; undefined where nobody set a ceiling. */
  readonly maxUsd: number | undefined;
  /** Where nobody set one, what a timeout that nobody wrote may cost; it shortens and never refuses. */
  readonly maxUsdOfDefaultTimeout?: number;
  /** How often the job may be launched: each launch may run to its timeout before it loses its machine. */
  readonly attempts: number;
  /** False where somebody has just typed the timeout: they are told what fits instead. */
  readonly mayShorten: boolean;
  readonly prices?: Rates['prices'];
}

/** The lowest of the ceilings that somebody has set. */
export function lowestCeiling(...ceilings: readonly (number | undefined)[]): number | undefined {
  const set = ceilings.filter((ceiling) => ceiling !== undefined);
  return set.length === 0 ? undefined : Math.min(...set);
}

/** Where the job may run, and what builds its image. */
export interface PricedParts {
  readonly region: string | undefined;
  /** Where it may run as well. */
  readonly elsewhere: readonly string[];
  readonly build: BuildPlan | undefined;
}

export interface Price {
  readonly kind: 'priced';
  /** Its `timeoutSeconds` is the timeout that the ceiling leaves. */
  readonly estimate: RunEstimate;
  /** Of the other regions, those where the run does not cost more than it may. */
  readonly elsewhere: readonly { readonly region: string; readonly usdPerHour?: number }[];
  readonly notes: readonly string[];
}

/** Compute Engine bills a minute at least: a ceiling below that pays for no run at all. @see https://cloud.google.com/compute/vm-instance-pricing#billingmodel */
const leastSeconds = 60;

/**
 * The estimate is for the whole timeout at the price on demand, spot jobs included, and for the build: what a
 * run can cost at most by the list. A ceiling below it shortens the timeout and leaves dearer regions out.
 */
export function checkPrice(
  spec: CustomJobSpec,
  timeoutSeconds: number,
  limits: PriceLimits,
  parts: PricedParts,
): Price | Refusal {
  const notes = [...notesOn(spec)];
  const pools = runsOnPersistentResource(spec) ? [] : pricedPools(spec);
  const price = estimate(pools, timeoutSeconds, ratesOf(limits, parts.region));
  const build = priceBuild(parts.build, limits.prices);
  if (price === undefined || build.ceilingUsd === undefined) {
    const names = price === undefined ? nameMachines(pools) : buildMachineText(parts.build);
    if (limits.maxUsd !== undefined) return priceUnknown(names, limits.maxUsd);
    notes.push(`The price of ${names} is not known: there is no estimate.`);
  }
  const { attempts } = limits;
  const buildUsd = build.ceilingUsd ?? 0;
  const usdPerHour = price?.usdPerHour ?? 0;
  const job: PricedJob = { usdPerHour, timeoutSeconds, attempts, buildUsd };
  const elsewhere = parts.elsewhere.map((region) => {
    const there = estimate(pools, timeoutSeconds, ratesOf(limits, region));
    return there === undefined ? { region } : { region, usdPerHour: there.usdPerHour };
  });
  const fit = fitBelowCeiling(job, dearestOf(usdPerHour, elsewhere), limits);
  if (fit.kind === 'rejected') return fit;
  const others = placesBelow(fit, elsewhere, job);
  const dearest = dearestOf(usdPerHour, others.elsewhere);
  const isIncomplete = price === undefined || build.ceilingUsd === undefined;
  return {
    kind: 'priced',
    estimate: {
      usdPerHour,
      ...buildRate(build),
      ceilingUsd: buildUsd + jobUsd(job, dearest, fit.timeoutSeconds),
      timeoutSeconds: fit.timeoutSeconds,
      pricesAsOf,
      ...(isIncomplete ? { isIncomplete } : {}),
    },
    elsewhere: others.elsewhere,
    notes: [...notes, ...fit.notes, ...others.notes],
  };
}

/** A run that ends with its image. */
export function checkBuildPrice(
  build: BuildPlan,
  { maxUsd, prices }: Pick<PriceLimits, 'maxUsd' | 'prices'>,
): Price | Refusal {
  const price = priceBuild(build, prices);
  const { ceilingUsd } = price;
  if (ceilingUsd === undefined && maxUsd !== undefined)
    return priceUnknown(buildMachineText(build), maxUsd);
  if (ceilingUsd !== undefined && ceilingUsd > (maxUsd ?? Infinity)) {
    return {
      kind: 'rejected',
      reason: 'over_ceiling',
      message: `The build could cost ${formatUsd(ceilingUsd)}, and a run may cost at most ${formatUsd(maxUsd ?? 0)}.`,
      fix: cheaperBuild,
    };
  }
  const estimate: RunEstimate = {
    usdPerHour: 0,
    ...buildRate(price),
    ceilingUsd: ceilingUsd ?? 0,
    timeoutSeconds: 0,
    pricesAsOf,
    ...(ceilingUsd === undefined ? { isIncomplete: true } : {}),
  };
  return { kind: 'priced', estimate, elsewhere: [], notes: [] };
}

const cheaperBuild =
  'Give the build a smaller machine or a shorter timeout, or use an image that is there already.';

/** A job's price for one attempt and what comes beside it. */
interface PricedJob {
  readonly usdPerHour: number;
  readonly timeoutSeconds: number;
  readonly attempts: number;
  readonly buildUsd: number;
}

interface Fit {
  readonly kind: 'fits';
  readonly timeoutSeconds: number;
  /** What is left for the job. */
  readonly maxUsd: number;
  readonly notes: readonly string[];
}

function jobUsd(
  { attempts }: Pick<PricedJob, 'attempts'>,
  usdPerHour: number,
  timeoutSeconds: number,
): number {
  return (usdPerHour * attempts * timeoutSeconds) / 3_600;
}

function dearestOf(usdPerHour: number, elsewhere: Price['elsewhere']): number {
  return Math.max(usdPerHour, ...elsewhere.map((one) => one.usdPerHour ?? 0));
}

function fitBelowCeiling(job: PricedJob, dearest: number, limits: PriceLimits): Fit | Refusal {
  const { attempts, buildUsd, timeoutSeconds } = job;
  const { mayShorten, maxUsdOfDefaultTimeout = Infinity } = limits;
  const isCeiling = limits.maxUsd !== undefined;
  // A limit of ours takes no place away that somebody has named.
  const usdPerHour = isCeiling ? job.usdPerHour : dearest;
  // What nobody decided is the job's timeout; the build's machine somebody has chosen.
  const maxUsd = isCeiling ? limits.maxUsd - buildUsd : maxUsdOfDefaultTimeout;
  const worst = jobUsd(job, usdPerHour, timeoutSeconds);
  if (worst <= maxUsd) return { kind: 'fits', timeoutSeconds, maxUsd, notes: [] };
  const paidFor = toWholeMinutes((maxUsd / (usdPerHour * attempts)) * 3_600);
  const affordable = isCeiling ? paidFor : Math.max(paidFor, leastSeconds);
  if (affordable < leastSeconds || !mayShorten) return overCeiling(job, limits, affordable);
  const [what, most, advice] = isCeiling
    ? ['run', limits.maxUsd, '']
    : ['job', maxUsdOfDefaultTimeout, ' Name a timeout to have more.'];
  const note = `The timeout was cut from ${formatDuration(timeoutSeconds)} to ${formatDuration(affordable)}, so that the ${what} costs at most ${formatUsd(most)}.${advice}`;
  return { kind: 'fits', timeoutSeconds: affordable, maxUsd, notes: [note] };
}

function placesBelow(
  { maxUsd, timeoutSeconds }: Fit,
  priced: Price['elsewhere'],
  job: PricedJob,
): Pick<Price, 'elsewhere' | 'notes'> {
  const kept = priced.filter(
    ({ usdPerHour = 0 }) => jobUsd(job, usdPerHour, timeoutSeconds) <= maxUsd,
  );
  const dear = priced.filter((place) => !kept.includes(place)).map(({ region }) => region);
  const note = `The run is not tried where it could cost more than it may: ${dear.join(', ')}.`;
  return { elsewhere: kept, notes: dear.length === 0 ? [] : [note] };
}

function ratesOf({ prices }: PriceLimits, region: string | undefined): Rates {
  return { ...(region === undefined ? {} : { region }), ...(prices && { prices }) };
}

function buildRate({ usdPerHour = 0 }: BuildPrice): Pick<RunEstimate, 'buildUsdPerHour'> {
  return usdPerHour === 0 ? {} : { buildUsdPerHour: usdPerHour };
}

/** The machines and disks that a job is charged for. */
export function pricedPools(spec: CustomJobSpec): readonly PricedPool[] {
  return spec.workerPoolSpecs
    .filter((pool) => Object.keys(pool).length > 0)
    .map((pool) => ({
      machine: toMachineChoice(pool.machineSpec),
      replicas: Number(pool.replicaCount ?? '1'),
      ...diskOf(pool['diskSpec']),
    }));
}

function notesOn(spec: CustomJobSpec): readonly string[] {
  if (runsOnPersistentResource(spec))
    return ['The job runs on a persistent resource, which costs the same with and without it.'];
  const strategy = spec.scheduling?.['strategy'];
  return strategy === 'SPOT' || strategy === 'LOW_COST'
    ? ['The estimate is the price on demand: a spot job costs at most that, and often less.']
    : [];
}

function toWholeMinutes(seconds: number): number {
  return Math.floor(seconds / 60) * 60;
}

function nameMachines(pools: readonly PricedPool[]): string {
  return pools.map(({ machine }) => describeMachine(machine)).join(', ');
}

function priceUnknown(names: string, maxUsd: number): Refusal {
  return {
    kind: 'rejected',
    reason: 'price_unknown',
    message: `The price of ${names} is not known, so the ceiling of ${formatUsd(maxUsd)} cannot be kept.`,
    fix: 'Choose a machine with a known price, such as one with `gpu=T4` or `gpu=A100`, or have its price configured.',
  };
}

function overCeiling(
  job: PricedJob,
  { maxUsd = Infinity }: PriceLimits,
  affordableSeconds: number,
): Refusal {
  const { attempts, usdPerHour, timeoutSeconds, buildUsd } = job;
  const worst = buildUsd + jobUsd(job, usdPerHour, timeoutSeconds);
  const times = attempts === 1 ? '' : `${attempts} attempts, each `;
  const build = buildUsd === 0 ? '' : `, and ${formatUsd(buildUsd)} for its build`;
  return {
    kind: 'rejected',
    reason: 'over_ceiling',
    message: `The run could cost ${formatUsd(worst)} (${times}est. ${formatUsd(usdPerHour)}/h for ${formatDuration(timeoutSeconds)}${build}), and a run may cost at most ${formatUsd(maxUsd)}.`,
    fix: cheaper(affordableSeconds, buildUsd >= maxUsd),
  };
}

function cheaper(affordableSeconds: number, isForBuild: boolean): string {
  if (isForBuild) return cheaperBuild;
  return affordableSeconds >= leastSeconds
    ? `Write \`timeout=${typedDuration(affordableSeconds)}\`, or choose a cheaper machine.`
    : 'Choose a cheaper machine, fewer replicas or a smaller disk: not even a minute of this one fits.';
}

/** The boot disk as the file has it; the catalogue knows the default. */
function diskOf(spec: unknown): { disk?: { type?: string; sizeGb?: number } } {
  if (typeof spec !== 'object' || spec === null) return {};
  const { bootDiskType, bootDiskSizeGb } = spec as Readonly<Record<string, unknown>>;
  return {
    disk: {
      ...(typeof bootDiskType === 'string' ? { type: bootDiskType } : {}),
      ...(typeof bootDiskSizeGb === 'number' ? { sizeGb: bootDiskSizeGb } : {}),
    },
  };
}
