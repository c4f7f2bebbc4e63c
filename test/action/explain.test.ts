/** What a reader of the step's log is told of an error that ended it. */
import { describe, expect, it } from '@jest/globals';
import { explain } from '../../action/explain.ts';
import { CloudError, UserError } from '../../shared/errors.ts';

function refused(operation: string, status: number, message: string): CloudError {
  return new CloudError(operation, message, { status, retryable: false, ambiguous: false });
}

describe('explain', () => {
  it.each([
    [
      new UserError('no_dockerfile', 'there is no Dockerfile', 'check the repository out'),
      /^There is no Dockerfile\. Check the repository out\.$/,
    ],
    [
      refused(
        'customJobs.get',
        403,
        "Permission 'aiplatform.customJobs.get' denied on resource 'x'",
      ),
      /^Google Cloud refused customJobs\.get \(HTTP 403\): Permission .* denied on resource 'x'\. Grant `roles\/aiplatform\.user` to the account that asked/,
    ],
    [
      refused('customJobs.get', 0, 'no answer (ECONNRESET)'),
      /^Google Cloud refused customJobs\.get: no answer \(ECONNRESET\)\.$/,
    ],
    [new TypeError('x is undefined'), /^Unexpected error, please report it: TypeError: x is/],
    ['thrown', /^Unexpected error, please report it: thrown$/],
  ])('%s', (error, text) => {
    expect(explain(error)).toMatch(text);
  });
});
