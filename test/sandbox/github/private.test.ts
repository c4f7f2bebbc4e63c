/** A private repository does not exist for those who have no part in it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Person } from '../../../sandbox/github/seed.ts';
import { bearer, byCaller, callApi, jwt } from './call-api.ts';
import { requestRaw } from './raw-request.ts';
import { digits, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ private: true });
});
afterAll(() => world.close());

const callers = ['nobody', 'stranger', 'reader', 'writer', 'owner', 'app', 'installation'];
const seen = { reader: 200, writer: 200, owner: 200, installation: 200 };

async function authorizationOf(caller: string): Promise<string | undefined> {
  if (caller === 'nobody') return undefined;
  if (caller === 'app') return `Bearer ${jwt()}`;
  if (caller !== 'installation') return bearer(world, caller as Person);
  const { apps } = world.app.rest;
  const { data } = await apps.createInstallationAccessToken({ installation_id: 7001 });
  return `Bearer ${data.token}`;
}

async function statuses(
  method: string,
  path: string,
  body?: object,
): Promise<Record<string, number>> {
  return byCaller(callers, async (caller) => {
    const authorization = await authorizationOf(caller);
    return (await callApi(world, { authorization, method, path, body })).status;
  });
}

describe('the API', () => {
  it.each([
    '',
    '/contents/README.md',
    '/pulls/1',
    '/issues/1/comments',
    '/commits/main',
    '/git/trees/main',
    '/branches',
  ])('shows %j to its people and to the App', async (path) => {
    expect(await statuses('GET', `/repos/acme/digits${path}`)).toEqual({
      ...{ ...seen, nobody: 404, stranger: 404, app: 404 },
    });
  });

  it.each([
    { path: '/issues/1/comments', body: { body: 'x' } },
    { path: '/pulls', body: { head: 'main', base: 'main' } },
    { path: '/forks', body: {} },
    { path: '/check-runs', body: { name: 'x', head_sha: '0'.repeat(40) } },
  ])('has no $path for others to write to', async ({ path, body }) => {
    const found = await statuses('POST', `/repos/acme/digits${path}`, body);
    expect(found).toMatchObject({ nobody: 404, stranger: 404 });
  });

  it('says so, and that strangers have no permission', async () => {
    const { repos } = world.as('owner').rest;
    expect((await repos.get(digits)).data).toMatchObject({ private: true, visibility: 'private' });
    const level = async (username: string) =>
      (await repos.getCollaboratorPermissionLevel({ ...digits, username })).data;
    expect(await level('sam')).toMatchObject({
      ...{ permission: 'none', role_name: 'none', user: { permissions: { pull: false } } },
    });
    expect(await level('rae')).toMatchObject({ permission: 'read' });
    expect(await level('wes')).toMatchObject({ permission: 'write' });
  });

  it('makes forks that are private too', async () => {
    const fork = (await world.as('reader').rest.repos.createFork(digits)).data;
    expect(fork).toMatchObject({ full_name: 'rae/digits', private: true });
    const path = '/repos/rae/digits';
    expect(await statuses('GET', path)).toEqual({
      // Neither acme's people nor acme's App have a part in it.
      ...{ nobody: 404, stranger: 404, reader: 200, writer: 404, owner: 404, app: 404 },
      installation: 404,
    });
  });
});

describe('git', () => {
  it('gives it to its people and to the App', async () => {
    const ask = async (service: string) =>
      byCaller(callers, async (caller) => {
        const authorization = await authorizationOf(caller);
        const answer = await requestRaw(world.github.web, {
          path: `/acme/digits.git/info/refs?service=${service}`,
          headers: authorization === undefined ? {} : { authorization },
        });
        return answer.status;
      });
    expect(await ask('git-upload-pack')).toEqual({ ...seen, nobody: 401, stranger: 404, app: 404 });
    expect(await ask('git-receive-pack')).toEqual({
      ...{ nobody: 401, stranger: 404, app: 404, reader: 403, installation: 403 },
      ...{ writer: 200, owner: 200 },
    });
  });
});

describe('archives', () => {
  it('are opened by what the API gave, and by nothing else', async () => {
    const answer = await callApi(world, {
      authorization: bearer(world, 'reader'),
      path: '/repos/acme/digits/tarball/main',
    });
    expect(answer.status).toBe(302);
    const location = new URL(String(answer.headers['location']));
    const statusOf = async (change: (url: URL) => void): Promise<number> => {
      const url = new URL(location);
      change(url);
      const response = await fetch(url);
      await response.arrayBuffer();
      return response.status;
    };
    const [expires = '', mac = ''] = location.searchParams.get('token')!.split('-');
    const withToken = (token: string) => (url: URL) => url.searchParams.set('token', token);
    const { sha } = (
      await world.as('reader').rest.repos.getCommit({ ...digits, ref: 'tune-learning-rate' })
    ).data;
    expect(await statusOf(() => undefined)).toBe(200);
    expect(await statusOf((url) => url.searchParams.delete('token'))).toBe(404);
    expect(await statusOf(withToken(''))).toBe(404);
    expect(await statusOf(withToken(`${Number(expires) + 1}-${mac}`))).toBe(404);
    expect(await statusOf(withToken(`${Date.now() - 1}-${mac}`))).toBe(404);
    // Another commit needs a token of its own.
    const other = (url: URL): void => {
      url.pathname = url.pathname.replace(/[0-9a-f]{40}$/, sha);
    };
    expect(await statusOf(other)).toBe(404);
  });
});
