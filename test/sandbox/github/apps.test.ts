/** The App: its JSON web tokens, its installations, and tokens that may do what app.yml says. */
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { bearer, callApi, jwt } from './call-api.ts';
import {
  appId,
  digits,
  installationId,
  publicKey,
  issueOne,
  startWorld,
  statusOf,
  type World,
} from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const now = (): number => Math.floor(Date.now() / 1_000);
const tokens = `/app/installations/${installationId}/access_tokens`;

describe('the App’s JSON web token', () => {
  const stranger = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const undecodable = 'A JSON web token could not be decoded';
  const tooFar = "'Expiration time' claim ('exp') is too far in the future";

  it.each([
    { name: 'as the App makes it', token: () => jwt(), status: 200 },
    { name: 'with the App’s id as text', token: () => jwt({ iss: String(appId) }), status: 200 },
    {
      name: 'that lives ten minutes',
      token: () => jwt({ iat: now(), exp: now() + 600 }),
      status: 200,
    },
    {
      name: 'that lives a minute longer',
      token: () => jwt({ iat: now(), exp: now() + 660 }),
      ...{ status: 401, message: tooFar },
    },
    {
      name: 'that was issued to live an hour',
      token: () => jwt({ iat: now() - 3_300, exp: now() + 300 }),
      ...{ status: 401, message: tooFar },
    },
    {
      name: 'that has expired',
      token: () => jwt({ iat: now() - 600, exp: now() - 1 }),
      ...{ status: 401, message: "'Expiration time' claim ('exp') must be a numeric value" },
    },
    {
      name: 'without an expiration',
      token: () => jwt({ exp: undefined }),
      ...{ status: 401, message: "'Expiration time' claim ('exp') must be a numeric value" },
    },
    {
      name: 'from the future',
      token: () => jwt({ iat: now() + 300, exp: now() + 500 }),
      ...{ status: 401, message: "'Issued at' claim ('iat') must be an Integer" },
    },
    {
      name: 'without an issue time',
      token: () => jwt({ iat: undefined }),
      ...{ status: 401, message: "'Issued at' claim ('iat') must be an Integer" },
    },
    {
      name: 'of another App',
      token: () => jwt({ iss: appId + 1 }),
      ...{ status: 404, message: 'Integration not found' },
    },
    {
      name: 'signed with another key',
      token: () => jwt({}, { key: stranger.privateKey }),
      ...{ status: 401, message: undecodable },
    },
    {
      name: 'without a signature',
      token: () => jwt({}, { header: { alg: 'none' }, signature: '' }),
      ...{ status: 401, message: undecodable },
    },
    {
      name: 'whose signature was made with the public key as a password',
      token: () => {
        const [header, claims] = jwt({}, { header: { alg: 'HS256' } }).split('.');
        const mac = createHmac('sha256', publicKey).update(`${header}.${claims}`);
        return `${header}.${claims}.${mac.digest('base64url')}`;
      },
      ...{ status: 401, message: undecodable },
    },
    {
      name: 'whose claims were changed afterwards',
      token: () => {
        const [header, , signature] = jwt().split('.');
        return `${header}.${jwt({ exp: now() + 500 }).split('.')[1]}.${signature}`;
      },
      ...{ status: 401, message: undecodable },
    },
    { name: 'that is none', token: () => 'a.b.c', status: 401, message: undecodable },
    { name: 'of nulls', token: () => 'bnVsbA.bnVsbA.', status: 401, message: undecodable },
  ])('$name gets $status', async ({ token, status, ...wanted }) => {
    const answer = await callApi(world, { authorization: `Bearer ${token()}`, path: '/app' });
    expect(answer.status).toBe(status);
    if ('message' in wanted) {
      expect(answer.data).toMatchObject({
        message: expect.stringContaining(wanted.message),
        documentation_url: expect.stringContaining('https://docs.github.com/rest'),
      });
    } else {
      expect(answer.data).toMatchObject({ id: appId, slug: 'trainyard' });
    }
  });

  it('opens nothing that an installation’s token is for', async () => {
    const path = '/repos/acme/digits/issues/1/comments';
    const answer = await callApi(world, { authorization: `Bearer ${jwt()}`, path });
    expect(answer.status).toBe(401);
  });
});

