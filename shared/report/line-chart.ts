/**
 * Curves as a mermaid chart, which GitHub draws in comments: points of one or more lines in, a fence of numbers
 * out. Pure.
 *
 * Mermaid draws a line's values at even distances from one end of the x-axis to the other, whatever steps they
 * were measured at, and as many as there are. So all lines of a chart are read off at the same steps, which lie at
 * even distances between the first and the last step that all of them have: where a line has no point of its own, on
 * the straight line between its neighbours. What lies outside of the common steps is not drawn; callers say so.
 * @see https://mermaid.js.org/syntax/xyChart.html
 */
import type { SeriesPoint } from '../metrics/metrics.ts';

export interface Line {
  /** In ascending order of step. */
  readonly points: readonly SeriesPoint[];
  readonly colour: Colour;
}

/** Visible on white and on black; mermaid's own first line is nearly invisible on both. */
const palette = { blue: '#2f81f7', orange: '#db6d28', grey: '#8b949e' } as const;
export type Colour = keyof typeof palette;

/** As many as there are pixels for, and a power of two: see `gridOf`. */
const maxIntervals = 64;
const maxStep = 1e12;

/** The steps that all lines have in common; undefined when these are no stretch. */
export function commonSteps(
  lines: readonly (readonly SeriesPoint[])[],
): { readonly from: number; readonly to: number } | undefined {
  const from = Math.max(...lines.map((points) => points[0]?.step ?? Infinity));
  const to = Math.min(...lines.map((points) => points.at(-1)?.step ?? -Infinity));
  return from < to && Number.isFinite(from) && Number.isFinite(to) ? { from, to } : undefined;
}

/** Undefined when the lines have no stretch in common, or when their numbers cannot be written for mermaid. */
export function renderLineChart(lines: readonly Line[]): string | undefined {
  const steps = gridOf(lines.map(({ points }) => points));
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const drawn = lines.map(({ points }) => steps.map((step) => valueAt(points, step)));
  const [lowest, highest] = [Math.min(...drawn.flat()), Math.max(...drawn.flat())];
  if (!isWritable(lowest, highest)) return undefined;
  const margin = highest === lowest ? Math.abs(highest) * 0.1 || 1 : (highest - lowest) * 0.05;
  const digits = Math.max(0, Math.min(10, 4 - Math.floor(Math.log10(highest - lowest || margin))));
  const write = (value: number): string => value.toFixed(digits);
  const bottom = lowest >= 0 ? Math.max(0, lowest - margin) : lowest - margin;
  const colours = lines.map(({ colour }) => palette[colour]).join(', ');
  return [
    '```mermaid',
    `%%{init: {"theme": "base", "themeVariables": {"xyChart": {"plotColorPalette": "${colours}"}}}}%%`,
    'xychart-beta',
    `  x-axis "step" ${first} --> ${last}`,
    `  y-axis ${write(bottom)} --> ${write(highest + margin)}`,
    ...drawn.map((values) => `  line [${values.map(write).join(', ')}]`),
    '```',
  ].join('\n');
}

/**
 * Where the lines are read off: at each step that was measured, if that makes few enough even distances, else at
 * 65 steps. A sum of these distances has no rounding error, since each is a whole number or one divided by a power
 * of two: mermaid 11 adds them up, and would leave out the last point of a line that ends a hair too late.
 */
function gridOf(lines: readonly (readonly SeriesPoint[])[]): readonly number[] {
  const common = commonSteps(lines);
  if (common === undefined || common.from < -maxStep || common.to > maxStep) return [];
  const from = Math.ceil(common.from * 1_024) / 1_024;
  const to = Math.floor(common.to * 1_024) / 1_024;
  const length = to - from;
  if (length <= 0) return [];
  const within = lines.flat().filter(({ step }) => step > from && step < to);
  const distances = [length, ...within.map(({ step }) => step - from)];
  const count = distances.every(Number.isInteger)
    ? length / distances.reduce(greatestDivisor)
    : Infinity;
  const intervals = count <= maxIntervals ? count : maxIntervals;
  return Array.from({ length: intervals + 1 }, (_, at) => from + at * (length / intervals));
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

/** On the straight line between the two points beside that step, which lies within the series. */
function valueAt(points: readonly SeriesPoint[], step: number): number {
  const next = points.findIndex((point) => point.step >= step);
  const after = points[next];
  const before = points[next - 1];
  if (after === undefined) return points.at(-1)?.value ?? 0;
  if (before === undefined || after.step === step) return after.value;
  const share = (step - before.step) / (after.step - before.step);
  return before.value + share * (after.value - before.value);
}

/** Mermaid's numbers have no exponent. */
function isWritable(lowest: number, highest: number): boolean {
  const size = Math.max(Math.abs(lowest), Math.abs(highest));
  return size < 1e9 && (size === 0 || size > 1e-6);
}
