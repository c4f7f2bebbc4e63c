/** The export rule catches what it is there to catch. */
import { describe, expect, it } from '@jest/globals';
import { unusedExports } from '../../scripts/check-exports.ts';

describe('unusedExports', () => {
  const importer = "import { a } from '../shared/a.ts';";
  const nobody = ['shared/a.ts:1: nobody imports a'];
  it.each([
    ['what nobody imports', 'export const a = 1;', {}, nobody],
    ['a type that nobody imports', 'export type a = 1;', {}, nobody],
    ['what nobody imports, marked', '/** @internal */ export const a = 1;', {}, nobody],
    ['what is imported', 'export const a = 1;', { 'app/b.ts': importer }, []],
    [
      'what is imported as a whole',
      'export const a = 1;',
      { 'app/b.ts': "const all = await import('../shared/a.ts');" },
      [],
    ],
    [
      'what only a test imports',
      'export const a = 1;',
      { 'test/b.ts': importer },
      ['shared/a.ts:1: only tests import a: @internal'],
    ],
    [
      'what only a test imports, marked',
      '/** @internal */ export const a = 1;',
      { 'test/b.ts': importer },
      [],
    ],
    ['a type that a test names', 'export type a = 1;', { 'test/b.ts': importer }, []],
    [
      'a mark on what is imported',
      '/** @internal */ export const a = 1;',
      { 'app/b.ts': importer },
      ['shared/a.ts:1: a is no longer @internal'],
    ],
  ])('%s', (_, text, others: Readonly<Record<string, string>>, unused) => {
    const sources = new Map([['shared/a.ts', text], ...Object.entries(others)]);
    expect(unusedExports(sources)).toEqual(unused);
  });
});
