/** The App acts as each repository's launcher: its own account's token is shown to nothing but IAM. */
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nock from 'nock';
import { createLaunchers } from '../../../app/launchers.ts';
import { defaultSettings } from '../../../shared/config/project-settings.ts';
import { googlePorts } from '../../../shared/google/index.ts';

const account = (name: string): string => `launcher@${name}-project.iam.gserviceaccount.com`;
const repositories = { acme: 1001, zeta: 2002 } as const;
const config = {
  owner: 'test',
  repositories: new Map(
    Object.entries(repositories).map(([name, id]) => {
      const launcherServiceAccount = account(name);
      return [id, defaultSettings(`${name}-project`, ['us-central1'], { launcherServiceAccount })];
    }),
  ),
};
const previous = process.env['GOOGLE_APPLICATION_CREDENTIALS'];
let directory = '';
let exchanges: string[] = [];
let listed: { project: string; authorization: string | null }[] = [];

beforeEach(async () => {
  exchanges = [];
  listed = [];
  directory = await mkdtemp(join(tmpdir(), 'trainyard-adc-'));
  const file = join(directory, 'adc.json');
  const user = { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' };
  await writeFile(file, JSON.stringify(user));
  process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file;
  nock.disableNetConnect();
  nock('https://oauth2.googleapis.com')
    .persist()
    .post('/token')
    .reply(200, { access_token: 'the-apps-own', expires_in: 3_600, token_type: 'Bearer' });
  nock('https://us-central1-aiplatform.googleapis.com')
    .persist()
    .get(/\/customJobs$/)
    .query(true)
    .reply(200, (request: Request) => {
      const project = /projects\/([^/]+)\//.exec(request.url)?.[1] ?? '';
      listed.push({ project, authorization: request.headers.get('authorization') });
      return { customJobs: [] };
    });
});
afterEach(async () => {
  nock.cleanAll();
  await rm(directory, { recursive: true, force: true });
});
afterAll(() => {
  if (previous === undefined) delete process.env['GOOGLE_APPLICATION_CREDENTIALS'];
  else process.env['GOOGLE_APPLICATION_CREDENTIALS'] = previous;
  nock.enableNetConnect();
  nock.restore();
});

function exchange(name: string, status = 200): void {
  nock('https://iamcredentials.googleapis.com', {
    reqheaders: { authorization: 'Bearer the-apps-own' },
  })
    .persist()
    .post(`/v1/projects/-/serviceAccounts/${account(name)}:generateAccessToken`)
    .reply(status, async (request: Request) => {
      exchanges.push(name);
      const body = (await request.json()) as { scope: string[]; lifetime: string };
      expect(body.scope).toEqual(['https://www.googleapis.com/auth/cloud-platform']);
      expect(body.lifetime).toBe('3600s');
      const message = "Permission 'iam.serviceAccounts.getAccessToken' denied";
      return status === 200
        ? { accessToken: `as-${name}`, expireTime: new Date(Date.now() + 3.6e6).toISOString() }
        : { error: { code: status, status: 'PERMISSION_DENIED', message } };
    });
}

function launchers() {
  return createLaunchers(config, (launcher) =>
    launcher === undefined
      ? googlePorts({})
      : googlePorts({ credentials: { kind: 'impersonation', serviceAccount: launcher } }),
  );
}

function list(from: ReturnType<typeof launchers>, name: keyof typeof repositories) {
  const jobs = from.ofRepository(repositories[name])?.jobs;
  const where = { project: `${name}-project`, region: 'us-central1' };
  return jobs?.findByLabel({ ...where, key: 'trainyard-run', value: 'k7q2m4xa' });
}

describe('launchers', () => {
  it('are one account per repository, each with a token of its own', async () => {
    exchange('acme');
    exchange('zeta');
    const from = launchers();
    await list(from, 'acme');
    await list(from, 'zeta');
    await list(from, 'acme');
    expect(listed).toEqual([
      { project: 'acme-project', authorization: 'Bearer as-acme' },
      { project: 'zeta-project', authorization: 'Bearer as-zeta' },
      { project: 'acme-project', authorization: 'Bearer as-acme' },
    ]);
    expect(exchanges).toEqual(['acme', 'zeta']);
  });

  it('that may not be used are said by name, and the App does not stand in for them', async () => {
    exchange('acme', 403);
    await expect(list(launchers(), 'acme')).rejects.toMatchObject({
      ...{ name: 'CloudError', status: 403, retryable: false },
      message: expect.stringMatching(/could not act as launcher@acme-project.*denied/) as unknown,
    });
    expect(listed).toEqual([]);
  });

  it('are nobody for a repository that is not served', () => {
    expect(launchers().ofRepository(3003)).toBeUndefined();
    expect(launchers().ofProject('other-project')).toBeUndefined();
  });

  it.each(['launcher@evil.example', 'a@b.gserviceaccount.com/../x', 'a b@p.gserviceaccount.com'])(
    'refuses the account %s before anything is asked',
    async (serviceAccount) => {
      const ports = googlePorts({ credentials: { kind: 'impersonation', serviceAccount } });
      const where = { project: 'acme-project', region: 'us-central1' };
      await expect(
        ports.jobs.findByLabel({ ...where, key: 'trainyard-run', value: 'k7q2m4xa' }),
      ).rejects.toMatchObject({ name: 'UserError' });
      expect(exchanges).toEqual([]);
    },
  );
});
