/** Patterns as RE2 reads them: what they find, what is refused in which words, and that they are never slow. */
import { expect, it } from '@jest/globals';
import { fc, runs } from '../../properties.ts';
import { compileRe2 } from '../../../sandbox/google/builds/re2.ts';

/** @see https://github.com/google/re2/wiki/Syntax */
it.each<[pattern: string, found: readonly string[], notFound: readonly string[]]>([
  ['main', ['main', 'a-main-b'], ['Main', 'mai']],
  ['^main$', ['main'], ['main2', 'my-main', '']],
  ['', ['', 'x'], []],
  ['.*', ['', 'any/thing'], []],
  ['^(main|release/.+)$', ['main', 'release/1'], ['release/', 'x']],
  ['^a|b$', ['ax', 'xb'], ['xa', 'bx']],
  ['^v\\d+\\.\\d+(?:\\.\\d+)?$', ['v1.2', 'v10.20.30'], ['v1', 'v1.2.', 'v1.2.3.4']],
  ['^[a-c]+$', ['abc'], ['abd', '']],
  ['^[^/]+$', ['abc'], ['a/b']],
  ['^[]a]+$', [']a'], ['b']],
  ['^[^]a]$', ['b'], [']', 'a']],
  ['^[a\\-z]+$', ['a-z'], ['b']],
  ['^[a-]+$', ['a-'], ['b']],
  ['^[[:alpha:]_]+$', ['Ab_'], ['a1']],
  ['^[[:^digit:]]+$', ['ab'], ['a1']],
  ['^[[:punct:]]+$', ['!-/{}~[]'], ['a']],
  ['^\\w+$', ['a_1'], ['a-1', 'ä']],
  ['^\\W$', ['ä', '-'], ['a']],
  ['^[\\D]+$', ['ab'], ['1']],
  ['^\\s$', [' ', '\t'], ['\u00a0', '\v']],
  ['^\\pL+$', ['äß'], ['1']],
  ['^\\p{Greek}$', ['λ'], ['l']],
  ['^\\p{^Greek}$', ['l'], ['λ']],
  ['^\\PN$', ['a'], ['1']],
  ['^a{2,3}$', ['aa', 'aaa'], ['a', 'aaaa']],
  ['^a{2}$', ['aa'], ['a', 'aaa']],
  ['^a{2,}$', ['aa', 'aaaaa'], ['a']],
  ['^a{,2}$', ['a{,2}'], ['aa']],
  ['^a{x$', ['a{x'], ['a']],
  ['^a+?b*?$', ['ab', 'a'], ['b']],
  ['^(?:ab)*$', ['', 'abab'], ['aba']],
  ['^(a*)*$', ['', 'aaa'], ['b']],
  ['^(|a)+$', ['', 'aa'], ['b']],
  ['(?i)^MAIN$', ['main', 'MaIn'], ['mains']],
  ['(?i:a)b', ['Ab', 'ab'], ['aB']],
  ['(?i)a(?-i)b', ['Ab'], ['AB']],
  ['^(?P<name>a)(?<other>b)$', ['ab'], ['a']],
  ['^\\Qa.b|\\E.$', ['a.b|x'], ['aXb|x']],
  ['^\\x41\\x{1F600}\\101$', ['A😀A'], ['A']],
  ['^.$', ['😀', 'a'], ['ab', '\n']],
  ['(?s)^.$', ['\n'], ['']],
  ['^b$', ['b'], ['a\nb']],
  ['(?m)^b$', ['a\nb\nc'], ['ab']],
  ['\\Aa\\z', ['a'], ['ba', 'ab']],
  ['\\bmain\\b', ['a-main', 'main'], ['domain']],
  ['\\Bmain', ['domain'], ['a-main']],
  ['a\\/b\\.c\\-d', ['a/b.c-d'], ['a/bxc-d']],
])('%s', (pattern, found, notFound) => {
  const finds = compileRe2(pattern);
  expect([...found, ...notFound].filter((text) => finds(text))).toEqual(found);
});

/** In the words of @see https://pkg.go.dev/regexp/syntax#ErrorCode */
it.each([
  ['(', 'missing closing ): `(`'],
  ['a(b', 'missing closing ): `(b`'],
  [')', 'unexpected ): `)`'],
  ['a)', 'unexpected ): `a)`'],
  ['[a', 'missing closing ]: `[a`'],
  ['[]', 'missing closing ]: `[]`'],
  ['[z-a]', 'invalid character class range: `z-a`'],
  ['[[:foo:]]', 'invalid character class range: `[:foo:]`'],
  ['\\p{Nope}', 'invalid character class range: `\\p{Nope}`'],
  ['*', 'missing argument to repetition operator: `*`'],
  ['(+)', 'missing argument to repetition operator: `+`'],
  ['a**', 'invalid nested repetition operator: `**`'],
  ['a{2}{3}', 'invalid nested repetition operator: `{2}{3}`'],
  ['a{3,2}', 'invalid repeat count: `{3,2}`'],
  ['a{1001}', 'invalid repeat count: `{1001}`'],
  ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['(?!a)', 'invalid or unsupported Perl syntax: `(?!`'],
  ['(?<=a)', 'invalid or unsupported Perl syntax: `(?<=`'],
  ['(?<!a)', 'invalid or unsupported Perl syntax: `(?<!`'],
  ['(?>a)', 'invalid or unsupported Perl syntax: `(?>`'],
  ['(?P<n>a)(?P<n>b)', 'duplicate capture group name: `n`'],
  ['(a)\\1', 'invalid escape sequence: `\\1`'],
  ['\\k', 'invalid escape sequence: `\\k`'],
  ['\\Z', 'invalid escape sequence: `\\Z`'],
  ['a\\', 'trailing backslash at end of expression: ``'],
  ['((a{100}){100}){100}', 'expression too large: `((a{100}){100}){100}`'],
  [`${'('.repeat(300)}${')'.repeat(300)}`, 'expression nests too deeply'],
])('refuses %s', (pattern, problem) => {
  expect(() => compileRe2(pattern)).toThrow(`error parsing regexp: ${problem}`);
});

it('agrees with JavaScript on what both know', () => {
  const atom = fc.constantFrom(
    'a',
    'b',
    '.',
    '[ab]',
    '[^a]',
    '\\w',
    '(a|b)',
    '(?:ab|a)',
    '\\b',
    '',
  );
  const repeat = fc.constantFrom('', '*', '+', '?', '{2}', '{0,2}', '*?');
  const piece = fc
    .tuple(atom, repeat)
    .map(([one, many]) => (one === '' || one === '\\b' ? one : one + many));
  const pattern = fc
    .tuple(fc.constantFrom('', '^'), fc.array(piece, { maxLength: 5 }), fc.constantFrom('', '$'))
    .map(([start, pieces, end]) => start + pieces.join('') + end);
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, text, (expression, name) => {
      expect(compileRe2(expression)(name)).toBe(new RegExp(expression, 'u').test(name));
    }),
    { numRuns: runs(2_000) },
  );
});

it('never takes long, whatever the pattern', () => {
  const name = `${'a'.repeat(250)}!`;
  const start = process.cpuUsage();
  for (const pattern of [
    '^(a+)+$',
    '^(a|a)*$',
    '^(a|aa)+$',
    '(.*)(.*)(.*)(.*)(.*)b',
    '(a?){100}a{100}b',
  ]) {
    expect(compileRe2(pattern)(name)).toBe(false);
  }
  expect(process.cpuUsage(start).user / 1_000).toBeLessThan(20_000);
});
