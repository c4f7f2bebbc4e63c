/** The import rule catches what it is there to catch. */
import { describe, expect, it } from '@jest/globals';
import { breachOf } from '../../scripts/check-imports.ts';

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
    ['sandbox/google/jobs/validate-job.ts', '../../../shared/catalogue/machines.ts', false],
    ['sandbox/data-lock.ts', '../shared/lock/directory-lock.ts', false],
    ['sandbox/google/server.ts', '../../shared/google/clients.ts', true],
    ['sandbox/google/server.ts', '../../shared/watch/run.ts', true],
    ['shared/lock/directory-lock.ts', '../errors.ts', true],
    ['shared/watch/next-step.ts', '../launch/take-step.ts', true],
    ['shared/catalogue/of-a-room-to-come.ts', '../unheard-of/room.ts', true],
  ];
  it.each(cases)('%s imports %s: breach %s', (file, imported, isBreach) => {
    expect(breachOf(file, imported) !== undefined).toBe(isBreach);
  });
});
