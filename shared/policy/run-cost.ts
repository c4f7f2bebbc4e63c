/** What a run has cost by list price: a Run in, US dollars out. Pure. */
import { secondsBetween } from '../units.ts';
import { isBuildOver, isJobOver, jobPlanOf, type Run } from '../watch/run.ts';

/** Until then: each attempt at the price of its region, and the build. */
export function costUsd(run: Run, now: Date): number {
  const { attempts = [], build, job, plan } = run;
  const until = run.end?.at ?? now;
  const spans = [...attempts, { endTime: until, ...job?.snapshot }];
  const jobs = spans.map(({ startTime, endTime }, attempt) => {
    const { usdPerHour = plan.estimate.usdPerHour } = jobPlanOf(run, attempt);
    return usdOf(usdPerHour, startTime, endTime);
  });
  const { startTime, finishTime = until } = build?.snapshot ?? {};
  return jobs.reduce(
    (sum, usd) => sum + usd,
    usdOf(plan.estimate.buildUsdPerHour ?? 0, startTime, finishTime),
  );
}

function usdOf(usdPerHour: number, from: string | undefined, to: string | Date): number {
  return from === undefined ? 0 : (usdPerHour * Math.max(0, secondsBetween(from, to))) / 3_600;
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
  return isOpen && wasLost ? undefined : costUsd(run, at);
}