describe('the App', () => {
  it('asks for what app/app.yml says', async () => {
    const manifest = parse(await readFile('app/app.yml', 'utf8')) as {
      default_permissions: Record<string, string>;
      default_events: string[];
    };
    const { data } = await world.app.rest.apps.getInstallation({
      installation_id: installationId,
    });
    expect(data.permissions).toEqual(manifest.default_permissions);
    expect(data.events).toEqual(expect.arrayContaining(manifest.default_events));
    expect((await world.app.rest.apps.getAuthenticated()).data).toMatchObject({
      permissions: manifest.default_permissions,
      installations_count: 1,
    });
  });

  it('finds its installation by repository, by account and in the list', async () => {
    const { apps } = world.app.rest;
    const found = [
      (await apps.getRepoInstallation(digits)).data,
      (await apps.getUserInstallation({ username: 'acme' })).data,
      ...(await apps.listInstallations()).data,
    ];
    expect(found.map(({ id }) => id)).toEqual([installationId, installationId, installationId]);
    expect(await statusOf(apps.getUserInstallation({ username: 'sam' }))).toBe(404);
    expect(await statusOf(apps.getInstallation({ installation_id: 1 }))).toBe(404);
  });

  it('is found by its slug by everybody', async () => {
    expect((await callApi(world, { path: '/apps/trainyard' })).data).toMatchObject({ id: appId });
    expect((await callApi(world, { path: '/apps/another' })).status).toBe(404);
  });
});

