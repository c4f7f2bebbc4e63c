/** Curves of one run and of two: which are drawn, where, and what is said of them. */
import { describe, expect, it } from '@jest/globals';
import type { SeriesPoint } from '../../../shared/metrics/metrics.ts';
import { renderComparison } from '../../../shared/report/comparison.ts';
import { renderBothCurves, renderCurves } from '../../../shared/report/loss-curve.ts';
import { renderCard } from '../../../shared/report/render-card.ts';
import { fc } from '../../properties.ts';
import { plan } from '../world.ts';
import { compared, context, measured, succeeded } from './runs.ts';

type Series = Readonly<Record<string, readonly SeriesPoint[]>>;

const series = (...values: number[]): readonly SeriesPoint[] =>
  values.map((value, at) => ({ step: at + 1, value }));
/** From step to value. */
const at = (points: Readonly<Record<number, number>>): readonly SeriesPoint[] =>
  Object.entries(points).map(([step, value]) => ({ step: Number(step), value }));

const own = (given: Series, metric?: string): string | undefined =>
  renderCurves({ values: {}, series: given }, metric);

function both(ours: Series, theirs: Series, metric?: string): string | undefined {
  const values = Object.fromEntries(Object.keys(ours).map((name) => [name, 1]));
  return renderBothCurves(
    { name: 'this run', series: ours, values },
    { name: 'main', series: theirs },
    metric,
  );
}

function linesOf(chart: string | undefined): readonly (readonly number[])[] {
  return [...(chart ?? '').matchAll(/line \[(.*)\]/g)].map(([, text = '']) =>
    text.split(', ').map(Number),
  );
}

function axisOf(chart: string | undefined): readonly number[] {
  const [, from, to] = /x-axis "step" (\S+) --> (\S+)/.exec(chart ?? '') ?? [];
  return [Number(from), Number(to)];
}

describe('the curves of one run', () => {
  it('are both losses, in colours that can be seen', () => {
    const text = renderCurves(succeeded.metrics!)!;
    expect(text).toContain('loss (blue) from 0.7 to 0.118, val_loss (orange) from 0.8 to 0.2');
    expect(text).toContain('plotColorPalette": "#2f81f7, #db6d28"');
    expect(linesOf(text)).toHaveLength(2);
  });

  it('are those of what it is judged by where it has no loss', () => {
    const given = { reward: series(1, 2), val_accuracy: series(0.1, 0.2) };
    expect(own(given)).toMatch(/^val_accuracy from/);
    expect(own(given, 'reward')).toMatch(/^reward from 1 to 2\n/);
  });

  it.each<[string, Series]>([
    ['no series', {}],
    ['a single point', { loss: series(1) }],
    ['numbers that mermaid cannot read', { loss: series(1e300, 2) }],
    ['numbers too small to write', { loss: series(1e-9, 2e-9) }],
    ['steps that are no numbers of steps', { loss: at({ 1: 1, 1e300: 2 }) }],
  ])('are not drawn of %s', (_name, given) => {
    expect(own(given)).toBeUndefined();
  });

  it('writes plain numbers and ascending axes only, whatever was measured', () => {
    const point = fc.record({
      step: fc.oneof(
        fc.integer({ min: -5, max: 1e6 }),
        fc.double({ noNaN: true, min: 0, max: 1e9 }),
      ),
      value: fc.double({ noNaN: true, min: -1e8, max: 1e8 }),
    });
    const ascending = fc
      .uniqueArray(point, { minLength: 2, maxLength: 100, selector: ({ step }) => step })
      .map((points) => points.sort((a, b) => a.step - b.step));
    fc.assert(
      fc.property(ascending, ascending, (loss, theirs) => {
        for (const text of [own({ loss }), both({ loss }, { loss: theirs })]) {
          if (text === undefined) continue;
          const [, low, high] = /y-axis (\S+) --> (\S+)/.exec(text) ?? [];
          expect(Number(low)).toBeLessThan(Number(high));
          const [from = 0, to = 0] = axisOf(text);
          expect(from).toBeLessThan(to);
          const drawn = linesOf(text);
          const [count = 0] = drawn.map((values) => values.length);
          expect(count).toBeGreaterThan(1);
          expect(count).toBeLessThanOrEqual(65);
          expect(drawn.every((values) => values.length === count)).toBe(true);
          const written = text.match(/(?<=line \[|x-axis "step" |y-axis )[^\]\n]*/g) ?? [];
          expect(written).toHaveLength(drawn.length + 2);
          for (const number of written.flatMap((numbers) => numbers.split(/, | --> /)))
            expect(number).toMatch(/^-?\d+(?:\.\d+)?$/);
          // As mermaid 11 lays the points out, adding one distance after the other.
          const places = [];
          for (let place = from; place <= to; place += (to - from) / (count - 1))
            places.push(place);
          expect(places).toHaveLength(count);
        }
      }),
    );
  });
});

