/**
 * A run's curves in one picture, beside those of the run that it is held against where both have measured the same:
 * series in, Markdown with a chart out. Pure.
 */
import type { Metrics, SeriesPoint } from '../metrics/metrics.ts';
import { byWeight, headlineMetric } from './headline-metric.ts';
import { commonSteps, renderLineChart, type Colour, type Line } from './line-chart.ts';
import { nameText } from './markdown.ts';
import { formatMetric } from './words.ts';

type Series = Metrics['series'];

interface NamedCurves {
  readonly series: Series;
  /** What their run is called; Markdown. */
  readonly name: string;
}

/** A line with what the legend calls it, in Markdown. */
interface NamedLine extends Line {
  readonly name: string;
}

/**
 * The metric that matters most of those whose curves have a stretch in common, once of each run; undefined when
 * there is none.
 */
export function renderBothCurves(
  ours: NamedCurves & Pick<Metrics, 'values'>,
  theirs: NamedCurves,
  metric: string | undefined,
): string | undefined {
  const wanted = headlineMetric(ours.values, metric);
  const names = drawable(ours.series).sort((a, b) => byWeight(a, b, wanted));
  for (const name of names) {
    const chart = draw([
      { name: theirs.name, points: curveOf(theirs.series, name), colour: 'grey' },
      { name: ours.name, points: curveOf(ours.series, name), colour: 'blue' },
    ]);
    if (chart !== undefined) return `${nameText(name)}: ${chart}`;
  }
  return undefined;
}

/**
 * A run by itself: the loss, with the held-out loss beside it where there is one; without a loss the metric that
 * it is judged by.
 */
export function renderCurves({ series }: Metrics, metric?: string): string | undefined {
  const names = drawable(series);
  const losses = names.filter((name) => /(?:^|[_./ -])loss$/i.test(name));
  const [first, second] = losses.length > 0 ? losses : names.sort((a, b) => byWeight(a, b, metric));
  if (first === undefined) return undefined;
  const line = (name: string, colour: Colour): NamedLine => ({
    name: nameText(name),
    points: curveOf(series, name),
    colour,
  });
  const both =
    losses.length < 2 || second === undefined
      ? undefined
      : draw([line(first, 'blue'), line(second, 'orange')]);
  return both ?? draw([line(first, 'blue')]);
}

function draw(lines: readonly NamedLine[]): string | undefined {
  const chart = renderLineChart(lines);
  return chart && `${legend(lines)}\n\n${chart}`;
}

/** `main (grey) from 0.7 to 0.118, this run (blue) from 0.8 to 0.2` */
function legend(lines: readonly NamedLine[]): string {
  const entries = lines.map(({ name, points, colour }) => {
    const from = formatMetric(points[0]?.value ?? 0);
    const to = formatMetric(points.at(-1)?.value ?? 0);
    return `${name}${lines.length > 1 ? ` (${colour})` : ''} from ${from} to ${to}`;
  });
  const common = commonSteps(lines.map(({ points }) => points));
  const isCut = lines.some(
    ({ points }) => points[0]?.step !== common?.from || points.at(-1)?.step !== common?.to,
  );
  const cut =
    isCut && common !== undefined
      ? `; drawn are steps ${formatMetric(common.from)} to ${formatMetric(common.to)}, which both have`
      : '';
  return entries.join(', ') + cut;
}

function drawable(series: Series): string[] {
  return Object.keys(series).filter((name) => curveOf(series, name).length >= 2);
}

function curveOf(series: Series, name: string): readonly SeriesPoint[] {
  return (Object.hasOwn(series, name) ? series[name] : undefined) ?? [];
}
