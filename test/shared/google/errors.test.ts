import { describe, expect, it } from '@jest/globals';
import { GoogleError } from 'google-gax';
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

  const info = (reason: string, quota_metric = '') => ({
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    ...{ reason, domain: 'googleapis.com', metadata: { quota_metric } },
  });
  const retryInfo = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '37.5s' };
  const submissions =
    "Quota exceeded for quota metric 'Job submission requests' and limit 'Job submission requests per minute per region' of service 'aiplatform.googleapis.com' for consumer 'project_number:123456789012'.";
  const gpus =
    'The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_nvidia_t4_gpus';
  it.each<[string, number, string, object[], boolean]>([
    ["a rate, by the service's reason", 429, 'No.', [info('RATE_LIMIT_EXCEEDED')], true],
    ['a rate, by its words', 429, submissions, [], true],
    ['a rate, by its metric', 429, 'No.', [info('X', 'cloudbuild.googleapis.com/requests')], true],
    ['a rate, by when to come back', 429, 'Resource has been exhausted.', [retryInfo], true],
    ['a rate, in HTTP’s own words', 429, 'Too Many Requests', [], true],
    ['nothing said', 429, 'Resource has been exhausted (e.g. check quota).', [], false],
    ['GPUs', 429, gpus, [], false],
    ['GPUs, whatever else is said', 429, gpus, [info('RATE_LIMIT_EXCEEDED'), retryInfo], false],
    ['no machine', 429, 'Resources are insufficient in region: x.', [retryInfo], false],
    ['a quota of what is held', 429, 'per minute', [info('RESOURCE_QUOTA_EXCEEDED')], false],
    ['a day', 429, "limit 'Requests per day'", [info('RATE_LIMIT_EXCEEDED')], false],
    ['a refusal', 403, submissions, [info('RATE_LIMIT_EXCEEDED')], false],
    ['an outage', 503, 'Too many requests', [retryInfo], false],
  ])('tells rates from other quotas: %s', (_name, status, text, details, rateLimited) => {
    const error = { code: status, message: text, status: 'RESOURCE_EXHAUSTED', details };
    const thrown = { status, response: { status } };
    const inText = failure(thrown, JSON.stringify({ error }));
    const byGax = GoogleError.parseHttpError(structuredClone({ error }));
    Object.assign(byGax, { httpStatusCode: status });
    const retryAfterSeconds = details.includes(retryInfo) ? 37.5 : undefined;
    for (const one of [inText, byGax]) {
      const seen = toCloudError('customJobs.create', 'write', one);
      expect(seen).toMatchObject({ rateLimited, retryAfterSeconds, message: text });
    }
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
