import { describe, expect, it } from '@jest/globals';
import { fc } from '../../properties.ts';
import { parseProgress } from '../../../shared/metrics/parse-progress.ts';

describe('parseProgress', () => {
  it.each([
    [
      'epoch=7/20 loss=0.212 val_accuracy=0.941',
      { unit: 'epoch', step: 7, totalSteps: 20, values: { loss: 0.212, val_accuracy: 0.941 } },
    ],
    [
      'Epoch 3/10 - loss: 0.3 - val_accuracy: 0.9',
      { unit: 'epoch', step: 3, totalSteps: 10, values: { loss: 0.3, val_accuracy: 0.9 } },
    ],
    ['Epoch 3/10', { unit: 'epoch', step: 3, totalSteps: 10, values: {} }],
    [
      '45/45 ━━━━ 1s 2ms/step - loss: 0.3012 - accuracy: 0.9',
      { values: { loss: 0.3012, accuracy: 0.9 } },
    ],
    ['2024-05-01T10:00:00Z accuracy=0.91 loss=1e-3', { values: { accuracy: 0.91, loss: 0.001 } }],
    [
      "{'loss': 0.5, 'grad_norm': 2.1, 'epoch': 1.5}",
      { unit: 'epoch', step: 1.5, values: { loss: 0.5, grad_norm: 2.1 } },
    ],
    [
      '{"epoch": 3, "val/acc": 0.5, "loss": "0.25", "timestamp": 1700000000}',
      { unit: 'epoch', step: 3, values: { 'val/acc': 0.5, loss: 0.25 } },
    ],
    [
      'Epoch [2/5], Step [100/400], Loss: 0.25',
      { unit: 'epoch', step: 2, totalSteps: 5, values: { Loss: 0.25 } },
    ],
    [
      'step 100 of 4000 | loss -.5 | loss=-.5',
      { unit: 'step', step: 100, totalSteps: 4000, values: { loss: -0.5 } },
    ],
    ['\u001b[32mepoch=1 loss=2\u001b[0m', { unit: 'epoch', step: 1, values: { loss: 2 } }],
    [
      '\u001b[2K\u001b[1G\u001b[?25lepoch=1 loss=2',
      { unit: 'epoch', step: 1, values: { loss: 2 } },
    ],
    ['step 100 of 4,000 loss=2 reward=1,234.5', { unit: 'step', step: 100, values: { loss: 2 } }],
    ['loss=1,acc=2,100', { values: { loss: 1 } }],
    [
      'epoch=1/2 loss=3\repoch=2/2 loss=2\r',
      { unit: 'epoch', step: 2, totalSteps: 2, values: { loss: 2 } },
    ],
  ])('reads %j', (line, expected) => {
    expect(parseProgress(line)).toEqual(expected);
  });

  it.each([
    '',
    'training on 1438 digits, 359 held out; lr=0.05 epochs=20 seed=0',
    'Listening on port: 8080',
    'loss=nan',
    'reward: 1,234',
    'Step 3',
    '{"severity": "INFO", "pid": 3}',
    '{"loss": NaN}',
    'see http://example.com/?loss=1.2.3',
    `loss=1 ${'x'.repeat(2_000)}`,
  ])('takes no progress from %j', (line) => {
    expect(parseProgress(line)).toBeUndefined();
  });

  it('takes at most 20 values and no names that are traps', () => {
    const line = `epoch=1 __proto__=3 constructor=4 ${Array.from({ length: 50 }, (_, i) => `m${i}=1`).join(' ')}`;
    const progress = parseProgress(line);
    expect(Object.keys(progress!.values)).toHaveLength(20);
    expect(Object.keys(progress!.values)).not.toContain('__proto__');
  });

  it('stays quick and finite on hostile lines', () => {
    for (const piece of [
      'a',
      '1',
      'a=',
      '= ',
      '"',
      'epoch ',
      'epoch=1/',
      '1.',
      '[',
      '\u001b[',
      '9e9',
      ' /',
    ])
      for (const pieces of [piece.repeat(1_900 / piece.length), `loss=${piece.repeat(300)}`]) {
        const started = process.cpuUsage();
        parseProgress(pieces);
        expect(process.cpuUsage(started).user / 1_000).toBeLessThan(5_000);
      }
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (line) => {
        const values = Object.values(parseProgress(`epoch=1/2 ${line}`)?.values ?? {});
        return values.every(Number.isFinite) && values.length <= 20;
      }),
    );
  });
});
