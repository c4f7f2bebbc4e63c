import { describe, expect, it } from '@jest/globals';
import { retryAt } from '../../app/delivery-retries.ts';
import { CloudError } from '../../shared/errors.ts';

const now = new Date('2026-01-02T12:00:00Z');

function refused(status: number, retryAfterSeconds?: number): CloudError {
  return new CloudError('issues.createComment', 'no', {
    ...{ status, retryable: status !== 404, ambiguous: false },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

const bug = new TypeError('undefined is not a function');
const away = Object.assign(new Error('the database system is starting up'), { code: '57P03' });
const all = (...errors: unknown[]): AggregateError => new AggregateError(errors, 'from Probot');

describe('retryAt', () => {
  it.each<[string, unknown, number, number, number | 'never']>([
    ['a bug', bug, 1, 0, 2],
    ['a bug', bug, 7, 120, 128],
    ['a bug', bug, 8, 250, 'never'],
    ['a bug, as Probot throws it', all(bug), 8, 250, 'never'],
    ['what is not there', refused(404), 8, 250, 'never'],
    ['no answer', refused(0), 3, 10, 8],
    ['no answer for an hour', refused(503), 25, 3_600, 300],
    ['no answer for six hours', refused(503), 90, 6 * 3_600, 'never'],
    ['a limit that is near', refused(429, 3), 4, 60, 16],
    ['a limit that is far', refused(403, 3_600), 1, 0, 3_600],
    ['a limit after many attempts', refused(429, 60), 40, 7_200, 300],
    ['a limit, as Probot throws it', all(refused(429, 900)), 1, 0, 900],
    ['the longer of two limits', all(refused(429, 900), refused(429, 90)), 1, 0, 900],
    ['a limit beside a bug', all(refused(429, 900), bug), 7, 0, 900],
    ['a limit beside a bug, too often', all(refused(429, 900), bug), 8, 0, 'never'],
    ['a database that is away', away, 30, 3_600, 300],
    ['a database that is away, as Probot throws it', all(away, refused(503)), 8, 250, 256],
    ['nothing at all', all(), 8, 0, 'never'],
  ])('%s: %#', (_what, error, attempts, ageSeconds, expected) => {
    const receivedAt = new Date(now.getTime() - 1_000 * ageSeconds);
    const at = retryAt(error, { receivedAt, attempts }, now);
    const seconds = at === undefined ? 'never' : (at.getTime() - now.getTime()) / 1_000;
    expect(seconds).toBe(expected);
  });
});
