/** What Cloud Build takes as a pattern, and what says where a name begins and ends. */
import { describe, expect, it } from '@jest/globals';
import { problemOfPattern } from '../../../shared/triggers/ref-pattern.ts';

describe('taken', () => {
  it.each([
    '^main$',
    '^(main|release-[0-9]+)$',
    '^main$|^release$',
    String.raw`^v\d+\.\d+$`,
    String.raw`\Amain\z`,
    '.*',
    '^feature/.*',
    '.*-stable$',
    '(?i)^main$',
    '^(?P<name>a+)$',
    '^(?<name>a+)$',
    '^[[:alpha:]_]+$',
    '^[]a]$',
    String.raw`^\pL\p{Greek}$`,
    String.raw`^\Q(a+b\E$`,
    '^a{2,5}?$',
    String.raw`^\.\/$`,
  ])('%s', (pattern) => {
    expect(problemOfPattern(pattern, { anchored: true })).toBeUndefined();
  });
});

describe('refused for what RE2 does not know', () => {
  it.each([
    ['^(?=main)$', /look ahead or behind/],
    ['^(?!main).*$', /look ahead or behind/],
    ['^(?<=a)b$', /look ahead or behind/],
    ['^(?<!a)b$', /look ahead or behind/],
    [String.raw`^(a)\1$`, /refer back/],
    [String.raw`^(?<n>a)\k<n>$`, /refer back/],
    ['^(?P<n>a)(?P=n)$', /refer back/],
    ['^(?>a)$', /a kind that RE2/],
    ['^(?#x)a$', /a kind that RE2/],
    [String.raw`^a\Z`, /escape/],
    ['^a\\', /escape/],
    ['^a++$', /repeat a repetition/],
    ['^a**$', /repeat a repetition/],
    ['^*a$', undefined],
    ['(', /close each parenthesis/],
    ['a)', /open each parenthesis/],
    ['^[a$', /close each bracket/],
    ['^[z-a]$', /backwards/],
    ['^[[:nope:]]$', /class/],
    ['+a', /nothing to repeat/],
    ['(|*)', /nothing to repeat/],
    ['^a{1001}$', /1000/],
    ['^a{5,2}$', /lower number first/],
    ['', /empty/],
    [`^${'a'.repeat(300)}$`, /256/],
    ['^a\nb$', /printable/],
  ])('%s', (pattern, message) => {
    const problem = problemOfPattern(pattern, { anchored: false });
    if (message === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(message);
  });
});

describe('refused for where a name begins or ends, unless it may be anywhere', () => {
  it.each([
    ...['main', '^main', 'main$', 'v.*', '^main|release$', '^main$|', '^?main$', '^main$?'],
    ...[String.raw`^main\$`, '^[$]', 'a|.*', '^a.', '(?i)main'],
  ])('%s', (pattern) => {
    expect(problemOfPattern(pattern, { anchored: true })).toMatch(/begins and ends/);
    expect(problemOfPattern(pattern, { anchored: false })).toBeUndefined();
  });
});
