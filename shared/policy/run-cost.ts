/**
 * What a run can cost at most, and what it has cost: a Plan or a Run in, US dollars by list price out. What is
 * reserved is never less than what can be charged: on demand, each attempt to its timeout, in the dearest of its
 * regions, its build to its timeout.
 */
import { estimate } from '../catalogue/estimate.ts';
import { pricedPools } from '../plan/check-price.ts';
import type { JobPlan, Plan } from '../plan/plan.ts';
import { estimatedUsd } from '../report/words.ts';
import { isBuildOver, isJobOver, type Run } from '../watch/run.ts';
import { secondsBetween } from '../units.ts';

/**
 * Cloud Build's default machine, without the minutes that are free.
 * @see https://cloud.google.com/build/pricing
 */
const buildUsdPerMinute = 0.006;

/**
 * @param prices the operator's own, see `Rates`
 * @returns undefined where a price is not known
 */
export function worstCaseUsd(
  plan: Plan,
  prices: Readonly<Record<string, number>> = {},
): number | undefined {
  const places = [plan.job, ...(plan.elsewhere ?? [])];
  const jobs = places.map((job) => usdOf(job, prices));
  if (jobs.some((usd) => usd === undefined)) return undefined;
  const dearest = Math.max(...jobs.map((usd) => usd ?? 0));
  const build = ((plan.build?.timeoutSeconds ?? 0) / 60) * buildUsdPerMinute;
  return Math.max(dearest * (plan.maxAttempts ?? 1), plan.estimate.ceilingUsd) + build;
}

/** The plan without the other regions in which it could cost more than a run may. */
export function withoutDearPlaces(
  plan: Plan,
  prices: Readonly<Record<string, number>> = {},
  maxUsd = Infinity,
): Plan {
  const { elsewhere, ...rest } = plan;
  if (elsewhere === undefined) return plan;
  const kept = elsewhere.filter(
    (job) => (usdOf(job, prices) ?? Infinity) * (plan.maxAttempts ?? 1) <= maxUsd,
  );
  return kept.length === 0 ? rest : { ...rest, elsewhere: kept };
}

function usdOf(
  { spec, region, timeoutSeconds }: JobPlan,
  prices: Readonly<Record<string, number>>,
): number | undefined {
  return estimate(pricedPools(spec), timeoutSeconds, { region, prices })?.ceilingUsd;
}

/**
 * What an ended run has cost; undefined where something of it may still run because nobody could follow it to
 * its end: then it holds what was reserved.
 */
export function spentUsd(run: Run): number | undefined {
  const { job, build } = run;
  const at = new Date(run.end?.at ?? run.createdAt);
  const isOpen =
    (job !== undefined && !isJobOver(job.snapshot?.state ?? 'unknown')) ||
    (build !== undefined && !isBuildOver(build.snapshot?.status ?? 'unknown'));
  const wasLost = run.end?.reason === 'internal' || run.end?.reason === 'no_longer_allowed';
  if (isOpen && wasLost) return undefined;
  const { startTime, finishTime } = build?.snapshot ?? {};
  const buildSeconds =
    startTime === undefined ? 0 : Math.max(0, secondsBetween(startTime, finishTime ?? at));
  return (estimatedUsd(run, at) ?? 0) + (buildSeconds / 60) * buildUsdPerMinute;
}
