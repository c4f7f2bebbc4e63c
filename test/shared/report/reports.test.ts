import { describe, expect, it } from '@jest/globals';
import { fc } from '../../properties.ts';
import { commandRegistry } from '../../../shared/command/command-registry.ts';
import { endReasons } from '../../../shared/errors.ts';
import { fit } from '../../../shared/report/fit.ts';
import { headlineMetric } from '../../../shared/report/headline-metric.ts';
import { renderHelp } from '../../../shared/report/help.ts';
import { codeSpan, escapeText, fence, sentence } from '../../../shared/report/markdown.ts';
import type { Plan } from '../../../shared/plan/plan.ts';
import { renderPlan } from '../../../shared/report/plan.ts';
import { renderLogs } from '../../../shared/report/logs.ts';
import { renderStatus } from '../../../shared/report/status.ts';
import { renderProblem, renderRefusal } from '../../../shared/report/refusal.ts';
import { renderCheck } from '../../../shared/report/render-check.ts';
import { formatMetric } from '../../../shared/report/words.ts';
import type { Run } from '../../../shared/watch/run.ts';
import { plan } from '../world.ts';
import {
  building,
  compared,
  context,
  created,
  ended,
  hostileRun,
  queued,
  running,
  succeeded,
} from './runs.ts';

describe('renderCheck', () => {
  it.each([
    ['created', created, 'queued', undefined, 'Building the image'],
    ['building', building, 'in_progress', undefined, 'Building the image'],
    ['queued', queued, 'in_progress', undefined, 'Waiting for a machine'],
    ['running', running, 'in_progress', undefined, 'Running: epoch 7/20'],
    ['succeeded', succeeded, 'completed', 'success', 'val_accuracy 0.961'],
    ['compared', compared, 'completed', 'success', 'val_accuracy 0.961 (+0.004)'],
    [
      'failed',
      ended({ outcome: 'failed', reason: 'out_of_memory' }),
      'completed',
      'failure',
      'Failed: out of memory',
    ],
    ['cancelled', ended({ outcome: 'cancelled' }), 'completed', 'cancelled', 'Cancelled'],
  ])('%s', (_name, run, status, conclusion, title) => {
    const check = renderCheck(run, context);
    expect(check).toMatchObject({ status, title });
    expect(check.conclusion).toBe(conclusion);
    expect(check.summary).not.toContain('<!--');
  });

  it('offers what can be done about the run, and of a push only to stop it', () => {
    const ofPull = { ...context, takesCommands: true };
    const onPush = (run: Run): Run => {
      const { pullNumber: _, ...subject } = run.plan.subject;
      return { ...run, plan: { ...run.plan, subject } };
    };
    const buttons = (run: Run): readonly string[] =>
      renderCheck(run, ofPull).actions?.map(({ identifier }) => identifier) ?? [];
    const cancelling = { ...running, cancel: { at: '2026-01-02T03:03:00Z', by: 'wes' } };
    expect([running, cancelling, succeeded].map(buttons)).toEqual([
      ['cancel', 'logs'],
      ['logs'],
      ['retry', 'logs'],
    ]);
    expect([running, cancelling, succeeded].map(onPush).map(buttons)).toEqual([['cancel'], [], []]);
    expect(renderCheck(running, ofPull).summary).toContain('/cancel');
    expect(renderCheck(onPush(running), ofPull).summary).not.toContain('/cancel');
  });

  it('has words for every reason', () => {
    for (const reason of endReasons) {
      const { title } = renderCheck(ended({ outcome: 'failed', reason }), context);
      expect(title).not.toMatch(/_|undefined/);
    }
  });

  it.each(['x', 'é', '…', '🎉'])("stays within GitHub's lengths with %s", (letter) => {
    const run = {
      ...hostileRun(letter.repeat(90_000)),
      end: { outcome: 'succeeded', at: created.createdAt },
    } as const;
    const { title, summary } = renderCheck(run, context);
    expect(Array.from(title).length).toBeLessThanOrEqual(255);
    expect(Buffer.byteLength(summary)).toBeLessThanOrEqual(60_000);
  });
});

it.each([
  ['x', 60_001],
  ['é', 30_001],
  ['🎉', 15_001],
])('a report is as long as its bytes: %s %i times is left out', (letter, times) => {
  const text = fit([{ text: 'first' }, { text: letter.repeat(times), leaveOut: 1 }]);
  expect(text).toBe('first\n\nSome parts are left out: the report was too long.');
});

