/** The answers of /compare and /cost, and what a failed card says to type next. */
import { describe, expect, it } from '@jest/globals';
import type { Plan } from '../../../shared/plan/plan.ts';
import { renderComparison } from '../../../shared/report/comparison.ts';
import { renderCostOverview } from '../../../shared/report/cost.ts';
import { renderCard } from '../../../shared/report/render-card.ts';
import { renderNextStep } from '../../../shared/report/retry-advice.ts';
import type { Run } from '../../../shared/watch/run.ts';
import { plan } from '../world.ts';
import { context, created, ended, running, succeeded } from './runs.ts';

function measured(values: Readonly<Record<string, number>>, change: Partial<Plan> = {}): Run {
  return { ...succeeded, plan: { ...plan, ...change }, metrics: { values, series: {} } };
}

describe('/compare', () => {
  const base = measured(
    { val_accuracy: 0.957, loss: 0.131, steps: 100, old: 1 },
    { runId: 'baseline', subject: { ...plan.subject, headSha: 'b'.repeat(40) } },
  );
  const run = measured({ val_accuracy: 0.961, loss: 0.118, steps: 100, fresh: 2 });

  it('puts the metric that matters first, and says which way is better', () => {
    const lines = renderComparison({ run, against: base, againstName: 'base' }).split('\n');
    expect(lines[0]).toBe('**Compared**: val_accuracy **0.961** (+0.004 better against base)');
    expect(lines.slice(2)).toEqual([
      '| metric | base `bbbbbbb` | `k7q2m4xa` `aaaaaaa` | change |',
      '| --- | --- | --- | --- |',
      '| val_accuracy | 0.957 | 0.961 | +0.004 better |',
      '| fresh |  | 2 |  |',
      '| loss | 0.131 | 0.118 | −9.92 % better |',
      '| old | 1 |  |  |',
      '| steps | 100 | 100 | same |',
      '',
    ]);
  });

  it.each([
    ['val_loss', 0, 1, '+1 worse'],
    ['rmse', 2, 1, '−50 % better'],
    ['seconds', 10, 20, '+100 %'],
    ['f1', 0.5, 0.25, '−0.25 worse'],
    ['accuracy', 50, 75, '+50 % better'],
    ['accuracy', 0.96661, 0.96938, '+0.0028 better'],
    // By their other digits they are 0.01666 apart, by those that are shown 0.0168.
    ['accuracy', 0.952648, 0.969358, '+0.0168 better'],
    ['accuracy', 0.96661, 0.9666101, '+1.000e-7 better'],
    ['accuracy', 0.00001, 0.9, '+0.9 better'],
  ])('%s from %d to %d is %s', (name, before, after, change) => {
    const [one, two] = [measured({ [name]: after }), measured({ [name]: before })];
    expect(renderComparison({ run: one, against: two, againstName: undefined })).toContain(
      `| ${change} |`,
    );
  });

  it.each<[Partial<Plan>, name: string, change: string]>([
    [{ metric: 'reward', goal: 'maximize' }, 'reward', '+50 % better'],
    [{ metric: 'reward', goal: 'minimize' }, 'reward', '+50 % worse'],
    [{ metric: 'val_loss', goal: 'maximize' }, 'val_loss', '+1 better'],
    [{ metric: 'reward', goal: 'minimize' }, 'f1', '+1 better'],
    [{ goal: 'minimize' }, 'seconds', '+50 % worse'],
    [{ metric: 'reward' }, 'reward', '+50 %'],
  ])('with %j %s changes by %s', (change, name, wanted) => {
    const isShare = wanted.startsWith('+1 ');
    const run = measured({ [name]: isShare ? 1 : 3 }, change);
    const against = measured({ [name]: isShare ? 0 : 2 });
    expect(renderComparison({ run, against, againstName: undefined })).toContain(`| ${wanted} |`);
  });

  it('folds what is much, and counts what is more', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`m${at}`, at]));
    const text = renderComparison({ run: measured(many), against: base, againstName: undefined });
    expect(text).toContain('88 more metrics');
    expect(text).toContain('and 204 more');
  });
});

describe('/cost', () => {
  const outside = { triggerBuildsUsd: 0, workflowsUsd: 0, bindingUsd: 0 };
  const month = { month: '2026-01', settledUsd: 1.5, reservedUsd: 0.73, maxUsd: 20, ...outside };

  it('says what was spent, what may come, and what the month has left', () => {
    const text = renderCostOverview([running, succeeded], month, context);
    expect(text).toMatch(/^\*\*est\. \$0\.08\*\* so far, at most est\. \$0\.78 in all, for 2 runs/);
    expect(text).toContain('| running | 2m 10s | est. $0.03 | est. $0.73 |');
    expect(text).toContain('| succeeded | 4m | est. $0.05 | est. $0.05 |');
    expect(text).toContain(
      "This repository in 2026-01 (UTC): est. $1.50, at most est. $2.23 with the runs that have not ended, of this month's $20.00.",
    );
  });

  it.each([
    [3.25, ''],
    [0.25, ', $3.00 of it not counted, since other repositories use its project'],
  ])('has lines for what the App did not begin, %d of it binding', (bindingUsd, note) => {
    const others = { triggerBuildsUsd: 0.25, workflowsUsd: 3, bindingUsd };
    const text = renderCostOverview([succeeded], { ...month, ...others }, context);
    expect(text).toContain(
      [
        `This repository in 2026-01 (UTC): est. $${(1.5 + bindingUsd).toFixed(2)}, at most est. $${(2.23 + bindingUsd).toFixed(2)} with the runs that have not ended, of this month's $20.00.`,
        '',
        '- runs: est. $1.50',
        '- builds of triggers: est. $0.25',
        `- jobs of workflows: est. $3.00${note}`,
      ].join('\n'),
    );
  });

  it('counts builds, of runs that only build too', () => {
    const machine = { machineType: '', replicas: 0 };
    const estimate = { ...plan.estimate, usdPerHour: 0, buildUsdPerHour: 3.6, ceilingUsd: 1.8 };
    const { plan: its, createdAt, end } = succeeded;
    const run: Run = {
      ...{ createdAt, plan: { ...its, job: { ...its.job, machine }, estimate } },
      ...(end && { end }),
      build: {
        intent: { at: createdAt },
        snapshot: {
          ...{ name: 'b', id: 'b', status: 'success', tags: [], images: [] },
          ...{ startTime: '2026-01-02T03:00:00Z', finishTime: '2026-01-02T03:05:00Z' },
        },
      },
    };
    const text = renderCostOverview([run], month, context);
    expect(text).toMatch(/^\*\*est\. \$0\.30\*\* for 1 run of this pull request/);
    expect(text).toContain('| est. $0.30 | est. $0.30 |');
  });

  it('says so where there is nothing, or no price', () => {
    const none = { ...month, reservedUsd: 0, maxUsd: undefined };
    expect(renderCostOverview([], none, context)).toMatch(/it has cost nothing/);
    const estimate = { ...plan.estimate, usdPerHour: 0 };
    const unknown = { ...succeeded, plan: { ...plan, estimate } };
    expect(renderCostOverview([unknown], none, context)).toContain('| not known |');
  });
});