describe('the curves of two runs', () => {
  it('are one picture of what both are judged by, and it is said which line is whose', () => {
    const ours = { loss: series(1, 0.2), val_accuracy: series(0.6, 0.961) };
    const theirs = { loss: series(1, 0.3), val_accuracy: series(0.5, 0.957) };
    const text = both(ours, theirs)!;
    expect(text.split('\n')[0]).toBe(
      'val_accuracy: main (grey) from 0.5 to 0.957, this run (blue) from 0.6 to 0.961',
    );
    expect(text).toContain('plotColorPalette": "#8b949e, #2f81f7"');
    expect(linesOf(text)).toEqual([
      [0.5, 0.957],
      [0.6, 0.961],
    ]);
    expect(both(ours, theirs, 'loss')).toMatch(/^loss: /);
  });

  it.each<[string, ours: Series, theirs: Series, drawn: string]>([
    [
      'only one has a curve of what they are judged by',
      { val_accuracy: series(0.5, 0.6), loss: series(1, 2) },
      { loss: series(3, 4) },
      'loss',
    ],
    [
      'their curves of it have no step in common',
      { val_accuracy: series(0.5, 0.6), loss: series(1, 2) },
      { val_accuracy: at({ 7: 1, 9: 0.5 }), loss: series(3, 4) },
      'loss',
    ],
  ])('are of the next metric where %s', (_why, ours, theirs, drawn) => {
    expect(both(ours, theirs)).toMatch(new RegExp(`^${drawn}: `));
  });

  it.each<[string, Series, Series]>([
    ['no metric in common', { loss: series(1, 2) }, { f1: series(1, 2) }],
    ['no step in common', { loss: series(1, 2) }, { loss: at({ 2: 1, 3: 2 }) }],
    ['nothing', {}, {}],
  ])('are not drawn where they have %s', (_name, ours, theirs) => {
    expect(both(ours, theirs)).toBeUndefined();
  });

  it.each<[string, ours: SeriesPoint[], theirs: SeriesPoint[], axis: number[], lines: number[][]]>([
    [
      'each at its own steps: where one has no point it is on the line between its neighbours',
      [...at({ 0: 0, 10: 100, 20: 0 })],
      [...at({ 0: 10, 20: 50 })],
      [0, 20],
      [
        [10, 30, 50],
        [0, 100, 0],
      ],
    ],
    [
      'at other steps: as far as both go',
      [...at({ 0: 0, 4: 4, 8: 8 })],
      [...at({ 2: 1, 4: 2, 6: 3 })],
      [2, 6],
      [
        [1, 2, 3],
        [2, 4, 6],
      ],
    ],
    [
      'at steps of uneven distances: at their true places',
      [...at({ 1: 5, 2: 6, 5: 9 })],
      [...at({ 1: 0, 5: 4 })],
      [1, 5],
      [
        [0, 1, 2, 3, 4],
        [5, 6, 7, 8, 9],
      ],
    ],
  ])('are drawn %s', (_what, loss, theirs, axis, lines) => {
    const text = both({ loss }, { loss: theirs });
    expect(axisOf(text)).toEqual(axis);
    expect(linesOf(text)).toEqual(lines);
  });

  it('of different lengths are drawn as far as both go, and it is said that they are', () => {
    const [ours, theirs] = [series(4, 3, 2, 1), series(5, 4)];
    expect(both({ loss: ours }, { loss: theirs })).toMatch(
      /^loss: main \(grey\) from 5 to 4, this run \(blue\) from 4 to 1; drawn are steps 1 to 2, which both have\n/,
    );
  });

  it('stand on the card of a run that has a base, and in the answer to /compare', () => {
    const baseline = { ...compared.baseline!, series: { loss: series(0.9, 0.131) } };
    const card = renderCard({ ...compared, baseline }, context);
    expect(card).toContain(
      '\nloss: main (grey) from 0.9 to 0.131, this run (blue) from 0.7 to 0.118\n\n```mermaid\n',
    );
    expect(card.match(/```mermaid/g)).toHaveLength(1);
    // What was stored before there were such curves.
    expect(renderCard(compared, context)).toContain('val_loss (orange)');

    const against = { ...succeeded, plan: { ...plan, runId: 'baserun2' } };
    const run = succeeded;
    expect(renderComparison({ run, against, againstName: undefined })).toContain(
      '\n\nval_loss: `baserun2` (grey) from 0.8 to 0.2, `k7q2m4xa` (blue) from 0.8 to 0.2\n\n```mermaid\n',
    );
    const ofBase = renderComparison({ run, against, againstName: 'main' });
    expect(ofBase).toContain('val_loss: main (grey)');
    const bare = { ...against, metrics: { ...measured, series: {} } };
    expect(renderComparison({ run, against: bare, againstName: 'main' })).not.toContain('mermaid');
  });
});
