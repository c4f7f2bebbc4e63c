/** What the checks of imports and exports see of a source file. */
import { describe, expect, it } from '@jest/globals';
import { readModule } from '../../scripts/read-module.ts';

describe('readModule', () => {
  it('finds static, side-effect, type, re-exporting and dynamic imports', () => {
    const source = `
import a, { z as y } from './a.ts';
import type { B,
  C } from './b.ts';
import './c.ts';
export { d as e } from './d.ts';
export * from './e.ts';
const quote = /'/;
const f = \`\${quote.source} import('./text.ts')\` + (await import('./f.ts')).f;
type G = import('./g.ts').G;
import * as h from './h.ts';
`;
    expect(readModule(source).imports).toEqual([
      { from: './a.ts', names: ['default', 'z'] },
      { from: './b.ts', names: ['B', 'C'] },
      { from: './c.ts', names: [] },
      { from: './d.ts', names: ['d'] },
      { from: './e.ts', names: ['*'] },
      { from: './f.ts', names: ['*'] },
      { from: './g.ts', names: ['*'] },
      { from: './h.ts', names: ['*'] },
    ]);
  });

  const seen = { line: 1, isType: false, isInternal: false };
  it.each([
    ['export function a(): void {}', [{ ...seen, name: 'a' }]],
    ['export class A {}', [{ ...seen, name: 'A' }]],
    [
      'export const a = 1, b = 2;',
      [
        { ...seen, name: 'a' },
        { ...seen, name: 'b' },
      ],
    ],
    ['export default 1;', [{ ...seen, name: 'default' }]],
    ['export default function () {}', [{ ...seen, name: 'default' }]],
    ["export { a as b } from './a.ts';", [{ ...seen, name: 'b' }]],
    ['export interface A {}', [{ ...seen, name: 'A', isType: true }]],
    ['\nexport type A = 1;', [{ ...seen, name: 'A', isType: true, line: 2 }]],
    ["export type { A } from './a.ts';", [{ ...seen, name: 'A', isType: true }]],
    [
      '/** Why. @internal */\nexport const a = 1;',
      [{ ...seen, name: 'a', isInternal: true, line: 2 }],
    ],
    ['const a = 1;', []],
  ])('%j exports', (source, exports) => {
    expect(readModule(source).exports).toEqual(exports);
  });
});
