/** What a run may cost: its pools, its timeout and the ceiling in, an Estimate or a Refusal out. */
import type { Estimate, Rates } from '../catalogue/catalogue.ts';
import { describeMachine } from '../catalogue/choose-machine.ts';
import { estimate, type PricedPool } from '../catalogue/estimate.ts';
import { pricesAsOf } from '../catalogue/prices.ts';
import type { CustomJobSpec } from '../config/job-spec.ts';
import type { Refusal } from '../policy/decision.ts';
import { formatDuration, formatUsd, typedDuration } from '../units.ts';
import { runsOnPersistentResource, toMachineChoice } from './choose-hardware.ts';

export interface PriceLimits {
  /** The most that a run may cost; undefined where nobody set a ceiling. */
  readonly maxUsd: number | undefined;
  /** Where nobody set one, what a timeout that nobody wrote may cost; it shortens and never refuses. */
  readonly maxUsdOfDefaultTimeout?: number;
  /** How often the job may be launched: each launch may run to its timeout before it loses its machine. */
  readonly attempts: number;
  /** False where somebody has just typed the timeout: they are told what fits instead. */
  readonly mayShorten: boolean;
  readonly rates: Rates;
}

export interface Price {
  readonly kind: 'priced';
  /** Its `timeoutSeconds` is the timeout that the ceiling leaves. */
  readonly estimate: Estimate;
  readonly notes: readonly string[];
}

/** Compute Engine bills a minute at least: a ceiling below that pays for no run at all. @see https://cloud.google.com/compute/vm-instance-pricing#billingmodel */
const leastSeconds = 60;

/**
 * The estimate is for the whole timeout at the price on demand, spot jobs included: what a run can cost at
 * most by the list. A ceiling below it shortens the timeout.
 */
export function checkPrice(
  spec: CustomJobSpec,
  timeoutSeconds: number,
  limits: PriceLimits,
): Price | Refusal {
  if (runsOnPersistentResource(spec)) {
    const note = 'The job runs on a persistent resource, which costs the same with and without it.';
    return unpriced(timeoutSeconds, note);
  }
  const pools = pricedPools(spec);
  const price = estimate(pools, timeoutSeconds, limits.rates);
  if (price === undefined) return priceUnknown(pools, timeoutSeconds, limits);
  const notes = isSpot(spec)
    ? ['The estimate is the price on demand: a spot job costs at most that, and often less.']
    : [];
  const { mayShorten, attempts, maxUsdOfDefaultTimeout = Infinity } = limits;
  const maxUsd = limits.maxUsd ?? maxUsdOfDefaultTimeout;
  const worst = forAttempts(price, attempts);
  if (worst.ceilingUsd <= maxUsd) return { kind: 'priced', estimate: worst, notes };
  const paidFor = toWholeMinutes((maxUsd / (price.usdPerHour * attempts)) * 3_600);
  const affordable = limits.maxUsd === undefined ? Math.max(paidFor, leastSeconds) : paidFor;
  if (affordable < leastSeconds || !mayShorten) return overCeiling(worst, limits, affordable);
  const shortened = forAttempts(estimate(pools, affordable, limits.rates) ?? price, attempts);
  const advice = limits.maxUsd === undefined ? ' Name a timeout to have more.' : '';
  const note = `The timeout was cut from ${formatDuration(timeoutSeconds)} to ${formatDuration(affordable)}, so that the run costs at most ${formatUsd(maxUsd)}.${advice}`;
  return { kind: 'priced', estimate: shortened, notes: [...notes, note] };
}

function forAttempts(price: Estimate, attempts: number): Estimate {
  return { ...price, ceilingUsd: price.ceilingUsd * attempts };
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

function isSpot(spec: CustomJobSpec): boolean {
  const strategy = spec.scheduling?.['strategy'];
  return strategy === 'SPOT' || strategy === 'LOW_COST';
}

function toWholeMinutes(seconds: number): number {
  return Math.floor(seconds / 60) * 60;
}

function unpriced(timeoutSeconds: number, note: string): Price {
  const nothing = { usdPerHour: 0, ceilingUsd: 0, timeoutSeconds, pricesAsOf };
  return { kind: 'priced', estimate: nothing, notes: [note] };
}

function priceUnknown(
  pools: readonly PricedPool[],
  timeoutSeconds: number,
  { maxUsd }: PriceLimits,
): Price | Refusal {
  const names = pools.map(({ machine }) => describeMachine(machine)).join(', ');
  if (maxUsd === undefined)
    return unpriced(timeoutSeconds, `The price of ${names} is not known: there is no estimate.`);
  return {
    kind: 'rejected',
    reason: 'price_unknown',
    message: `The price of ${names} is not known, so the ceiling of ${formatUsd(maxUsd)} cannot be kept.`,
    fix: 'Choose a machine with a known price, such as one with `gpu=T4` or `gpu=A100`, or have its price configured.',
  };
}

function overCeiling(
  price: Estimate,
  { maxUsd = Infinity, attempts }: PriceLimits,
  affordableSeconds: number,
): Refusal {
  const { ceilingUsd, usdPerHour, timeoutSeconds } = price;
  const times = attempts === 1 ? '' : `${attempts} attempts, each `;
  return {
    kind: 'rejected',
    reason: 'over_ceiling',
    message: `The run could cost ${formatUsd(ceilingUsd)} (${times}est. ${formatUsd(usdPerHour)}/h for ${formatDuration(timeoutSeconds)}), and a run may cost at most ${formatUsd(maxUsd)}.`,
    fix:
      affordableSeconds >= leastSeconds
        ? `Write \`timeout=${typedDuration(affordableSeconds)}\`, or choose a cheaper machine.`
        : 'Choose a cheaper machine, fewer replicas or a smaller disk: not even a minute of this one fits.',
  };
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
