import { describe, expect, it } from '@jest/globals';
import { fc } from '../../properties.ts';
import { quoteToken } from '../../../shared/command/quote-token.ts';
import { splitWords } from '../../../shared/command/split-words.ts';
import { straighten } from '../../../shared/command/straighten.ts';

describe('splitWords', () => {
  it.each([
    ['', []],
    ['  a\tb ', ['a', 'b']],
    ['""', ['']],
    [`a"b c"d`, ['ab cd']],
    [`'a\\b'`, ['a\\b']],
    [`"a\\"b\\c"`, ['a"b\\c']],
    ['a\\ b', ['a b']],
    ['$X $(y) | > & ; # *', ['$X', '$(y)', '|', '>', '&', ';', '#', '*']],
  ])('splits %j as a shell would, and expands nothing', (line, words) => {
    expect(splitWords(line)).toEqual({ ok: true, words });
  });

  it.each([
    ['"a', 'unclosed_quote'],
    ["'a", 'unclosed_quote'],
    ['a\\', 'trailing_backslash'],
  ])('refuses %j', (line, problem) => {
    expect(splitWords(line)).toEqual({ ok: false, problem });
  });

  it('gives back any words that were quoted', () => {
    const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(splitWords(words.map(quote).join(' '))).toEqual({ ok: true, words });
      }),
    );
  });
});

describe('straighten', () => {
  it.each([
    ['— x', '-- x'],
    ['–lr', '--lr'],
    ['a—b', 'a—b'],
    ['“a”', '"a"'],
    ['‘a’', "'a'"],
    ['"it’s" —', '"it’s" --'],
    [`'“' “`, `'“' "`],
  ])('makes %s into %s', (typed, plain) => {
    expect(straighten(typed)).toBe(plain);
  });
});

describe('quoteToken', () => {
  it.each([
    ['', '(nothing)'],
    ['a`b', "`a'b`"],
    ['a\nb', '`a b`'],
    ['\u202eevil', '`?evil`'],
    ['x'.repeat(100), `\`${'x'.repeat(59)}…\``],
  ])('quotes %j as %s', (token, quoted) => {
    expect(quoteToken(token)).toBe(quoted);
  });
});
