/**
 * What is spent for a repository without the App's having begun it: a job of a workflow, or a build of a trigger,
 * in, US dollars by list price out. Pure. Nothing is held for them: what counts is how long they have run, which
 * is Google's to say and not theirs.
 */
import { buildUsdPerHour, dearestBuildUsdPerHour } from '../catalogue/build-prices.ts';
import { estimate } from '../catalogue/estimate.ts';
import type { CustomJobSpec } from '../config/job-spec.ts';
import type { ProjectSettings } from '../config/project-settings.ts';
import { runsOnPersistentResource } from '../plan/choose-hardware.ts';
import { pricedPools } from '../plan/check-price.ts';
import type { TriggeredBuild } from '../triggers/report-build.ts';
import { secondsBetween } from '../units.ts';
import type { JobSnapshot } from '../watch/run.ts';

/** 0 for machines whose price nobody knows, and for a persistent resource, which costs the same without it. */
export function workflowJobUsd(
  { snapshot, spec }: { readonly snapshot: JobSnapshot; readonly spec: CustomJobSpec },
  region: string,
  { prices }: Pick<ProjectSettings, 'prices'>,
  now: Date,
): number {
  if (runsOnPersistentResource(spec)) return 0;
  const price = estimate(pricedPools(spec), 0, { region, ...(prices && { prices }) });
  return usdOf(price?.usdPerHour ?? 0, snapshot.startTime, snapshot.endTime ?? now);
}

/** What runs where nobody knows the price, such as in a private pool, is counted as the dearest machine. */
export function triggerBuildUsd(
  { machine = {}, startTime, finishTime }: TriggeredBuild,
  { prices }: Pick<ProjectSettings, 'prices'>,
  now: Date,
): number {
  const usdPerHour = buildUsdPerHour(machine, prices && { prices }) ?? dearestBuildUsdPerHour;
  return usdOf(usdPerHour, startTime, finishTime ?? now);
}

function usdOf(usdPerHour: number, from: string | undefined, to: string | Date): number {
  return from === undefined ? 0 : (usdPerHour * Math.max(0, secondsBetween(from, to))) / 3_600;
}
