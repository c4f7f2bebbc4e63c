/** What a workflow can decide by: how a run stands against the default branch's, as outputs. */
import { describe, expect, it } from '@jest/globals';
import { outputsOf } from '../../action/outputs.ts';
import type { Plan } from '../../shared/plan/plan.ts';
import type { Run } from '../../shared/watch/run.ts';
import { plan } from '../shared/world.ts';

type Values = Readonly<Record<string, number>>;

function outputs(values: Values, base: Values | undefined, judgement: Partial<Plan> = {}) {
  const at = '2026-01-02T03:00:00.000Z';
  const run: Run = {
    createdAt: at,
    plan: { ...plan, ...judgement },
    metrics: { values, series: {} },
    end: { outcome: 'succeeded', at },
    ...(base === undefined
      ? {}
      : { baseline: { runId: 'basebase', headSha: 'b'.repeat(40), branch: 'main', values: base } }),
  };
  return outputsOf(run, 'succeeded', new Date(at));
}

describe('change', () => {
  it.each<[string, Values, Values | undefined, Partial<Plan>, string]>([
    ['higher is better', { val_accuracy: 0.9 }, { val_accuracy: 0.8 }, {}, 'better'],
    ['lower is better', { val_loss: 0.9 }, { val_loss: 0.8 }, {}, 'worse'],
    ['the same', { val_loss: 0.8 }, { val_loss: 0.8 }, {}, 'same'],
    [
      'the metric that counts',
      { val_accuracy: 0.9, fairness: 1 },
      { val_accuracy: 0.8, fairness: 2 },
      { metric: 'fairness', goal: 'maximize' },
      'worse',
    ],
    [
      'the goal that is named, against what its name tells',
      { loss: 2 },
      { loss: 1 },
      { metric: 'loss', goal: 'maximize' },
      'better',
    ],
    ['nobody knows which way', { fairness: 2 }, { fairness: 1 }, {}, ''],
    ['the base has not measured it', { val_accuracy: 0.9 }, { loss: 1 }, {}, ''],
    ['a name that every object has', { toString: 1 }, {}, { metric: 'toString' }, ''],
    ['nothing was measured', {}, { loss: 1 }, {}, ''],
    ['there is no base', { val_accuracy: 0.9 }, undefined, {}, ''],
  ])('%s', (_what, values, base, judgement, change) => {
    expect(outputs(values, base, judgement).change).toBe(change);
  });
});

describe('baseline', () => {
  it('names the run, its commit and what it measured', () => {
    expect(JSON.parse(outputs({ loss: 1 }, { loss: 2 }).baseline)).toEqual({
      ...{ run_id: 'basebase', sha: 'b'.repeat(40), branch: 'main' },
      metrics: { loss: 2 },
    });
  });

  it('is empty where there is none', () => {
    expect(outputs({ loss: 1 }, undefined).baseline).toBe('');
  });
});
