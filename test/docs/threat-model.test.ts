/** docs/threat-model.md: every threat has a row, and every cure that it names a file and a test that are there. */
import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { toString } from 'mdast-util-to-string';
import type { Nodes } from 'mdast';
import ts from 'typescript';
import { rowsOf } from './tables.ts';

const root = join(import.meta.dirname, '../..');
const rows = rowsOf(readFileSync(join(root, 'docs/threat-model.md'), 'utf8'), 'no.').map(
  ([number = '', threat = '', cure = '', tests = '', left = '']) => ({
    ...{ number, threat, cure, left },
    tests: linksIn(fromMarkdown(tests)),
  }),
);

interface NamedTest {
  /** From the repository's root. */
  readonly file: string;
  /** Of a `describe`, of the test, and of the row of its table. */
  readonly path: readonly string[];
}

function linksIn(node: Nodes): NamedTest[] {
  const file = node.type === 'link' && /^\.\.\/(test\/.+\.test\.ts)$/.exec(node.url)?.[1];
  const own = file ? [{ file, path: toString(node).split(' › ') }] : [];
  return 'children' in node ? [...own, ...node.children.flatMap((child) => linksIn(child))] : own;
}

/** What a test file says: the titles of its tests and groups, and all its texts, of rows too. */
function textsOf(file: string): { titles: Set<string>; texts: Set<string> } {
  const titles = new Set<string>();
  const texts = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) texts.add(node.text);
    if (ts.isCallExpression(node) && isTest(node.expression)) {
      const [title] = node.arguments;
      if (title !== undefined && ts.isStringLiteralLike(title)) titles.add(title.text);
    }
    ts.forEachChild(node, visit);
  };
  const text = readFileSync(join(root, file), 'utf8');
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return { titles, texts };
}

/** `it`, `it.each(table)`, `describe` …, and nothing that is skipped. */
function isTest(callee: ts.Expression): boolean {
  if (ts.isIdentifier(callee)) return ['it', 'describe'].includes(callee.text);
  if (ts.isCallExpression(callee)) return isTest(callee.expression);
  return (
    ts.isPropertyAccessExpression(callee) &&
    callee.name.text === 'each' &&
    isTest(callee.expression)
  );
}

describe('the threat model', () => {
  it('has every threat once, in order', () => {
    expect(rows.map(({ number }) => Number(number))).toEqual(rows.map((_, index) => index + 1));
    expect(rows).toHaveLength(26);
  });

  it.each(rows)('$number names tests, or says why there are none', ({ tests, cure, left }) => {
    expect(cure).not.toBe('');
    if (tests.length === 0) expect(left).toMatch(/No test/);
  });

  it.each(rows)('$number names files that there are', ({ cure }) => {
    const paths = [...cure.matchAll(/`([\w./-]+\/[\w./-]+)`/g)].map(([, path = '']) => path);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it.each(rows.flatMap(({ number, tests }) => tests.map((test) => ({ number, ...test }))))(
    '$number: $file has $path',
    ({ file, path }) => {
      const { titles, texts } = textsOf(file);
      expect(path.filter((part) => !texts.has(part))).toEqual([]);
      expect(path.some((part) => titles.has(part))).toBe(true);
    },
  );
});

it('nothing that is shipped grants a role', () => {
  const sources = ['app', 'action', 'shared', 'scripts', 'deploy'].flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(?:ts|mjs|cjs|yaml|yml)$/.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  expect(sources.length).toBeGreaterThan(200);
  const grants =
    /setIamPolicy|\biam\.(?:setPolicy|policy)|serviceAccounts\.keys|createServiceAccountKey/i;
  const found = sources.filter((path) => grants.test(readFileSync(path, 'utf8')));
  expect(found).toEqual([]);
});
