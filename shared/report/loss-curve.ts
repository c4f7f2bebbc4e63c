/** A run's curves as a mermaid chart, which GitHub draws in comments: series in, a fence of numbers out. */
import { thin } from '../metrics/dvclive-series.ts';
import type { Metrics, SeriesPoint } from '../metrics/metrics.ts';
import { headlineMetric } from './headline-metric.ts';
import { nameText } from './markdown.ts';
import { formatMetric } from './words.ts';

/** Visible on white and on black; the default line is nearly invisible on both. */
const lineColours = [
  { hex: '#2f81f7', word: 'blue' },
  { hex: '#db6d28', word: 'orange' },
] as const;
const maxPoints = 60;

/**
 * The loss, with the held-out loss beside it where there is one; without a loss the headline metric.
 * Undefined when there is no series of two points, or when its numbers cannot be written for mermaid.
 * @see https://mermaid.js.org/syntax/xyChart.html
 */
export function renderLossCurve(metrics: Metrics): string | undefined {
  const names = chooseSeries(metrics);
  const lines = names.map((name) => thin(metrics.series[name] ?? [], maxPoints));
  const values = lines.flat().map(({ value }) => value);
  const steps = lines.flat().map(({ step }) => step);
  const lowest = Math.min(...values);
  const highest = Math.max(...values);
  if (values.length < 2 || !isDrawable(lowest, highest) || Math.max(...steps) >= 1e12)
    return undefined;
  const margin = highest === lowest ? Math.abs(highest) * 0.1 || 1 : (highest - lowest) * 0.05;
  const digits = Math.max(0, Math.min(10, 4 - Math.floor(Math.log10(highest - lowest || margin))));
  const write = (value: number): string => value.toFixed(digits);
  const bottom = lowest >= 0 ? Math.max(0, lowest - margin) : lowest - margin;
  const palette = lineColours.map(({ hex }) => hex).join(', ');
  const chart = [
    '```mermaid',
    `%%{init: {"theme": "base", "themeVariables": {"xyChart": {"plotColorPalette": "${palette}"}}}}%%`,
    'xychart-beta',
    `  x-axis "step" ${axisEnd(Math.min(...steps))} --> ${axisEnd(Math.max(...steps))}`,
    `  y-axis ${write(bottom)} --> ${write(highest + margin)}`,
    ...lines.map((points) => `  line [${points.map(({ value }) => write(value)).join(', ')}]`),
    '```',
  ].join('\n');
  return `${legend(names, metrics)}\n\n${chart}`;
}

function chooseSeries(metrics: Metrics): readonly string[] {
  const drawable = Object.entries(metrics.series).filter(([, points]) => points.length >= 2);
  const losses = drawable.map(([name]) => name).filter((name) => /(?:^|[_./ -])loss$/i.test(name));
  const first = losses[0];
  if (first !== undefined) {
    // Points are drawn at even distances, so only series of the same length share a picture.
    const length = metrics.series[first]?.length;
    return losses
      .filter((name) => metrics.series[name]?.length === length)
      .slice(0, lineColours.length);
  }
  const values = Object.fromEntries(
    drawable.map(([name, points]) => [name, points.at(-1)?.value ?? 0]),
  );
  const headline = headlineMetric(values);
  return headline === undefined ? [] : [headline];
}

/** Mermaid's numbers have no exponent. */
function isDrawable(lowest: number, highest: number): boolean {
  const size = Math.max(Math.abs(lowest), Math.abs(highest));
  return size < 1e9 && (size === 0 || size > 1e-6);
}

function axisEnd(step: number): string {
  return Number.isInteger(step) ? String(step) : step.toFixed(2);
}

function legend(names: readonly string[], metrics: Metrics): string {
  const entries = names.map((name, i) => {
    const points: readonly SeriesPoint[] = metrics.series[name] ?? [];
    const from = formatMetric(points[0]?.value ?? 0);
    const to = formatMetric(points.at(-1)?.value ?? 0);
    const colour = names.length > 1 ? ` (${lineColours[i]?.word ?? ''})` : '';
    return `${nameText(name)}${colour} from ${from} to ${to}`;
  });
  return entries.join(', ');
}
