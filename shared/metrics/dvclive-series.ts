/**
 * DVCLive's `plots/metrics/<name>.tsv` in, a series out: a header that has a `step` column and the
 * metric's own, then a row per call. Rows that do not parse are left out.
 * @see https://github.com/iterative/dvclive/blob/main/src/dvclive/plots/metric.py
 */
import type { SeriesPoint } from './metrics.ts';

const maxRows = 200_000;
/** More than a chart can show; the run is stored with its series. */
const maxPoints = 500;

/** @returns Points in ascending order of step, one per step, thinned evenly; empty when there are none. */
export function parseDvcliveSeries(text: string): readonly SeriesPoint[] {
  const lines = text.split('\n', maxRows + 1);
  const header = (lines[0] ?? '').trimEnd().split('\t');
  const stepColumn = header.indexOf('step');
  // The metric may itself be called `step` or `timestamp`: its column is always the last one.
  const valueColumn = header.length - 1;
  if (stepColumn === -1 || valueColumn < 1) return [];
  const byStep = new Map<number, number>();
  for (const line of lines.slice(1)) {
    const cells = line.trimEnd().split('\t');
    const step = toNumber(cells[stepColumn]);
    const value = toNumber(cells[valueColumn]);
    // A step that is logged again, after a restart from a checkpoint, replaces what was there.
    if (step !== undefined && value !== undefined) byStep.set(step, value);
  }
  const points = [...byStep]
    .map(([step, value]) => ({ step, value }))
    .sort((a, b) => a.step - b.step);
  return thin(points, maxPoints);
}

function toNumber(cell: string | undefined): number | undefined {
  if (cell === undefined || !/^[+-]?[\d.]{1,40}(?:[eE][+-]?\d{1,3})?$/.test(cell)) return undefined;
  const value = Number(cell);
  return Number.isFinite(value) ? value : undefined;
}

/** At most `limit` points, evenly chosen, the first and the last among them. */
export function thin<T>(points: readonly T[], limit: number): readonly T[] {
  if (points.length <= limit) return points;
  const stride = (points.length - 1) / (limit - 1);
  return Array.from({ length: limit }, (_, i) => points[Math.round(i * stride)]).filter(
    (point): point is T & {} => point !== undefined && point !== null,
  );
}
