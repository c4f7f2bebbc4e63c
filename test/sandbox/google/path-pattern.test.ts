/** A trigger's globs of files. @see https://pkg.go.dev/path/filepath#Match (and `**`) */
import { expect, it } from '@jest/globals';
import { compilePathPattern } from '../../../sandbox/google/builds/path-pattern.ts';

it.each<[pattern: string, matched: readonly string[], not: readonly string[]]>([
  ['Dockerfile', ['Dockerfile'], ['a/Dockerfile', 'Dockerfile.dev']],
  ['*.py', ['train.py'], ['src/train.py', 'train.pyc']],
  ['src/*', ['src/a'], ['src/a/b', 'src']],
  ['src/**', ['src/a', 'src/a/b/c'], ['other/src/a', 'srcs/a']],
  ['**', ['a', 'a/b'], []],
  ['**/*.md', ['a.md', 'docs/a.md', 'docs/deep/a.md'], ['a.mdx']],
  ['**/test/**', ['test/a', 'a/test/b/c'], ['tests/a', 'a/b']],
  ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['a/x', 'b']],
  ['a**', ['abc'], ['a/b']],
  ['[a-c]?.txt', ['bx.txt'], ['dx.txt', 'b.txt']],
  ['\\*', ['*'], ['a']],
])('%s', (pattern, matched, not) => {
  const matches = compilePathPattern(pattern);
  expect([...matched, ...not].filter((path) => matches(path))).toEqual(matched);
});

it('refuses what Go refuses', () => {
  expect(() => compilePathPattern('src/[a')).toThrow('syntax error in pattern');
});

it('never takes long, whatever the pattern', () => {
  const matches = compilePathPattern(`${'**/'.repeat(100)}b`);
  const start = process.cpuUsage();
  expect(matches('a/'.repeat(2_000))).toBe(false);
  expect(process.cpuUsage(start).user / 1_000).toBeLessThan(20_000);
});
