/** Files that were made to keep a parser busy: each is answered in a second, most of them with a problem. */
import { describe, expect, it } from '@jest/globals';
import { maxFileBytes, readYaml } from '../../../shared/config/yaml-file.ts';

const kib64 = maxFileBytes;
const many = (text: (index: number) => string, separator = '\n'): string => {
  let all = text(0);
  for (let index = 1; all.length < kib64 - 40; index++) all += separator + text(index);
  return all;
};

describe('readYaml', () => {
  it.each<[string, string, RegExp | undefined]>([
    ['aliases', `a: &a 1\nb: [${many(() => '*a', ',').slice(0, -20)}]`, /more than 100 aliases/],
    [
      'aliases of aliases',
      many((i) => `a${i}: &a${i} [${i === 0 ? '' : `*a${i - 1}`}]`),
      /aliases/,
    ],
    [
      'laughs',
      `a0: &a0 [x]\n${Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`).join('\n')}`,
      /through too many aliases/,
    ],
    ['merges', `a: &a {x: 1}\n${many((i) => `b${i}: {<<: *a}`)}`, /aliases/],
    ['anchors', many((i) => `a${i}: &a${i} 1`), undefined],
    ['keys', many((i) => `k${i.toString(36)}:`), undefined],
    ['keys in braces', `{${many((i) => `k${i.toString(36)}`, ',')}}`, undefined],
    ['keys that are nothing', '?\n'.repeat(kib64 / 2), /given twice/],
    ['a list', '- \n'.repeat(kib64 / 3), undefined],
    ['brackets', '['.repeat(kib64), /nested too deep/],
    ['quotes', "'' ".repeat(kib64 / 3), /not belong|missing|not valid|put it in quotes/],
    ['one byte too many', 'a'.repeat(kib64 + 1), /larger than 64 KiB/],
  ])('is soon done with %s', (_, text, message) => {
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(kib64 + 1);
    const before = process.cpuUsage();
    for (const version of ['1.1', '1.2'] as const) {
      const read = readYaml(text, 'f', version);
      if (message === undefined) expect(read.ok).toBe(true);
      else expect(read.ok ? undefined : read.problems[0]?.message).toMatch(message);
    }
    // Of this process alone: several times what it takes on a slow machine, a fraction of the quadratic ways.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(20_000);
  });

  it('takes as many aliases as anybody writes', () => {
    const text = `a: &a {x: 1}\nb: [${Array.from({ length: 100 }, () => '*a').join(', ')}]\n`;
    expect(readYaml(text, 'f').ok).toBe(true);
  });

  it('does not count stars that are no aliases', () => {
    const text = `${Array.from({ length: 200 }, (_, i) => `a${i}: "*"`).join('\n')}\nb: |\n${'  *x\n'.repeat(200)}`;
    expect(readYaml(text, 'f').ok).toBe(true);
  });

  it('finds the second of two keys', () => {
    const read = readYaml('a:\n  b: 1\n  c: 2\n  b: 3\n', 'f');
    expect(read.ok ? [] : read.problems).toMatchObject([
      { line: 4, column: 3, message: 'this key is given twice.' },
    ]);
  });
});
