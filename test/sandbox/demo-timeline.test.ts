/** What the demo prints while it works, on a terminal and elsewhere. */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { newsOf, type ShownCards } from '../../sandbox/demo-watch.ts';
import { Timeline } from '../../sandbox/demo-timeline.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

function story(isTTY: boolean): string {
  let written = '';
  const output = { isTTY, columns: 40, write: (text: string) => (written += text) };
  const timeline = new Timeline(output);
  timeline.waitFor('starting');
  jest.advanceTimersByTime(1_000);
  timeline.waitFor('training');
  timeline.progress('epoch 1/9');
  timeline.progress('epoch 1/9');
  timeline.progress('epoch 2/9 \u001b[2J with more than fits into a line');
  jest.advanceTimersByTime(8_500);
  timeline.say('done');
  jest.advanceTimersByTime(60_000);
  timeline.progress('nobody waits for this');
  return written;
}

it('prints lines, and says every eight seconds how far it has come', () => {
  expect(story(false)).toBe(
    [
      '   0.0s  starting',
      '   1.0s  training',
      '   9.0s  still: epoch 2/9  [2J with more than fits into a line',
      '   9.5s  done',
      '',
    ].join('\n'),
  );
});

it('moves the last line on a terminal, and never wraps it', () => {
  const clear = '\r\u001b[K';
  expect(story(true)).toBe(
    [
      '   0.0s  starting',
      `   1.0s  training${clear}   1.0s  epoch 1/9${clear}   1.0s  epoch 2/9  [2J with more than ${clear}   9.0s  still: epoch 2/9  [2J with mor`,
      '   9.5s  done',
      '',
    ].join('\n'),
  );
});

it('tells of each card once as it starts and once as it ends', () => {
  const shown: ShownCards = new Map();
  const card = (
    id: number,
    line: string,
    marker = `<!-- trainyard:run v1 id=abcdefg${id} -->`,
  ) => ({
    ...{ id, user: { type: 'Bot' } },
    body: `${line}\n\nmore\n\n${marker}`,
  });
  const looks = [
    [card(2, '**Building** the image of `3f2c1ab`'), card(3, '**Not started**: no', '')],
    [card(2, '**Training** `3f2c1ab` · 4s')],
    [card(2, '**Trained** `3f2c1ab`: loss **1**'), card(4, '**Cancelled** `3f2c1ab` after 1s')],
    [card(2, '**Trained** `3f2c1ab`: loss **1**'), card(4, '**Cancelled** `3f2c1ab` after 1s')],
  ];
  expect(looks.map((comments) => newsOf(comments, shown))).toEqual([
    ['Building the image of 3f2c1ab'],
    [],
    ['Trained 3f2c1ab: loss 1', 'Cancelled 3f2c1ab after 1s'],
    [],
  ]);
});
