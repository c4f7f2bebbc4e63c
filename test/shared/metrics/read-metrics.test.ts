import { describe, expect, it } from '@jest/globals';
import { fc } from '../../properties.ts';
import { isMetricsFile, readMetricsFiles } from '../../../shared/metrics/read-metrics.ts';

const file = (path: string, content: string) => ({ path, content: Buffer.from(content) });

describe('isMetricsFile', () => {
  it.each([
    ['metrics.json', true],
    ['model/metrics.json', true],
    ['model/dvclive/plots/metrics/val/accuracy.tsv', true],
    ['plots/metrics/loss.tsv', true],
    ['old_metrics.json', false],
    ['plots/sklearn/roc.json', false],
    ['model/checkpoint.tsv', false],
    ['../metrics.json', false],
    [`${'a/'.repeat(200)}metrics.json`, false],
  ])('%s: %s', (path, expected) => {
    expect(isMetricsFile(path)).toBe(expected);
  });
});

describe('readMetricsFiles', () => {
  it('flattens nested values with dots and keeps finite numbers only', () => {
    const json =
      '\uFEFF{"step": 19, "loss": 0.5, "val": {"acc": 0.9, "nan": "NaN"}, "inf": Infinity, "n": NaN, "list": [1], "ok": true, "s": "a NaN \\" b", "z": null}';
    expect(readMetricsFiles([file('model/metrics.json', json)]).values).toEqual({
      loss: 0.5,
      'val.acc': 0.9,
    });
  });

  it("reads DVCLive's series in order of step and takes the last point for a value", () => {
    const tsv =
      'timestamp\tstep\tacc\r\n1700000000000\t2\t0.5\r\n1\t1\t0.25\r\n1\t3\tnan\r\n1\t2\t0.75\r\n';
    expect(readMetricsFiles([file('model/plots/metrics/val/acc.tsv', tsv)])).toEqual({
      values: { 'val.acc': 0.75 },
      series: {
        'val.acc': [
          { step: 1, value: 0.25 },
          { step: 2, value: 0.75 },
        ],
      },
    });
  });

  it('lets the shallowest metrics.json win', () => {
    const files = [
      file('a/b/metrics.json', '{"x": 2, "y": 3}'),
      file('a/metrics.json', '{"x": 1}'),
    ];
    expect(readMetricsFiles(files).values).toEqual({ x: 1, y: 3 });
  });

  it.each([
    ['not JSON', 'loss: 1'],
    ['a list', '[1]'],
    ['an unclosed string', `{"a": "${'\\"'.repeat(200_000)}`],
    ['too deep', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`],
    ['traps', '{"__proto__": {"polluted": 1}, "constructor": 3}'],
    ['strange names', '{"<!-- x": 1, "a\\nb": 2, "": 3, "[x](y)": 4}'],
  ])('takes nothing from %s', (_name, content) => {
    const started = process.cpuUsage();
    expect(readMetricsFiles([file('metrics.json', content)])).toEqual({ values: {}, series: {} });
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(20_000);
    expect(Object.prototype).not.toHaveProperty('polluted');
  });

  it('bounds values, series and points', () => {
    const many = JSON.stringify(
      Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`m${i}`, i])),
    );
    const rows = Array.from({ length: 5_000 }, (_, i) => `${i}\t${i}`).join('\n');
    const series = Array.from({ length: 80 }, (_, i) =>
      file(`plots/metrics/s${i}.tsv`, `step\ts${i}\n${rows}`),
    );
    const metrics = readMetricsFiles([file('metrics.json', many), ...series]);
    expect(Object.keys(metrics.series)).toHaveLength(50);
    expect(metrics.series['s0']).toHaveLength(500);
    expect(metrics.series['s0']!.at(0)).toEqual({ step: 0, value: 0 });
    expect(metrics.series['s0']!.at(-1)).toEqual({ step: 4_999, value: 4_999 });
    expect(Object.keys(metrics.values).length).toBeLessThanOrEqual(250);
  });

  it('never throws and returns finite numbers, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.json(), (bytes, json) => {
        const { values } = readMetricsFiles([
          { path: 'metrics.json', content: Buffer.from(bytes) },
          file('a/metrics.json', json),
          { path: 'plots/metrics/x.tsv', content: Buffer.from(bytes) },
        ]);
        return Object.values(values).every(Number.isFinite);
      }),
    );
  });
});