it('a card says what was changed without being unfolded', () => {
  const note = 'The timeout was cut from 2h to 1h, so that the run costs at most $1.00.';
  const card = renderCard({ ...running, plan: { ...plan, notes: [note] } }, context);
  expect(card.slice(0, card.indexOf('<details>'))).toContain(`- ${note}`);
});

describe('what to do after a failure', () => {
  const command = { kind: 'train', dryRun: false } as const;
  const typed = { ...command, gpu: { kind: 'gpu', name: 'T4', count: 1 } } as const;
  function failed(reason: NonNullable<Run['end']>['reason'], change: Partial<Plan> = {}): Run {
    const end = { outcome: 'failed', ...(reason && { reason }), message: 'x', fix: 'Mend it.' };
    return ended({ ...end, outcome: 'failed' }, { plan: { ...plan, command, ...change } });
  }
  const spot = { workerPoolSpecs: [], scheduling: { strategy: 'SPOT' } };
  const memoryGb = [30, 52] as const;
  const larger = { machineType: 'n1-highmem-8', memoryGb };
  const more = { remedies: { larger: { ...larger, ceilingUsd: 0.834 } } };

  it.each<[NonNullable<Run['end']>['reason'], Partial<Plan>, string | RegExp]>([
    [
      'out_of_memory',
      more,
      'Try `/retry k7q2m4xa machine=n1-highmem-8` (52 GB instead of 30 GB, at most est. $0.83), or a smaller batch size.',
    ],
    ['out_of_memory', { remedies: { larger } }, /\(52 GB instead of 30 GB\), or/],
    ['out_of_memory', { remedies: {} }, /^Use a smaller batch size: there is no larger machine/],
    ['out_of_memory', {}, 'Mend it.'],
    [
      'timeout',
      { remedies: { longer: { timeoutSeconds: 7_200, ceilingUsd: 1.46 } } },
      'Try `/retry k7q2m4xa timeout=2h` (at most est. $1.46), or train for fewer steps.',
    ],
    [
      'timeout',
      { remedies: { longer: { timeoutSeconds: 7_200 } } },
      'Try `/retry k7q2m4xa timeout=2h`, or train for fewer steps.',
    ],
    ['timeout', { remedies: {} }, /^Train for fewer steps: it may not take longer/],
    ['timeout', {}, 'Mend it.'],
    [
      'user_code_exit',
      { command: typed },
      'Mend it. Then comment `/train gpu=T4` again: a push alone starts nothing.',
    ],
    ['build_failed', { command: { kind: 'build', dryRun: false } }, /^Mend it\. .*`\/build` again/],
    ['internal', {}, 'Mend it. Try `/retry k7q2m4xa`.'],
    ['preempted', {}, 'Mend it. Try `/retry k7q2m4xa`.'],
    ['preempted', { job: { ...plan.job, spec: spot } }, /`\/retry k7q2m4xa spot=false`/],
    ['permission_denied', {}, 'Mend it.'],
  ])('%s %#', (reason, change, expected) => {
    const text = renderNextStep(failed(reason, change), true);
    if (typeof expected === 'string') expect(text).toBe(expected);
    else expect(text).toMatch(expected);
  });

  it.each([
    ['a run that goes on', running],
    ['success', succeeded],
    ['a run that has not begun', created],
  ])('nothing for %s', (_what, run) => {
    expect(renderNextStep(run, true)).toBeUndefined();
  });

  it('is what the failure itself says where nobody can comment, and for a run of a workflow', () => {
    const { command: _, ...others } = failed('timeout').plan;
    const ofWorkflow = { ...failed('timeout'), plan: others };
    expect(renderNextStep(failed('timeout'), false)).toBe('Mend it.');
    expect(renderNextStep(ofWorkflow, true)).toBe('Mend it.');
  });

  it('is said once on a card', () => {
    const run = failed('out_of_memory', more);
    const card = renderCard(run, { ...context, takesCommands: true });
    expect(card.match(/machine=/g)).toHaveLength(1);
    expect(card).not.toContain('Mend it.');
    expect(renderCard(run, context)).not.toContain('/retry');
  });
});