describe('renderPlan', () => {
  it('says what would be done and keeps values of the environment to itself', () => {
    const spec = {
      workerPoolSpecs: [
        {
          containerSpec: {
            imageUri: '$IMAGE',
            args: ['--lr', '0.1'],
            env: [{ name: 'API_KEY', value: 'canary' }],
          },
        },
      ],
    };
    const text = renderPlan({ ...plan, job: { ...plan.job, spec } }, { sandbox: true });
    expect(text.split('\n')[0]).toBe(
      '**Dry run** of `aaaaaaa` on 1 × T4 (n1-standard-8, us-central1) · at most est. $0.73 (est. $0.73/h). Nothing was started.',
    );
    expect(text).toContain('2. run it with `--lr 0.1` for at most 1h');
    expect(text).toContain('"API_KEY"');
    expect(text).not.toContain('canary');
    expect(text).toContain('sandbox: the T4 is simulated');
  });

  it.each<[name: string, change: Partial<Plan>, cost: string]>([
    [
      'a build and a job',
      { estimate: { ...plan.estimate, buildUsdPerHour: 1.8, ceilingUsd: 1.03 } },
      'at most est. $1.03: job $0.73 (est. $0.73/h), build $0.30',
    ],
    [
      'an image',
      {
        job: { ...plan.job, machine: { machineType: '', replicas: 0 } },
        estimate: { ...plan.estimate, usdPerHour: 0, buildUsdPerHour: 0.36, ceilingUsd: 0.3 },
      },
      'at most est. $0.30',
    ],
    [
      'a machine without a price',
      { estimate: { ...plan.estimate, usdPerHour: 0, ceilingUsd: 0, isIncomplete: true } },
      'its price is not known',
    ],
  ])('says in its first line what %s can cost', (_name, change, cost) => {
    const [first] = renderPlan({ ...plan, ...change }, { sandbox: false }).split('\n');
    expect(first).toMatch(/^\*\*Dry run\*\* of /);
    expect(first).toContain(` · ${cost}. Nothing was started.`);
  });
});

describe('refusals and problems', () => {
  it('say what is wrong and what to do', () => {
    const refusal = {
      kind: 'rejected',
      reason: 'unknown_gpu',
      message: '`gpu=T5` is not a GPU we know.',
      fix: 'Did you mean `gpu=T4`?',
    } as const;
    expect(renderRefusal(refusal, { command: '/train gpu=T5' })).toBe(
      '**Not started** `/train gpu=T5`: `gpu=T5` is not a GPU we know.\n\nDid you mean `gpu=T4`?\n',
    );
    const problem = {
      reason: 'bad_argument',
      token: 'x',
      message: '`@olivia` is no key.',
      example: '/train gpu=T4',
    } as const;
    const text = '/train x';
    expect(renderProblem(problem, { of: 'train', text })).toBe(
      '**Not started** `/train x`: `@\u200bolivia` is no key.\n\nWrite: `/train gpu=T4`\n',
    );
    expect(renderProblem(problem, { of: 'cancel', text })).toMatch(/^\*\*Not done\*\* `/);
    expect(renderProblem(problem, { of: 'help', text })).toMatch(/^\*\*No help\*\* `/);
  });
});

describe('renderHelp', () => {
  it('lists every command and every key', () => {
    const help = renderHelp(commandRegistry);
    for (const { usage, keys } of commandRegistry) {
      expect(help).toContain(usage.replaceAll('|', '\\|'));
      for (const { name, example } of keys) {
        expect(help).toContain(`| \`${name}\` |`);
        expect(help).toContain(example.replace(/[\da-f]{64}/, '…'));
      }
    }
  });

  it.each([
    ['train', /^`\/train/],
    ['/TRAIN', /^`\/train/],
    ['trian', /Did you mean `\/train`\?/],
    ['@olivia `x`', /^There is no command `` @\u200bolivia `x` ``\./],
  ])('for %s', (topic, expected) => {
    expect(renderHelp(commandRegistry, topic)).toMatch(expected);
  });
});

