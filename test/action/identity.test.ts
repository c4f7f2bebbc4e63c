/** From the runner's variables to a token of Google's: GitHub's own token service and Google's exchange, over HTTP. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import nock from 'nock';
import { credentialsOf } from '../../action/identity.ts';
import { identityIn } from '../../action/inputs.ts';
import { findCredentials } from '../../shared/google/credentials.ts';

const provider =
  'projects/123456789012/locations/global/workloadIdentityPools/github/providers/github';
const launcher = 'launcher@demo-project.iam.gserviceaccount.com';
/** What the runner sets for a job with `permissions: id-token: write`. */
const mayAsk = {
  ACTIONS_ID_TOKEN_REQUEST_URL: 'https://token.actions.githubusercontent.com/idtoken?api-version=2',
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner-token',
};

let exchanged: URLSearchParams[] = [];

beforeEach(() => {
  exchanged = [];
  // @actions/core reads them from the process itself.
  Object.assign(process.env, mayAsk);
  nock.disableNetConnect();
  nock('https://sts.googleapis.com')
    .post('/v1/token')
    .reply(200, async (request: Request) => {
      exchanged.push(new URLSearchParams(await request.text()));
      return {
        access_token: 'federated',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: 600,
      };
    });
});
afterEach(() => {
  for (const name of Object.keys(mayAsk)) Reflect.deleteProperty(process.env, name);
  nock.cleanAll();
});
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});

function github(): nock.Scope {
  return nock('https://token.actions.githubusercontent.com', {
    reqheaders: { authorization: 'Bearer runner-token' },
  })
    .get('/idtoken')
    .query({ 'api-version': '2', audience: `https://iam.googleapis.com/${provider}` })
    .reply(200, { value: 'github-token' });
}

const inputs = { INPUT_WORKLOAD_IDENTITY_PROVIDER: provider };

async function tokenFor(env: Record<string, string>): Promise<string | null | undefined> {
  const auth = await findCredentials(credentialsOf(identityIn(env), env));
  return auth.getAccessToken();
}

describe('credentialsOf', () => {
  it("exchanges the job's own token, asked for with the provider as its audience", async () => {
    const asked = github();
    expect(await tokenFor({ ...inputs, ...mayAsk })).toBe('federated');
    expect(asked.isDone()).toBe(true);
    expect(exchanged.map((body) => body.get('subject_token'))).toEqual(['github-token']);
  });

  it('acts as the launcher that is named', async () => {
    github();
    nock('https://iamcredentials.googleapis.com')
      .post(`/v1/projects/-/serviceAccounts/${launcher}:generateAccessToken`)
      .reply(200, {
        accessToken: 'as-launcher',
        expireTime: new Date(Date.now() + 3_600_000).toISOString(),
      });
    const env = { ...inputs, ...mayAsk, INPUT_LAUNCHER_SERVICE_ACCOUNT: launcher };
    expect(await tokenFor(env)).toBe('as-launcher');
  });

  it.each(Object.keys(mayAsk))('asks nobody without %s, and says what to add', async (missing) => {
    const asked = github();
    await expect(tokenFor({ ...inputs, ...mayAsk, [missing]: '' })).rejects.toMatchObject({
      reason: 'permission_denied',
      fix: expect.stringContaining('permissions: id-token: write') as unknown,
    });
    expect(asked.isDone()).toBe(false);
    expect(exchanged).toEqual([]);
  });

  it.each([
    ['no input', {}],
    ['an input that is no provider', { INPUT_WORKLOAD_IDENTITY_PROVIDER: 'evil.example/x' }],
  ])('is what an earlier step left behind with %s', (_what, env) => {
    expect(credentialsOf(identityIn(env), mayAsk)).toEqual({ kind: 'default' });
  });
});
