/**
 * Reads the files that a run left behind: `metrics.json` for final values, DVCLive's
 * `plots/metrics/*.tsv` for series. Hostile content: what does not fit is left out, and all is bounded.
 * @see https://dvc.org/doc/dvclive/how-it-works
 */
import { noMetrics, type Metrics, type SeriesPoint } from './metrics.ts';

const maxValues = 500;
const maxSeries = 50;
const maxPoints = 10_000;
const maxNameLength = 100;

export interface MetricsFile {
  /** Relative to the run's results directory. */
  readonly path: string;
  readonly content: Buffer;
}

export function isMetricsFile(path: string): boolean {
  return (
    /(^|\/)metrics\.json$/.test(path) || /(^|\/)plots\/metrics\/[^/]+(\/[^/]+)*\.tsv$/.test(path)
  );
}

/** A value that stands in several files is taken from the file nearest to the root. */
export function readMetricsFiles(files: readonly MetricsFile[]): Metrics {
  const values: Record<string, number> = {};
  const series: Record<string, readonly SeriesPoint[]> = {};
  const byDepth = [...files].sort(
    (a, b) => depth(a.path) - depth(b.path) || (a.path < b.path ? -1 : 1),
  );
  for (const { path, content } of byDepth) {
    const text = content.toString('utf8');
    if (path.endsWith('.json')) addValues(values, parseJson(text), '');
    else addSeries(series, path, text);
  }
  return Object.keys(values).length + Object.keys(series).length === 0
    ? noMetrics
    : { values, series };
}

function depth(path: string): number {
  return path.split('/').length;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Half a file is what a crashed writer leaves; there is nothing to read in it.
    return undefined;
  }
}

/** Numbers by their dotted path; text, lists and the writer's `NaN` are left out. */
function addValues(values: Record<string, number>, node: unknown, prefix: string): void {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return;
  for (const [key, child] of Object.entries(node)) {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (!isName(name) || Object.keys(values).length >= maxValues) continue;
    if (typeof child === 'number' && Number.isFinite(child)) values[name] ??= child;
    else addValues(values, child, name);
  }
}

function addSeries(
  series: Record<string, readonly SeriesPoint[]>,
  path: string,
  text: string,
): void {
  const [, name = ''] = /(?:^|\/)plots\/metrics\/(.+)\.tsv$/.exec(path) ?? [];
  if (!isName(name) || name in series || Object.keys(series).length >= maxSeries) return;
  const [header = '', ...rows] = text.split(/\r?\n/, maxPoints + 1);
  const columns = header.split('\t');
  const stepColumn = columns.indexOf('step');
  const valueColumn = columns.length - 1;
  if (stepColumn < 0 || stepColumn === valueColumn) return;
  const points = rows.flatMap((row): SeriesPoint[] => {
    const cells = row.split('\t');
    const [step, value] = [toNumber(cells[stepColumn]), toNumber(cells[valueColumn])];
    return step === undefined || value === undefined ? [] : [{ step, value }];
  });
  if (points.length > 0) series[name] = points.sort((a, b) => a.step - b.step);
}

function toNumber(cell: string | undefined): number | undefined {
  if (cell === undefined || cell.trim() === '') return undefined;
  const value = Number(cell);
  return Number.isFinite(value) ? value : undefined;
}

function isName(name: string): boolean {
  return (
    name.length > 0 &&
    name.length <= maxNameLength &&
    !/[\u0000-\u001f\u007f]/.test(name) &&
    !name.includes('__proto__')
  );
}
