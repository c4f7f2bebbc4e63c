import { describe, expect, it } from '@jest/globals';
import { expandPairs, expandWords, ExpansionError } from '../../../sandbox/executor/expand.ts';

const variables = new Map([
  ['A', 'one'],
  ['EMPTY', ''],
  ['SPACED', 'x y'],
]);

describe('expandWords', () => {
  it.each([
    ['$A ${A}/b', ['one', 'one/b']],
    ['${NONE:-d} ${A:-d} ${EMPTY:-d}', ['d', 'one', 'd']],
    ['${A:+set}${NONE:+set}', ['set']],
    ['${NONE:-$A}', ['one']],
    ['\'$A\' "$A b"', ['$A', 'one b']],
    ['\\$A a\\ b', ['$A', 'a b']],
    ['$SPACED', ['x y']],
    ['$', ['$']],
    ['""', ['']],
    ['', []],
  ])('%s', (text, expected) => {
    expect(expandWords(text, variables)).toEqual(expected);
  });

  it.each(['"open', "'open", '${A', '${A:?x}', '${}', '${A!}'])('refuses %s', (text) => {
    expect(() => expandWords(text, variables)).toThrow(ExpansionError);
  });

  it('does not let variables grow without end', () => {
    const large = new Map([['A', 'x'.repeat(600_000)]]);
    expect(() => expandWords('$A$A', large)).toThrow(ExpansionError);
  });
});

describe('expandPairs', () => {
  it.each([
    [
      'A=1 B="x y"',
      [
        ['A', '1'],
        ['B', 'x y'],
      ],
    ],
    ['NAME old form $A', [['NAME', 'old form one']]],
    ['URL=a=b', [['URL', 'a=b']]],
  ])('%s', (text, expected) => {
    expect(expandPairs(text, variables)).toEqual(expected);
  });

  it('refuses a word without =', () => {
    expect(() => expandPairs('A=1 B', variables)).toThrow("can't find = in");
  });
});
