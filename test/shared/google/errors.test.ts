import { describe, expect, it } from '@jest/globals';
import { CloudError, UserError } from '../../../shared/errors.ts';
import { toCloudError } from '../../../shared/google/errors.ts';

function failure(fields: object, message = 'the text', cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), fields);
}

const body = JSON.stringify({ error: { code: 429, message: 'Quota exceeded.', status: 'X' } });

describe('toCloudError', () => {
  it.each([
    ['gax over REST', failure({ code: 8, httpStatusCode: 429 }), 429, true, false],
    ['gax over gRPC', failure({ code: 14 }), 0, true, true],
    ['gax deadline', failure({ code: 4 }), 0, true, true],
    ['gax, status beats code', failure({ code: 13, httpStatusCode: 502 }), 502, true, true],
    ['gax, gRPC code only', failure({ code: 7 }), 403, false, false],
    ['Storage', failure({ code: 412 }), 412, false, false],
    ['Storage, status as text', failure({ code: '503' }), 503, true, true],
    ['Gaxios', failure({ status: 500, code: '500' }), 500, true, true],
    ['Gaxios, response only', failure({ response: { status: 404 } }), 404, false, false],
    ['reset', failure({ code: 'ECONNRESET' }), 0, true, true],
    ['timeout', failure({ code: 'ETIMEDOUT' }), 0, true, true],
    ['reset within gax', failure({ code: 14 }, 'x', failure({ code: 'EPIPE' })), 0, true, true],
    ['never connected', failure({ code: 'ECONNREFUSED' }), 0, true, false],
    [
      'no such host, in gax',
      failure({ code: 14 }, 'x', failure({ code: 'ENOTFOUND' })),
      0,
      true,
      false,
    ],
    ['aborted', failure({ name: 'AbortError' }), 0, true, true],
  ])('%s', (_name, thrown, status, retryable, ambiguous) => {
    const write = toCloudError('x.create', 'write', thrown);
    expect(write).toBeInstanceOf(CloudError);
    expect(write).toMatchObject({ operation: 'x.create', status, retryable, ambiguous });
    expect(write.cause).toBe(thrown);
    expect(toCloudError('x.get', 'read', thrown)).toMatchObject({ status, ambiguous: false });
  });

  it.each([
    ['a gRPC prefix', failure({ code: 3 }, '3 INVALID_ARGUMENT: Bad machine.'), 'Bad machine.'],
    ['raw JSON', failure({ code: 429 }, body), 'Quota exceeded.'],
    ['raw JSON in a list', failure({ code: 429 }, `[${body}]`), 'Quota exceeded.'],
    [
      "Storage's own list",
      failure({ code: 404, errors: [{ message: 'No such object.' }] }),
      'No such object.',
    ],
    ['several lines', failure({ code: 404 }, 'a\n  b'), 'a b'],
    [
      'a broken connection',
      failure({ code: 'ECONNRESET' }, 'read ECONNRESET'),
      'no answer (ECONNRESET)',
    ],
  ])("keeps the service's own text: %s", (_name, thrown, message) => {
    expect(toCloudError('x', 'read', thrown).message).toBe(message);
  });

  it('reads how long to wait', () => {
    const headers = new Headers({ 'retry-after': '7' });
    const thrown = failure({ status: 429, response: { status: 429, headers } });
    expect(toCloudError('x', 'read', thrown)).toMatchObject({ retryAfterSeconds: 7 });
  });

  it('leaves alone what is no answer of a service', () => {
    const bug = new TypeError('undefined is not a function');
    expect(toCloudError('x', 'read', bug)).toBe(bug);
    const refusal = new UserError('bad_config', 'm', 'f');
    expect(toCloudError('x', 'read', refusal)).toBe(refusal);
    expect(toCloudError('x', 'read', 'text')).toBeInstanceOf(Error);
  });

  it('bounds what a service says', () => {
    expect(
      toCloudError('x', 'read', failure({ code: 500 }, 'y'.repeat(1e6))).message.length,
    ).toBeLessThan(2_100);
  });
});
