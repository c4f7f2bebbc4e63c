/** What of the default branch's newest record a run keeps, to be held against it: a Run in, a Baseline out. Pure. */
import { thin } from '../metrics/dvclive-series.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Baseline, Run } from '../watch/run.ts';
import { byWeight } from './headline-metric.ts';
import { parametersOf } from './parameters.ts';

/** As many as a chart has room for; all together are at most some 30 kB of a run's row. */
const maxPoints = 60;
const maxSeries = 10;

/** @returns undefined when the record has measured nothing */
export function baselineOf(record: Run | undefined, run: Run): Baseline | undefined {
  if (record?.metrics === undefined) return undefined;
  const { runId, subject } = record.plan;
  const { headSha, branch } = subject;
  return {
    runId,
    headSha,
    ...(branch === undefined ? {} : { branch }),
    values: record.metrics.values,
    series: keptSeries(record.metrics, run),
    parameters: parametersOf(record),
  };
}

/** Those that the run has as well, the ones that matter most, each thinned evenly. */
function keptSeries({ series }: Metrics, { metrics, plan }: Run): Metrics['series'] {
  const shared = Object.entries(series).filter(([name]) =>
    Object.hasOwn(metrics?.series ?? {}, name),
  );
  const kept = shared
    .sort(([a], [b]) => byWeight(a, b, plan.metric))
    .slice(0, maxSeries)
    .map(([name, points]) => [name, thin(points, maxPoints)] as const);
  return Object.fromEntries(kept);
}
