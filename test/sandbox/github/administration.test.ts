/** What becomes of a repository: archived, renamed, other people's; and of a conversation that is locked. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Person } from '../../../sandbox/github/seed.ts';
import { bearer, callApi } from './call-api.ts';
import { addressOf, clone, type GitClient } from './git-client.ts';
import { digits, issueOne, pullOne, startWorld, statusOf, type World } from './world.ts';

let world: World;
let reader: GitClient;
beforeAll(async () => {
  world = await startWorld();
  reader = await clone(addressOf(world.github.web, 'acme/digits'));
});
afterAll(async () => {
  await reader.remove();
  await world.close();
});

const owner = () => world.as('owner').rest;
const comments = '/repos/acme/digits/issues/1/comments';

describe('a locked conversation', () => {
  let commentId = 0;
  beforeAll(async () => {
    const { issues } = world.installation.rest;
    commentId = (await issues.createComment({ ...issueOne, body: 'ours' })).data.id;
    await owner().issues.lock({ ...issueOne, lock_reason: 'too heated' });
  });
  afterAll(() => owner().issues.unlock(issueOne));

  const writers: readonly [string, () => Pick<World['installation'], 'rest'>, number][] = [
    ['the owner', () => world.as('owner'), 201],
    ['a writer', () => world.as('writer'), 201],
    ['a reader', () => world.as('reader'), 403],
    ['a stranger', () => world.as('stranger'), 403],
    ['the App', () => world.installation, 403],
  ];
  it.each(writers)('takes of %s what it takes', async (_who, client, status) => {
    const { issues, reactions } = client().rest;
    expect(await statusOf(issues.createComment({ ...issueOne, body: 'x' }))).toBe(status);
    const reaction = { ...digits, comment_id: commentId, content: 'eyes' } as const;
    expect(await statusOf(reactions.createForIssueComment(reaction))).toBe(status);
  });

  it('says so in GitHub’s words', async () => {
    const authorization = bearer(world, 'reader');
    const said = { authorization, method: 'POST', path: comments, body: { body: 'x' } };
    expect(await callApi(world, said)).toMatchObject({
      status: 403,
      data: { message: 'Unable to create comment because issue is locked.' },
    });
  });

  it('is shown to be one, also after a restart, until it is unlocked', async () => {
    const locked = { locked: true, active_lock_reason: 'too heated' };
    await world.restart();
    expect((await owner().pulls.get(pullOne)).data).toMatchObject(locked);
    expect((await owner().issues.get(issueOne)).data).toMatchObject(locked);
    await owner().issues.unlock(issueOne);
    const open = { locked: false, active_lock_reason: null };
    expect((await owner().pulls.get(pullOne)).data).toMatchObject(open);
    const said = world.installation.rest.issues.createComment({ ...issueOne, body: 'x' });
    expect(await statusOf(said)).toBe(201);
  });

  it('has one of GitHub’s reasons', async () => {
    const path = '/repos/acme/digits/issues/1/lock';
    const authorization = bearer(world, 'owner');
    const body = { lock_reason: 'bored' };
    expect((await callApi(world, { authorization, method: 'PUT', path, body })).status).toBe(422);
    expect(world.takeViolations()).toHaveLength(1);
  });
});

describe('an archived repository', () => {
  beforeAll(async () => {
    await owner().repos.update({ ...digits, archived: true });
    await world.restart();
  });
  afterAll(() => owner().repos.update({ ...digits, archived: false }));

  const writes = [
    ['a comment', 'POST', comments, { body: 'x' }],
    ['a check run', 'POST', '/repos/acme/digits/check-runs', { name: 'x', head_sha: 'HEAD' }],
    ['a title', 'PATCH', '/repos/acme/digits/pulls/1', { title: 'x' }],
    ['a lock', 'PUT', '/repos/acme/digits/issues/1/lock', {}],
    ['another name', 'PATCH', '/repos/acme/digits', { name: 'x' }],
    ['a collaborator', 'PUT', '/repos/acme/digits/collaborators/sam', {}],
  ] as const;
  it.each(writes)('takes no more %s', async (what, method, path, body) => {
    const isApps = what === 'a check run';
    const { token } = isApps ? await installationToken() : { token: '' };
    const authorization = isApps ? `Bearer ${token}` : bearer(world, 'owner');
    expect(await callApi(world, { authorization, method, path, body })).toMatchObject({
      status: 403,
      data: { message: 'Repository was archived so is read-only.' },
    });
  });

  it('can be read, and says what it is', async () => {
    expect((await owner().repos.get(digits)).data.archived).toBe(true);
    expect((await owner().pulls.get(pullOne)).data.base.repo.archived).toBe(true);
    await reader.git('fetch', '--quiet', addressOf(world.github.web, 'acme/digits'));
  });

  it('takes no push', async () => {
    await reader.commit({ 'new.txt': 'x\n' });
    const push = reader.pushAs(world, 'owner', 'HEAD:refs/heads/other');
    await expect(push).rejects.toThrow(/archived so it is read-only|403/);
  });

  it('is as before when it is unarchived', async () => {
    await owner().repos.update({ ...digits, archived: false });
    const said = owner().issues.createComment({ ...issueOne, body: 'x' });
    expect(await statusOf(said)).toBe(201);
  });
});

describe('a renamed repository', () => {
  const numbers = { owner: 'acme', repo: 'numbers' } as const;
  beforeAll(async () => {
    await owner().repos.update({ ...digits, name: 'numbers' });
    await world.restart();
  });
  afterAll(() => owner().repos.update({ ...numbers, name: 'digits' }));

  it('has its new name everywhere', async () => {
    expect((await owner().repos.get(numbers)).data).toMatchObject({
      ...{ id: 1001, full_name: 'acme/numbers' },
    });
    expect(world.github.repo).toBe('acme/numbers');
  });

  it.each([
    ['GET', '/pulls/1?x=y', undefined, 301],
    ['POST', '/issues/1/comments', { body: 'x' }, 307],
  ])('answers %s of the old one by leading to itself', async (method, rest, body, status) => {
    const authorization = bearer(world, 'owner');
    const path = `/repos/acme/digits${rest}`;
    const location = `${world.github.api}/repositories/1001${rest}`;
    expect(await callApi(world, { authorization, method, path, body })).toMatchObject({
      status,
      headers: { location },
      data: { message: 'Moved Permanently', url: location },
    });
  });

  it('is found by those who follow, with reads and with writes', async () => {
    const { issues, pulls } = owner();
    const { data: said } = await issues.createComment({ ...issueOne, body: 'found' });
    expect(said.url).toContain('/repos/acme/numbers/');
    expect((await pulls.get(pullOne)).data.base.repo.full_name).toBe('acme/numbers');
    const old = addressOf(world.github.web, 'acme/digits', world.github.tokens.owner);
    await reader.git('push', '--quiet', '--force', old, 'HEAD:refs/heads/by-old-name');
    await reader.git('fetch', '--quiet', old, 'by-old-name');
  });

  it('is not found by id or name where there is nothing', async () => {
    for (const path of ['/repositories/9/pulls', '/repos/acme/nothing']) {
      expect((await callApi(world, { path })).status).toBe(404);
    }
  });

  it('has its old name back as if nothing had been', async () => {
    await owner().repos.update({ ...numbers, name: 'digits' });
    expect((await callApi(world, { path: '/repos/acme/digits' })).status).toBe(200);
    expect((await callApi(world, { path: '/repos/acme/numbers' })).status).toBe(301);
  });
});

describe('what somebody may do', () => {
  const roles = [
    ['pull', 'read', 'read'],
    ['triage', 'read', 'triage'],
    ['push', 'write', 'write'],
    ['maintain', 'write', 'maintain'],
    ['admin', 'admin', 'admin'],
  ] as const;
  const levelOf = async (username: string) =>
    (await owner().repos.getCollaboratorPermissionLevel({ ...digits, username })).data;
  afterEach(() => owner().repos.removeCollaborator({ ...digits, username: 'sam' }));

  it.each(roles)('is %s once that is said', async (given, permission, role) => {
    await owner().repos.addCollaborator({ ...digits, username: 'sam', permission: given });
    expect(await levelOf('sam')).toMatchObject({ permission, role_name: role });
  });

  it('ends when it is taken away', async () => {
    await owner().repos.addCollaborator({ ...digits, username: 'sam' });
    await owner().repos.removeCollaborator({ ...digits, username: 'sam' });
    expect(await levelOf('sam')).toMatchObject({ permission: 'read' });
    const sam: Person = 'stranger';
    expect(await statusOf(world.as(sam).rest.issues.lock(issueOne))).toBe(403);
  });

  it.each([
    ['PUT', '/repos/acme/digits/collaborators/nobody', {}, 404],
    ['PUT', '/repos/acme/digits/collaborators/sam', { permission: 'king' }, 422],
    ['PATCH', '/repos/acme/digits', { name: 'a/b' }, 422],
    ['PATCH', '/repos/acme/digits', { private: true }, 422],
  ] as const)('%s %s with %j is %i', async (method, path, body, status) => {
    const authorization = bearer(world, 'owner');
    expect((await callApi(world, { authorization, method, path, body })).status).toBe(status);
  });
});

async function installationToken(): Promise<{ token: string }> {
  const { apps } = world.app.rest;
  return (await apps.createInstallationAccessToken({ installation_id: 7001 })).data;
}
