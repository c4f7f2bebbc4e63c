/** The import rule catches what it is there to catch. */
import { describe, expect, it } from '@jest/globals';
import { breachOf, importsOf } from '../../scripts/check-imports.ts';

describe('breachOf', () => {
  const cases: [file: string, imported: string, isBreach: boolean][] = [
    ['shared/plan/plan-run.ts', '../catalogue/estimate.ts', false],
    ['shared/plan/plan-run.ts', '../errors.ts', false],
    ['shared/plan/plan-run.ts', '../launch/take-step.ts', true],
    ['shared/plan/plan-run.ts', '../google/jobs.ts', true],
    ['shared/plan/plan-run.ts', '../ports.ts', true],
    ['shared/plan/plan-run.ts', 'node:fs', true],
    ['shared/plan/run-id.ts', 'node:crypto', false],
    ['shared/report/card.ts', '../watch/run.ts', false],
    ['shared/report/card.ts', '../watch/next-step.ts', true],
    ['shared/launch/take-step.ts', '../google/jobs.ts', true],
    ['shared/launch/take-step.ts', '../ports.ts', false],
    ['shared/google/jobs.ts', '../ports.ts', false],
    ['shared/google/jobs.ts', '../../app/index.ts', true],
    ['app/worker.ts', '../shared/flow.ts', false],
    ['app/worker.ts', '../action/main.ts', true],
    ['sandbox/start.ts', '../app/index.ts', true],
  ];
  it.each(cases)('%s imports %s: breach %s', (file, imported, isBreach) => {
    expect(breachOf(file, imported) !== undefined).toBe(isBreach);
  });
});

describe('importsOf', () => {
  it('finds static, side-effect, type, re-exporting and dynamic imports', () => {
    const source = `
import a from './a.ts';
import type { B,
  C } from './b.ts';
import './c.ts';
export { d } from './d.ts';
const e = await import('./e.ts');
`;
    expect(importsOf(source)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts']);
  });
});
