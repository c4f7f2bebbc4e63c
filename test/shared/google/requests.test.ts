/** What is sent again and what is not, and with which token. */
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import nock from 'nock';
import { CloudError } from '../../../shared/errors.ts';
import { googlePorts } from '../../../shared/google/index.ts';
import { createSender } from '../../../shared/google/requests.ts';

/** Answers with these statuses, one after the other; 200 is a success. */
async function sendThrough(
  statuses: readonly number[],
  how: 'read' | 'read once' | 'write',
): Promise<{ outcome: unknown; sent: number; renewed: number }> {
  let sent = 0;
  let renewed = 0;
  const sender = createSender({
    clock: { sleep: () => Promise.resolve() },
    renewToken: () => {
      renewed += 1;
      return Promise.resolve();
    },
  });
  const send = (): Promise<string> => {
    const status = statuses[sent++] ?? 200;
    if (status === 200) return Promise.resolve('done');
    return Promise.reject(Object.assign(new Error(`answer ${status}`), { status }));
  };
  const asked =
    how === 'write'
      ? sender.write('x.create', send)
      : sender.read('x.get', send, { repeat: how === 'read' });
  const outcome = await asked.catch((error: unknown) => (error as CloudError).status);
  return { outcome, sent, renewed };
}

describe('createSender', () => {
  it.each([
    ['read', [503, 429, 200], 'done', 3, 0],
    ['read', [503, 503, 503, 503, 503], 503, 4, 0],
    ['read', [403], 403, 1, 0],
    ['read once', [429, 200], 429, 1, 0],
    ['write', [503, 200], 503, 1, 0],
    ['read', [401, 200], 'done', 2, 1],
    ['read', [401, 401, 200], 401, 2, 1],
    ['read once', [401, 200], 'done', 2, 1],
    ['write', [401, 200], 'done', 2, 1],
    ['write', [401, 401], 401, 2, 1],
    ['write', [401, 503], 503, 2, 1],
  ] as const)('%s of %j gives %s', async (how, statuses, outcome, sent, renewed) => {
    expect(await sendThrough(statuses, how)).toEqual({ outcome, sent, renewed });
  });
});

describe('a token that is refused before its time', () => {
  afterEach(() => nock.cleanAll());
  afterAll(() => nock.restore());

  it('is replaced by a new one, once, and the read goes on', async () => {
    let minted = 0;
    const tokens: (string | null)[] = [];
    nock('https://sts.googleapis.com')
      .persist()
      .post('/v1/token')
      .reply(200, () => ({
        access_token: `token-${++minted}`,
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: 3_600,
      }));
    const name = 'projects/demo-project/locations/us-central1/customJobs/42';
    nock('https://us-central1-aiplatform.googleapis.com')
      .persist()
      .get(`/v1/${name}`)
      .query(true)
      .reply((request: Request) => {
        tokens.push(request.headers.get('authorization'));
        return tokens.at(-1) === 'Bearer token-1'
          ? [401, { error: { code: 401, message: 'expired', status: 'UNAUTHENTICATED' } }]
          : [200, { name, state: 'JOB_STATE_RUNNING' }];
      });
    const ports = googlePorts({
      credentials: {
        kind: 'federation',
        provider: 'projects/1/locations/global/workloadIdentityPools/github/providers/acme',
        serviceAccount: undefined,
        idToken: () => Promise.resolve('github'),
      },
    });
    expect(await ports.jobs.get(name)).toMatchObject({ state: 'running' });
    expect(await ports.jobs.get(name)).toMatchObject({ state: 'running' });
    expect(tokens).toEqual(['Bearer token-1', 'Bearer token-2', 'Bearer token-2']);
  });
});
