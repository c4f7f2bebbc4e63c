import { describe, expect, it } from '@jest/globals';
import { Trouble } from '../../action/trouble.ts';
import { CloudError } from '../../shared/errors.ts';

function busy(message = 'busy'): CloudError {
  return new CloudError('builds.get', message, { status: 503, retryable: true, ambiguous: false });
}

function arrange() {
  const warnings: string[] = [];
  const clock = { ms: 0, now: () => new Date(clock.ms) };
  const runner = { warning: (line: string) => void warnings.push(line) };
  return { warnings, clock, trouble: new Trouble(runner, clock) };
}

describe('Trouble', () => {
  it('says each kind of failure once', () => {
    const { trouble, warnings } = arrange();
    for (const message of ['busy', 'busy', 'busier', 'busy']) trouble.note(busy(message));
    expect(warnings).toEqual([
      'builds.get: busy; trying again',
      'builds.get: busier; trying again',
    ]);
  });

  it.each([
    ['gives up on what goes on for a minute', [0, 20_000, 40_000, 60_000], 61_000, true],
    ['bears what is shorter', [0, 20_000, 40_000], 41_000, false],
    ['bears what has stopped', [0, 20_000, 40_000, 60_000], 100_000, false],
    ['counts anew after a silence', [0, 20_000, 60_000, 80_000], 81_000, false],
  ])('%s', (_name, failuresAt, nowMs, givesUp) => {
    const { trouble, clock } = arrange();
    for (const ms of failuresAt) {
      clock.ms = ms;
      trouble.note(busy());
    }
    clock.ms = nowMs;
    const giveUp = (): void => trouble.giveUpIfLasting();
    if (givesUp) expect(giveUp).toThrow(CloudError);
    else expect(giveUp).not.toThrow();
  });
});
