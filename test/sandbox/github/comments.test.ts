/** Comments and reactions, by people and by the App. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Person } from '../../../sandbox/github/seed.ts';
import { bearer, byCaller, callApi } from './call-api.ts';
import { digits, issueOne, startWorld, statusOf, type Octokit, type World } from './world.ts';

let world: World;
let wes: Octokit['rest'];
let rae: Octokit['rest'];
let bot: World['installation']['rest'];

beforeAll(async () => {
  world = await startWorld();
  wes = world.as('writer').rest;
  rae = world.as('reader').rest;
  bot = world.installation.rest;
});
afterAll(() => world.close());
beforeEach(async () => {
  await events();
});

const events = (): Promise<string[]> => world.takeEvents();
async function say(body: string, by = wes) {
  return (await by.issues.createComment({ ...issueOne, body })).data;
}

describe('a comment', () => {
  it('is told with its author, exactly as it was written', async () => {
    const body = '/train gpu=T4\r\n\r\n```\n<b>&amp; 🚂 ‮\u0007```';
    const { data, status, headers } = await wes.issues.createComment({ ...issueOne, body });
    expect(status).toBe(201);
    expect(headers.location).toBe(data.url);
    expect(data).toMatchObject({
      ...{ body, user: { login: 'wes', id: 2002, type: 'User' }, performed_via_github_app: null },
      ...{ author_association: 'COLLABORATOR', created_at: data.updated_at },
    });
    expect(data.html_url).toBe(`${world.github.web}/acme/digits/pull/1#issuecomment-${data.id}`);
    expect(await events()).toEqual(['issue_comment.created']);
    expect(world.receiver.last('issue_comment.created').payload).toMatchObject({
      comment: { id: data.id, body },
      issue: { number: 1, pull_request: {} },
      sender: { login: 'wes' },
    });
    expect((await wes.issues.getComment({ ...digits, comment_id: data.id })).data).toEqual(data);
  });

  it.each([65_535, 65_536])('may have %d characters', async (length) => {
    expect((await say('ä'.repeat(length))).body).toHaveLength(length);
  });

  it('of the App says that it is the App’s', async () => {
    const { data } = await bot.issues.createComment({ ...issueOne, body: 'Training' });
    expect(data).toMatchObject({
      user: { login: 'trainyard[bot]', type: 'Bot' },
      performed_via_github_app: { id: 4242, slug: 'trainyard' },
      author_association: 'NONE',
    });
    expect(await events()).toEqual(['issue_comment.created']);
    expect(world.receiver.last('issue_comment.created').payload).toMatchObject({
      comment: { performed_via_github_app: { slug: 'trainyard' } },
      sender: { type: 'Bot' },
    });
  });

  it.each<{ by: Person; association: string }>([
    { by: 'owner', association: 'COLLABORATOR' },
    { by: 'reader', association: 'COLLABORATOR' },
    { by: 'stranger', association: 'NONE' },
  ])('of $by is one of a $association', async ({ by, association }) => {
    const { author_association: found } = await say('x', world.as(by).rest);
    expect(found).toBe(association);
  });

  it('tells when it is changed what it was, and nothing when it is not', async () => {
    const { id, body } = await say('before');
    await events();
    const change = { ...digits, comment_id: id, body: 'after' };
    expect((await wes.issues.updateComment(change)).data).toMatchObject({ body: 'after' });
    expect(await events()).toEqual(['issue_comment.edited']);
    expect(world.receiver.last('issue_comment.edited').payload).toMatchObject({
      ...{ changes: { body: { from: body } }, comment: { body: 'after' } },
    });
    await wes.issues.updateComment(change);
    expect(await events()).toEqual([]);
  });

  it('is changed and deleted by its author and by people who may write', async () => {
    const callers = ['owner', 'writer', 'reader', 'stranger', 'bot'] as const;
    const tryOn = async (author: typeof wes, method: string) =>
      byCaller([...callers, 'app', 'nobody'], async (caller) => {
        const { id } = await say('x', author);
        const authorization =
          caller === 'nobody'
            ? undefined
            : caller === 'app'
              ? `Bearer ${await installationToken()}`
              : bearer(world, caller as Person);
        const path = `/repos/acme/digits/issues/comments/${id}`;
        const body = method === 'PATCH' ? { body: 'y' } : undefined;
        const { status } = await callApi(world, { authorization, method, path, body });
        return status;
      });
    const others = { owner: 200, writer: 200, bot: 200, stranger: 403, nobody: 401 };
    expect(await tryOn(rae, 'PATCH')).toEqual({ ...others, reader: 200, app: 403 });
    const deleted = { owner: 204, writer: 204, bot: 204, stranger: 403, nobody: 401 };
    expect(await tryOn(rae, 'DELETE')).toEqual({ ...deleted, reader: 204, app: 403 });
    // Writers may change the App's comments too: a marker in one proves nothing by itself.
    const asApp = bot;
    expect(await tryOn(asApp, 'PATCH')).toEqual({ ...others, reader: 403, app: 200 });
  });

  const installationToken = async (): Promise<string> => {
    const { data } = await world.app.rest.apps.createInstallationAccessToken({
      installation_id: 7001,
    });
    return data.token;
  };

  it('that is deleted is told once, and is gone with its reactions', async () => {
    const { id } = await say('gone');
    await rae.reactions.createForIssueComment({ ...digits, comment_id: id, content: 'eyes' });
    await events();
    await wes.issues.deleteComment({ ...digits, comment_id: id });
    expect(await events()).toEqual(['issue_comment.deleted']);
    expect(await statusOf(wes.issues.getComment({ ...digits, comment_id: id }))).toBe(404);
    expect(await statusOf(wes.reactions.listForIssueComment({ ...digits, comment_id: id }))).toBe(
      404,
    );
    expect(await statusOf(wes.issues.deleteComment({ ...digits, comment_id: id }))).toBe(404);
  });

  it('on what is no pull request is refused', async () => {
    const nothing = { ...digits, issue_number: 99, body: 'x' };
    expect(await statusOf(wes.issues.createComment(nothing))).toBe(404);
  });

  it('keeps its order over all pages', async () => {
    const octokit = world.as('reader');
    const all = await octokit.paginate(octokit.rest.issues.listComments, {
      ...{ ...issueOne, per_page: 100 },
    });
    const ids = all.map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    const some = await octokit.paginate(octokit.rest.issues.listComments, {
      ...{ ...issueOne, per_page: 3 },
    });
    expect(some.map(({ id }) => id)).toEqual(ids);
  });

  it('is on pages of thirty unless asked otherwise, and of a hundred at most', async () => {
    const count = (await rae.issues.get(issueOne)).data.comments;
    await Promise.all(Array.from({ length: Math.max(0, 101 - count) }, (_, i) => say(`${i}`)));
    const size = async (query: object): Promise<number> =>
      (await rae.issues.listComments({ ...issueOne, ...query })).data.length;
    expect(await size({})).toBe(30);
    expect(await size({ per_page: 1_000 })).toBe(100);
    expect(await size({ per_page: 100, page: 2 })).toBeGreaterThan(0);
    expect(await size({ page: 1_000 })).toBe(0);
  });

  it('is found by the time since when it has changed', async () => {
    const { id, updated_at: updatedAt } = await say('since');
    const list = async (since: string): Promise<number[]> =>
      (await rae.issues.listComments({ ...issueOne, since, per_page: 100 })).data.map(
        (one) => one.id,
      );
    expect(await list(updatedAt)).toContain(id);
    const later = new Date(new Date(updatedAt).getTime() + 60_000).toISOString();
    expect(await list(later)).toEqual([]);
  });
});

describe('a reaction', () => {
  it('is made once by each, and taken back by who made it', async () => {
    const { id: commentId } = await say('react');
    const comment = { ...digits, comment_id: commentId };
    const react = (by: typeof wes, content: 'eyes' | 'rocket') =>
      by.reactions.createForIssueComment({ ...comment, content });
    const first = await react(rae, 'eyes');
    expect(first).toMatchObject({ status: 201, data: { content: 'eyes', user: { login: 'rae' } } });
    const again = await react(rae, 'eyes');
    expect(again).toMatchObject({ status: 200, data: { id: first.data.id } });
    expect((await react(wes, 'eyes')).status).toBe(201);
    const byApp = await bot.reactions.createForIssueComment({ ...comment, content: 'rocket' });
    expect(byApp.data.user).toMatchObject({ login: 'trainyard[bot]' });

    const { data } = await rae.issues.getComment(comment);
    expect(data.reactions).toMatchObject({ total_count: 3, eyes: 2, rocket: 1, '+1': 0 });
    const list = await rae.reactions.listForIssueComment({ ...comment, content: 'eyes' });
    expect(list.data.map(({ user }) => user?.login)).toEqual(['rae', 'wes']);

    const reaction = { ...comment, reaction_id: first.data.id };
    expect(await statusOf(wes.reactions.deleteForIssueComment(reaction))).toBe(403);
    expect(await statusOf(rae.reactions.deleteForIssueComment(reaction))).toBe(204);
    expect(await statusOf(rae.reactions.deleteForIssueComment(reaction))).toBe(404);
    // GitHub has no event for reactions.
    expect(await events()).toEqual(['issue_comment.created']);
  });

  it('that there is none of is malformed', async () => {
    const { id } = await say('react');
    const path = `/repos/acme/digits/issues/comments/${id}/reactions`;
    const authorization = bearer(world, 'reader');
    const body = { content: 'train' };
    const answer = await callApi(world, { authorization, method: 'POST', path, body });
    expect(answer.status).toBe(422);
    expect(world.takeViolations()).toHaveLength(1);
    expect((await callApi(world, { method: 'POST', path, body: { content: 'eyes' } })).status).toBe(
      401,
    );
  });
});
