/** What a run keeps of the one that it is held against. */
import { expect, it } from '@jest/globals';
import type { SeriesPoint } from '../../../shared/metrics/metrics.ts';
import { baselineOf } from '../../../shared/report/baseline.ts';
import type { Run } from '../../../shared/watch/run.ts';
import { plan } from '../world.ts';
import { succeeded } from './runs.ts';

const subject = { ...plan.subject, headSha: '9d0e4f1'.padEnd(40, '0'), branch: 'main' };

function curve(count: number): readonly SeriesPoint[] {
  return Array.from({ length: count }, (_, at) => ({ step: at * 10, value: 1 / (at + 3) }));
}

function measuring(series: Readonly<Record<string, readonly SeriesPoint[]>>, metric?: string): Run {
  const asked = {
    ...plan,
    subject,
    runId: 'baserun2',
    ...(metric === undefined ? {} : { metric }),
  };
  return { ...succeeded, plan: asked, metrics: { values: { loss: 0.2 }, series } };
}

it('is of nothing where nothing was measured', () => {
  const { metrics: _, ...bare } = measuring({});
  expect([undefined, bare].map((record) => baselineOf(record, succeeded))).toEqual([
    undefined,
    undefined,
  ]);
});

it('has the values, the parameters, and the series that both have', () => {
  const loss = curve(4);
  expect(baselineOf(measuring({ loss, theirs: loss }), measuring({ loss, ours: loss }))).toEqual({
    ...{ runId: 'baserun2', headSha: subject.headSha, branch: 'main' },
    ...{ values: { loss: 0.2 }, series: { loss } },
    parameters: { machine: 'n1-standard-8, 1 × T4' },
  });
});

it('thins long series evenly, from the first point to the last', () => {
  const loss = curve(500);
  const kept = baselineOf(measuring({ loss }), measuring({ loss }))?.series?.['loss'] ?? [];
  expect(kept).toHaveLength(60);
  expect([kept[0], kept.at(-1)]).toEqual([loss[0], loss.at(-1)]);
  expect(loss).toEqual(expect.arrayContaining([...kept]));
});

it('keeps what matters most of many, in a run that stays small', () => {
  const names = Array.from({ length: 47 }, (_, at) => `layer_${at}_${'x'.repeat(80)}`);
  const most = ['loss', 'val_accuracy', 'reward', ...names];
  const series = Object.fromEntries(most.map((name) => [name, curve(500)]));
  const kept = baselineOf(measuring(series), measuring(series, 'reward'))?.series ?? {};
  expect(Object.keys(kept)).toHaveLength(10);
  expect(Object.keys(kept).slice(0, 3)).toEqual(['reward', 'val_accuracy', 'loss']);
  expect(JSON.stringify(kept).length).toBeLessThan(30_000);
});