describe('renderStatus', () => {
  it('says of each run what one wants to know of it, in few words', () => {
    const { pullNumber: _, ...subject } = plan.subject;
    const failed = ended({ outcome: 'failed', reason: 'out_of_memory' });
    const begun = { ...created, plan: { ...plan, subject } };
    const rows = renderStatus([running, succeeded, failed, begun], context.now).split('\n');
    expect(rows).toEqual([
      '2 running: `/cancel RUN` stops one.',
      '',
      '| run | commit | state | asked | cost |',
      '| --- | --- | --- | --- | --- |',
      '| `k7q2m4xa` | `aaaaaaa` | running on `T4`, epoch 7/20 | 4m ago | est. $0.03 |',
      '| `k7q2m4xa` | `aaaaaaa` | val_accuracy **0.961** on `T4` | 4m ago | est. $0.05 |',
      '| `k7q2m4xa` | `aaaaaaa` | failed on `T4`, out of memory | 4m ago | est. $0.05 |',
      '| `k7q2m4xa` | `aaaaaaa` | building on `T4` | 4m ago | — |',
      '',
    ]);
  });
});

describe('renderLogs', () => {
  const lines = ['a', 'b'];
  it.each([
    ['the last ones', running, { lines }, 50, 'the last 2 lines', 'The last 2 lines'],
    ['all', succeeded, { lines, isWhole: true }, 50, 'all 2 lines', 'All 2 lines'],
    ['all yet', running, { lines, isWhole: true }, 50, 'all 2 lines so far', 'All 2 lines so far'],
    ['one', succeeded, { lines: ['a'], isWhole: true }, 50, 'its only line', 'Its only line'],
    ['too many', succeeded, { lines }, 9_999, 'the last 2 lines', 'The last 2 lines'],
  ] as const)('says how many lines it shows: %s', (_name, run, log, asked, count, summary) => {
    const text = renderLogs(run, { of: 'job', ...log }, context.now, asked);
    expect(text.split('\n')[0]).toContain(`: ${count} · 2026-01-02`);
    expect(text).toContain(`<summary>${summary}</summary>`);
    expect(text.includes('`lines=` goes to 200.')).toBe(asked > 200);
  });
});

describe('the pieces', () => {
  it.each([
    [0.9665738, '0.9666'],
    [20, '20'],
    [0, '0'],
    [-0.00001234, '-1.234e-5'],
    [12_345_678.9, '1.235e+7'],
    [1437, '1437'],
  ])('prints %d as %s', (value, text) => {
    expect(formatMetric(value)).toBe(text);
  });

  it.each([
    [{ loss: 1, val_accuracy: 2, accuracy: 3 }, undefined, 'val_accuracy'],
    [{ loss: 1, 'val/loss': 2 }, undefined, 'val/loss'],
    [{ train_seconds: 1, loss: 2 }, undefined, 'loss'],
    [{ loss: 1, accuracy: 2 }, 'loss', 'loss'],
    [{ loss: 1 }, 'toString', 'loss'],
    [{}, 'loss', undefined],
  ])('chooses the headline of %j', (values, wanted, expected) => {
    expect(headlineMetric(values as Record<string, number>, wanted)).toBe(expected);
  });

  it('leaves out the least important part first', () => {
    const parts = [
      { text: 'first' },
      { text: 'x'.repeat(50), leaveOut: 1 },
      { text: 'y'.repeat(50), leaveOut: 2 },
    ];
    expect(fit(parts, 200)).toContain('yyy');
    expect(fit(parts, 115)).toMatch(/^first\n\nx{50}\n\nSome parts are left out/);
  });

  it('never closes a fence or a code span', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('`', '~', '\n', '\r', 'a', ' ') }), {
          minLength: 1,
        }),
        (lines) => {
          const [open = '', ...rest] = fence(lines).split('\n');
          const ticks = open.replace('text', '');
          const inner = rest.slice(0, -1);
          expect(rest.at(-1)).toBe(ticks);
          expect(inner.every((line) => line.startsWith('│') && !line.includes(ticks))).toBe(true);
          expect(codeSpan(lines.join(''))).not.toContain('\n');
        },
      ),
    );
  });

  it('understands what it has escaped', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('\\', '*', '[', '@', 'a', '#1', '`', '<', '-', ' ') }),
        (text) => {
          fc.pre(!text.includes('\\') && !text.includes('`'));
          expect(sentence(escapeText(text))).toBe(escapeText(text));
        },
      ),
    );
  });
});
