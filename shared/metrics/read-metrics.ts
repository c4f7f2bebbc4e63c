/**
 * Reads the files that a run left behind: `metrics.json` for final values, DVCLive's
 * `plots/metrics/*.tsv` for series. Hostile content: what does not fit is left out, and all is bounded.
 * @see https://dvc.org/doc/dvclive/how-it-works
 */
import { parseDvcliveSeries } from './dvclive-series.ts';
import { isMetricName } from './metric-name.ts';
import type { Metrics, SeriesPoint } from './metrics.ts';

const maxValues = 200;
const maxSeries = 50;
const maxDepth = 10;
const maxPathLength = 300;

interface MetricsFile {
  /** Relative to the run's results directory. */
  readonly path: string;
  readonly content: Buffer;
}

export function isMetricsFile(path: string): boolean {
  if (path.length > maxPathLength || path.split('/').includes('..')) return false;
  return /(?:^|\/)metrics\.json$/.test(path) || seriesName(path) !== undefined;
}

/** A value that stands in several files is taken from the file nearest to the root. */
export function readMetricsFiles(files: readonly MetricsFile[]): Metrics {
  const values = new Map<string, number>();
  const series = new Map<string, readonly SeriesPoint[]>();
  const byDepth = [...files].sort(
    (a, b) => depth(a.path) - depth(b.path) || (a.path < b.path ? -1 : 1),
  );
  for (const { path, content } of byDepth) {
    const text = content.toString('utf8').replace(/^\uFEFF/, '');
    const name = seriesName(path);
    if (name === undefined) {
      if (values.size < maxValues) addValues(values, parseJson(text), '', 1);
    } else if (isMetricName(name) && !series.has(name) && series.size < maxSeries) {
      const points = parseDvcliveSeries(text);
      if (points.length > 0) series.set(name, points);
    }
  }
  for (const [name, points] of series) {
    const last = points.at(-1);
    if (last !== undefined && !values.has(name)) values.set(name, last.value);
  }
  return { values: Object.fromEntries(values), series: Object.fromEntries(series) };
}

/** `plots/metrics/val/acc.tsv` holds `val/acc`, which `metrics.json` nests as `val.acc`. */
function seriesName(path: string): string | undefined {
  const name = /(?:^|\/)plots\/metrics\/(.+)\.tsv$/.exec(path)?.[1];
  return name?.replaceAll('/', '.');
}

function depth(path: string): number {
  return path.split('/').length;
}

/** Python's json module writes NaN and Infinity, which JSON does not have; they become null, outside texts only. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(withoutNaN(text));
  } catch {
    // Half a file is what a crashed writer leaves; there is nothing to read in it.
    return undefined;
  }
}

function withoutNaN(text: string): string {
  let result = '';
  let copied = 0;
  const token = /["\\]|-?(?:NaN|Infinity)/g;
  let inside = false;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    if (match[0] === '"') inside = !inside;
    else if (match[0] === '\\') token.lastIndex += 1;
    else if (!inside) {
      result += `${text.slice(copied, match.index)}null`;
      copied = token.lastIndex;
    }
  }
  return result + text.slice(copied);
}

/** Numbers by their dotted path; text, lists and the loop's own step counter are left out. */
function addValues(
  values: Map<string, number>,
  node: unknown,
  prefix: string,
  level: number,
): void {
  if (typeof node !== 'object' || node === null || Array.isArray(node) || level > maxDepth) return;
  for (const [key, child] of Object.entries(node) as [string, unknown][]) {
    // A file may have a hundred thousand more, and whoever reads it has other things to do.
    if (values.size >= maxValues) return;
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (!isMetricName(key) || !isMetricName(name) || name === 'step') continue;
    if (typeof child !== 'number') addValues(values, child, name, level + 1);
    else if (Number.isFinite(child) && !values.has(name)) values.set(name, child);
  }
}
