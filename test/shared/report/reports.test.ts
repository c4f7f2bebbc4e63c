import { describe, expect, it } from '@jest/globals';
import { fc } from '../../properties.ts';
import { commandRegistry } from '../../../shared/command/command-registry.ts';
import { endReasons } from '../../../shared/errors.ts';
import { fit } from '../../../shared/report/fit.ts';
import { headlineMetric } from '../../../shared/report/headline-metric.ts';
import { renderHelp } from '../../../shared/report/help.ts';
import { codeSpan, escapeText, fence, sentence } from '../../../shared/report/markdown.ts';
import { renderPlan } from '../../../shared/report/plan.ts';
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

  it("stays within GitHub's lengths", () => {
    const run = {
      ...hostileRun('x'.repeat(90_000)),
      end: { outcome: 'succeeded', at: created.createdAt },
    } as const;
    const { title, summary } = renderCheck(run, context);
    expect(title.length).toBeLessThanOrEqual(255);
    expect(summary.length).toBeLessThanOrEqual(60_000);
  });
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
      '**Dry run** of `aaaaaaa` on 1 × T4 (n1-standard-8, us-central1) · est. $0.73/h, at most est. $0.73. Nothing was started.',
    );
    expect(text).toContain('2. run it with `--lr 0.1` for at most 1h');
    expect(text).toContain('"API_KEY"');
    expect(text).not.toContain('canary');
    expect(text).toContain('sandbox: the T4 is simulated');
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
    expect(renderRefusal(refusal, { sandbox: false, command: '/train gpu=T5' })).toBe(
      '**Not started** `/train gpu=T5`: `gpu=T5` is not a GPU we know.\n\nDid you mean `gpu=T4`?\n',
    );
    const problem = {
      reason: 'bad_argument',
      token: 'x',
      message: '`@olivia` is no key.',
      example: '/train gpu=T4',
    } as const;
    expect(renderProblem(problem, 'train')).toBe(
      '**Not started**: `@\u200bolivia` is no key.\n\nThis would work: `/train gpu=T4`\n',
    );
    expect(renderProblem(problem, 'cancel')).toMatch(/^\*\*Not done\*\*/);
    expect(renderProblem(problem, 'help')).toMatch(/^\*\*No help\*\*/);
  });
});

describe('renderHelp', () => {
  it('lists every command and every key', () => {
    const help = renderHelp(commandRegistry);
    for (const { usage, keys } of commandRegistry) {
      expect(help).toContain(usage.replaceAll('|', '\\|'));
      for (const { name, example } of keys) {
        expect(help).toContain(`| \`${name}\` |`);
        expect(help).toContain(example);
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
