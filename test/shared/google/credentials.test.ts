/** Federation without google-github-actions/auth: tokens are minted when they are needed and not more often. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import nock from 'nock';
import { findCredentials } from '../../../shared/google/credentials.ts';

const provider =
  'projects/123456789012/locations/global/workloadIdentityPools/github/providers/acme';
const account = 'launcher@demo-project.iam.gserviceaccount.com';

let minted: string[] = [];
let exchanged: Record<string, unknown>[] = [];
let lifetimeSeconds = 300;

beforeEach(() => {
  minted = [];
  exchanged = [];
  lifetimeSeconds = 300;
  nock('https://sts.googleapis.com')
    .persist()
    .post('/v1/token')
    .reply(200, async (request: Request) => {
      exchanged.push(Object.fromEntries(new URLSearchParams(await request.text())));
      return {
        access_token: `federated-${exchanged.length}`,
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: lifetimeSeconds,
      };
    });
});
afterEach(() => nock.cleanAll());
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});

function source(serviceAccount?: string) {
  return {
    kind: 'federation' as const,
    provider,
    serviceAccount,
    idToken: (audience: string) => {
      minted.push(audience);
      return Promise.resolve(`github-${minted.length}`);
    },
  };
}

describe('federation', () => {
  it("exchanges the workflow's own token", async () => {
    const auth = await findCredentials(source());
    expect(await auth.getAccessToken()).toBe('federated-1');
    expect(minted).toEqual([`https://iam.googleapis.com/${provider}`]);
    expect(exchanged[0]).toMatchObject({
      audience: `//iam.googleapis.com/${provider}`,
      subject_token: 'github-1',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    });
  });

  it('mints once for many requests, although the token lives five minutes', async () => {
    const auth = await findCredentials(source());
    for (let request = 0; request < 20; request++) await auth.getAccessToken();
    expect(minted).toHaveLength(1);
  });

  it('mints again when the token is about to end', async () => {
    lifetimeSeconds = 59;
    const auth = await findCredentials(source());
    expect(await auth.getAccessToken()).toBe('federated-2');
    expect(await auth.getAccessToken()).toBe('federated-3');
    expect(exchanged.map((body) => body['subject_token'])).toEqual([
      ...['github-1', 'github-2', 'github-3'],
    ]);
  });

  it('acts as the service account that is named', async () => {
    nock('https://iamcredentials.googleapis.com', {
      reqheaders: { authorization: 'Bearer federated-1' },
    })
      .post(`/v1/projects/-/serviceAccounts/${account}:generateAccessToken`)
      .reply(200, {
        accessToken: 'as-launcher',
        expireTime: new Date(Date.now() + 3_600_000).toISOString(),
      });
    const auth = await findCredentials(source(account));
    expect(await auth.getAccessToken()).toBe('as-launcher');
  });

  it('says what Google refused, as missing credentials', async () => {
    nock.cleanAll();
    nock('https://sts.googleapis.com')
      .post('/v1/token')
      .reply(400, { error: 'invalid_target', error_description: 'The pool is disabled.' });
    await expect(findCredentials(source())).rejects.toMatchObject({
      ...{ name: 'CloudError', status: 401, retryable: false },
      message: expect.stringContaining('The pool is disabled.') as unknown,
    });
  });

  it.each([
    '//iam.googleapis.com/' + provider,
    'projects/demo-project/locations/global/workloadIdentityPools/github/providers/acme',
    `${provider}/../other`,
    'https://evil.example/' + provider,
  ])('refuses the provider %s before anything is asked', async (text) => {
    await expect(findCredentials({ ...source(), provider: text })).rejects.toMatchObject({
      name: 'UserError',
    });
    expect(minted).toEqual([]);
  });
});