describe('an installation’s token', () => {
  const create = async (
    body: object,
  ): Promise<{ status: number; data: Record<string, unknown> }> => {
    const answer = await callApi(world, {
      authorization: `Bearer ${jwt()}`,
      ...{ method: 'POST', path: tokens, body },
    });
    return { status: answer.status, data: answer.data as Record<string, unknown> };
  };
  const tokenWith = async (body: object): Promise<string> =>
    String((await create(body)).data['token']);

  it('lives an hour and says what it may do', async () => {
    const { status, data } = await create({});
    expect(status).toBe(201);
    expect(data).toMatchObject({
      token: expect.stringMatching(/^ghs_[A-Za-z0-9]{36}$/),
      repository_selection: 'all',
    });
    const livesMs = new Date(String(data['expires_at'])).getTime() - Date.now();
    expect(Math.round(livesMs / 60_000)).toBe(60);
  });

  it.each([
    { body: { permissions: { contents: 'read' } }, status: 201 },
    { body: { permissions: { checks: 'read' } }, status: 201 },
    { body: { repositories: ['digits'] }, status: 201 },
    { body: { repository_ids: [1001] }, status: 201 },
    { body: { permissions: { contents: 'write' } }, status: 422 },
    { body: { permissions: { statuses: 'read' } }, status: 422 },
    { body: { repositories: ['nothing'] }, status: 422 },
    { body: { repository_ids: [1] }, status: 422 },
  ])('$body gets $status', async ({ body, status }) => {
    expect((await create(body)).status).toBe(status);
  });

  it.each([
    { what: 'permissions that there are none of', body: { permissions: { contents: 'admin' } } },
    { what: 'an id that is none', body: { repository_ids: ['1001'] } },
    { what: 'a key that there is none of', body: { permission: {} } },
  ])('is refused as malformed with $what', async ({ body }) => {
    expect((await create(body)).status).toBe(422);
    expect(world.takeViolations()).toMatchObject([
      { operation: 'apps/create-installation-access-token', status: 422 },
    ]);
  });

  it('is made by the App alone, for an installation that there is', async () => {
    const ask = (authorization: string | undefined, path = tokens): Promise<{ status: number }> =>
      callApi(world, { authorization, method: 'POST', path });
    expect(await ask(undefined)).toMatchObject({ status: 401 });
    expect(await ask(bearer(world, 'owner'))).toMatchObject({ status: 401 });
    expect(await ask(`Bearer ${await tokenWith({})}`)).toMatchObject({ status: 401 });
    const other = '/app/installations/1/access_tokens';
    expect(await ask(`Bearer ${jwt()}`, other)).toMatchObject({ status: 404 });
  });

  const sha = '0'.repeat(40);
  const check = { name: 'x', head_sha: sha };
  it.each([
    { may: 'read contents', needs: 'contents', level: 'read', path: '/contents/README.md' },
    { may: 'read pull requests', needs: 'pull_requests', level: 'read', path: '/pulls/1' },
    { may: 'read comments', needs: 'pull_requests', level: 'read', path: '/issues/1/comments' },
    {
      ...{ may: 'comment', needs: 'pull_requests', level: 'write' },
      ...{ path: '/issues/1/comments', method: 'POST', body: { body: 'hello' } },
    },
    { may: 'read checks', needs: 'checks', level: 'read', path: '/commits/main/check-runs' },
    {
      ...{ may: 'write checks', needs: 'checks', level: 'write' },
      ...{ path: '/check-runs', method: 'POST', body: check },
    },
    {
      ...{ may: 'ask who may what', needs: 'metadata', level: 'read' },
      path: '/collaborators/wes/permission',
    },
  ])('may $may with $needs: $level and not without', async ({ needs, level, path, ...rest }) => {
    const ask = async (permissions: object): Promise<number> => {
      const authorization = `Bearer ${await tokenWith({ permissions })}`;
      const full = { authorization, path: `/repos/acme/digits${path}` };
      return (await callApi(world, { ...full, ...rest })).status;
    };
    // 422: the commit is none, which is found out only by those who may ask.
    expect([200, 201, 422]).toContain(await ask({ [needs]: level }));
    if (needs !== 'metadata') expect(await ask({ metadata: 'read' })).toBe(403);
    if (level === 'write') expect(await ask({ [needs]: 'read' })).toBe(403);
  });

  it('may do nothing that app.yml does not ask for', async () => {
    const { rest } = world.installation;
    const status = { ...digits, sha: 'a'.repeat(40), state: 'success' } as const;
    expect(await statusOf(rest.repos.createCommitStatus(status))).toBe(403);
    expect(await statusOf(rest.repos.createFork(digits))).toBe(403);
    expect(await statusOf(rest.users.getAuthenticated())).toBe(403);
  });

  it('of chosen repositories reaches those alone', async () => {
    const fork = (await world.as('stranger').rest.repos.createFork(digits)).data;
    const authorization = `Bearer ${await tokenWith({})}`;
    const comment = { method: 'POST', body: { body: 'x' } };
    const elsewhere = `/repos/${fork.full_name}`;
    // sam has not installed the App: what is public can be read, and nothing be written.
    expect(await callApi(world, { authorization, path: elsewhere })).toMatchObject({ status: 200 });
    expect(
      await callApi(world, { authorization, path: `${elsewhere}/issues/1/comments`, ...comment }),
    ).toMatchObject({ status: 403 });
    const { data } = await callApi(world, { authorization, path: '/installation/repositories' });
    expect(data).toMatchObject({
      total_count: 1,
      repository_selection: 'all',
      repositories: [{ full_name: 'acme/digits' }],
    });
  });

  it('is no good after it was revoked', async () => {
    const authorization = `Bearer ${await tokenWith({})}`;
    const path = '/installation/repositories';
    expect((await callApi(world, { authorization, path })).status).toBe(200);
    const revoke = { authorization, method: 'DELETE', path: '/installation/token' };
    expect((await callApi(world, revoke)).status).toBe(204);
    expect((await callApi(world, { authorization, path })).status).toBe(401);
    expect((await callApi(world, { authorization: bearer(world, 'owner'), path })).status).toBe(
      403,
    );
  });

  it('is no good when its hour is over', async () => {
    const token = await tokenWith({});
    const path = join(world.dataDir, 'state.json');
    await world.restart(async () => {
      const state = JSON.parse(await readFile(path, 'utf8')) as {
        installationTokens: { token: string; expiresAt: string }[];
      };
      for (const one of state.installationTokens) {
        if (one.token === token) one.expiresAt = new Date(Date.now() - 1_000).toISOString();
      }
      await writeFile(path, JSON.stringify(state));
    });
    const answer = await callApi(world, {
      authorization: `Bearer ${token}`,
      path: '/repos/acme/digits',
    });
    expect(answer).toMatchObject({ status: 401, data: { message: 'Bad credentials' } });
  });
});

