/** What people are shown of a run whose build or job Google would not take yet. */
import { describe, expect, it } from '@jest/globals';
import { CloudError } from '../../../shared/errors.ts';
import { firstLine } from '../../../shared/report/headline.ts';
import { renderCard } from '../../../shared/report/render-card.ts';
import { checkTitle } from '../../../shared/report/render-check.ts';
import { postpone } from '../../../shared/watch/postponed.ts';
import { waitingOf, type Run } from '../../../shared/watch/run.ts';
import { building, context, ended, queued } from '../report/runs.ts';

const now = new Date('2026-01-02T03:03:40Z');

function refusal(retryAfterSeconds?: number, message = 'per minute'): CloudError {
  return new CloudError('customJobs.create', message, {
    ...{ status: 429, retryable: true, ambiguous: false, rateLimited: true },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

function postponed(run: Run, what: 'build' | 'job', message?: string): Run {
  const intent = postpone(run[what]!.intent, refusal(50, message), now, 0);
  return { ...run, [what]: { intent } };
}

describe('a run that was refused for the number of requests', () => {
  const cases = [
    { what: 'build', run: postponed(building, 'build') },
    { what: 'job', run: postponed(queued, 'job') },
  ];
  it.each(cases)('says that its $what waits, for what and until when', ({ what, run }) => {
    const line = `Waiting to ask for the ${what} of aaaaaaa: Google has had too many requests, next try in 30s · 4m`;
    expect(firstLine(run, context)).toBe(line);
    expect(renderCard(run, context)).toContain(
      `**Waiting** to ask for the ${what} of \`aaaaaaa\`: Google has had too many requests, next try in 30s · 4m\n`,
    );
    expect(checkTitle(run)).toBe('Waiting: Google has had too many requests');
  });

  it('counts its wait from when it was asked for first', () => {
    const { intent } = postponed(queued, 'job').job!;
    const again = {
      ...queued,
      job: { intent: { ...intent, at: intent.postponed!.until, firstAt: intent.at } },
    };
    for (const run of [postponed(queued, 'job'), again])
      expect(renderCard(run, context)).toContain('**queued 2m 50s**');
  });

  it.each<[string, Run]>([
    [
      'was meant anew',
      {
        ...queued,
        job: {
          intent: { ...postponed(queued, 'job').job!.intent, at: '2026-01-02T03:05:00.000Z' },
        },
      },
    ],
    [
      'is being looked for',
      {
        ...queued,
        job: {
          intent: {
            ...postponed(queued, 'job').job!.intent,
            inDoubtSince: '2026-01-02T03:05:00.000Z',
          },
        },
      },
    ],
    [
      'is cancelled',
      { ...postponed(queued, 'job'), cancel: { at: '2026-01-02T03:05:00Z', by: 'sam' } },
    ],
    ['has ended', ended({ outcome: 'cancelled' }, postponed(queued, 'job'))],
  ])('does not wait once it %s', (_what, run) => {
    expect(waitingOf(run)).toBeUndefined();
  });

  it.each([
    [50, 0, 50],
    [50, 0.999, 62],
    [undefined, 0, 2],
    [undefined, 0.999, 4],
    [0.1, 0, 1],
  ])('told to wait %s seconds, with %s of chance, comes after %s', (asked, random, seconds) => {
    const { until } = postpone(queued.job!.intent, refusal(asked), now, random).postponed!;
    expect(Math.floor((Date.parse(until) - now.getTime()) / 1_000)).toBe(seconds);
  });
});
