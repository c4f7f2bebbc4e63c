/** What `npm run bench` prints: each ratio with its target and a verdict, from the medians of alternating runs. */
import { describe, expect, it } from '@jest/globals';
import { alternate } from '../../bench/alternate.ts';
import { inMegabytes, inMilliseconds, renderTable } from '../../bench/row.ts';

describe('the table', () => {
  it('puts the verdict beside each target, and none where there is no target', () => {
    const table = renderTable([
      { what: 'reference', measured: inMilliseconds(400.4), note: '(reference)' },
      { what: 'fast', measured: '100 ms', ratio: { value: 0.25, of: 'gcloud', atMost: 0.25 } },
      { what: 'slow', measured: '101 ms', ratio: { value: 0.26, of: 'gcloud', atMost: 0.25 } },
      { what: 'told', measured: '90 ms', ratio: { value: 4, of: 'empty Node' } },
      { what: 'size', measured: inMegabytes(3.5e6), target: { text: 'under 4 MB', isMet: true } },
    ]);
    expect(table.split('\n').map((line) => line.replace(/ {2,}/g, ' | '))).toEqual([
      ' | measured | ratio | target',
      'reference | 400 ms | (reference)',
      'fast | 100 ms | 0.25 × gcloud | at most 0.25 | ok',
      'slow | 101 ms | 0.26 × gcloud | at most 0.25 | missed',
      'told | 90 ms | 4.00 × empty Node',
      'size | 3.5 MB | under 4 MB | ok',
      '',
    ]);
  });

  it('takes no measurement for a missed target', () => {
    const ratio = { value: NaN, of: 'gcloud', atMost: 1 };
    expect(renderTable([{ what: 'x', measured: '?', ratio }])).toContain('missed');
  });
});

describe('alternating runs', () => {
  it('are made in turn, the first round uncounted, and give the median of each', async () => {
    const order: string[] = [];
    const counting = (name: string, values: readonly number[]) => {
      const left = [...values];
      return (): Promise<number> => {
        order.push(name);
        return Promise.resolve(left.shift() ?? NaN);
      };
    };
    const medians = await alternate(3, {
      own: counting('own', [1_000, 3, 1, 2]),
      theirs: counting('theirs', [1_000, 10, 30, 20]),
    });
    expect(medians).toEqual({ own: 2, theirs: 20 });
    expect(order.slice(0, 4)).toEqual(['own', 'theirs', 'own', 'theirs']);
  });

  it('take the middle of an even number of runs', async () => {
    const values = [0, 1, 2, 3, 10];
    const one = (): Promise<number> => Promise.resolve(values.shift() ?? NaN);
    expect(await alternate(4, { one })).toEqual({ one: 2.5 });
  });
});