describe('credentials', () => {
  afterEach(() => expect(world.takeViolations()).toEqual([]));

  it.each([
    { name: 'nobody’s token', authorization: () => 'Bearer ghp_nobody' },
    { name: 'a key of every object', authorization: () => 'Bearer __proto__' },
    { name: 'an unknown scheme', authorization: () => `Digest ${world.github.tokens.owner}` },
    { name: 'no token', authorization: () => 'Bearer ' },
    { name: 'a cut token', authorization: () => bearer(world, 'owner').slice(0, -1) },
  ])('are refused: $name', async ({ authorization }) => {
    const answer = await callApi(world, { authorization: authorization(), path: '/user' });
    expect(answer).toMatchObject({ status: 401, data: { message: 'Bad credentials' } });
  });

  it.each([
    { form: 'Bearer', authorization: () => bearer(world, 'writer') },
    { form: 'token', authorization: () => `token ${world.github.tokens.writer}` },
    {
      form: 'Basic',
      authorization: () =>
        `Basic ${Buffer.from(`wes:${world.github.tokens.writer}`).toString('base64')}`,
    },
  ])('are taken as $form', async ({ authorization }) => {
    const answer = await callApi(world, { authorization: authorization(), path: '/user' });
    expect(answer).toMatchObject({ status: 200, data: { login: 'wes', id: 2002 } });
  });

  it('are five different people', async () => {
    const people = ['owner', 'writer', 'reader', 'stranger'] as const;
    const logins = await Promise.all(
      people.map(async (one) => (await world.as(one).rest.users.getAuthenticated()).data.login),
    );
    expect(logins).toEqual(['olivia', 'wes', 'rae', 'sam']);
    expect(new Set(Object.values(world.github.tokens)).size).toBe(5);
  });

  it('say who may do what to those who may know', async () => {
    const ask = async (person: 'writer' | 'reader', username: string): Promise<unknown> => {
      const { repos } = world.as(person).rest;
      return (await repos.getCollaboratorPermissionLevel({ ...digits, username })).data;
    };
    const level = async (username: string): Promise<unknown> => ask('writer', username);
    expect(await level('olivia')).toMatchObject({ permission: 'admin', role_name: 'admin' });
    expect(await level('wes')).toMatchObject({
      permission: 'write',
      user: { login: 'wes', id: 2002, permissions: { push: true, admin: false } },
    });
    expect(await level('rae')).toMatchObject({ permission: 'read' });
    // The repository is public: everybody may read it.
    expect(await level('sam')).toMatchObject({ permission: 'read', user: { id: 2004 } });
    await expect(level('nobody')).rejects.toMatchObject({ status: 404 });
    await expect(ask('reader', 'wes')).rejects.toMatchObject({ status: 403 });
    const asApp = world.installation.rest.repos;
    const { data } = await asApp.getCollaboratorPermissionLevel({ ...digits, username: 'WES' });
    expect(data.permission).toBe('write');
  });

  it('let readers comment, and nobody who is nobody', async () => {
    const said = await world
      .as('stranger')
      .rest.issues.createComment({ ...issueOne, body: 'May I?' });
    expect(said.data).toMatchObject({ author_association: 'NONE', user: { login: 'sam' } });
    const path = '/repos/acme/digits/issues/1/comments';
    const answer = await callApi(world, { method: 'POST', path, body: { body: 'x' } });
    expect(answer.status).toBe(401);
  });
});
