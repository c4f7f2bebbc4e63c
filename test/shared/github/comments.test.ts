/** Whose comments are ours: never what they say, always who wrote them. */
import { describe, expect, it } from '@jest/globals';
import type { Octokit } from '../../../shared/github/client.ts';
import { findOwnComment, whoAmI, type Author } from '../../../shared/github/comments.ts';

const marker = 'the marker';

interface Wire {
  readonly id: number;
  readonly body: string;
  readonly created_at: string;
  readonly user: { readonly id: number; readonly login: string; readonly type: string } | null;
  readonly performed_via_github_app: { readonly id: number } | null;
}

function comment(id: number, user: Wire['user'], appId?: number, body = marker): Wire {
  const app = appId === undefined ? null : { id: appId };
  return { id, body, created_at: '2026-01-02T03:00:00Z', user, performed_via_github_app: app };
}

const actions = { id: 41_898_282, login: 'github-actions[bot]', type: 'Bot' };
const olivia = { id: 7, login: 'olivia', type: 'User' };
/** Anybody may call themselves so, but is no bot. */
const impostor = { id: 8, login: 'github-actions[bot]', type: 'User' };

function githubWith(comments: readonly Wire[]): Octokit {
  return {
    request: (_route, { per_page, page } = {}) => {
      const size = Number(per_page);
      const from = (Number(page) - 1) * size;
      return Promise.resolve({ status: 200, data: comments.slice(from, from + size) });
    },
  };
}

const find = (comments: readonly Wire[], author: Author) =>
  findOwnComment(
    githubWith(comments),
    { owner: 'acme', repo: 'digits', issueNumber: 1, author },
    (body) => body === marker,
  );

describe('findOwnComment', () => {
  const chatter = Array.from({ length: 250 }, (_, i) =>
    comment(1_000 + i, olivia, undefined, 'hi'),
  );
  it.each<[string, Author, Wire]>([
    ['the bot of a workflow', { botLogin: actions.login }, comment(1, actions, 15_368)],
    ['a person', { userId: olivia.id }, comment(1, olivia)],
    ['an App', { appId: 4_242 }, comment(1, { ...actions, login: 'trainyard[bot]' }, 4_242)],
  ])('finds what %s wrote, on any page', async (_who, author, mine) => {
    expect(await find([...chatter, mine], author)).toBe(1);
  });

  it.each<[string, Author, Wire]>([
    ['a person with the name of a bot', { botLogin: actions.login }, comment(1, impostor)],
    ['another person', { userId: 99 }, comment(1, olivia)],
    ['a person through an App', { userId: olivia.id }, comment(1, olivia, 5)],
    ['another App', { appId: 4_242 }, comment(1, actions, 15_368)],
    ['an account that is gone', { userId: olivia.id }, comment(1, null)],
  ])('does not take the marker of %s', async (_who, author, foreign) => {
    expect(await find([foreign], author)).toBeUndefined();
  });
});

describe('whoAmI', () => {
  const answering = (status: number, data: unknown, headers = {}): Octokit => ({
    request: () =>
      status === 200
        ? Promise.resolve({ status, data })
        : Promise.reject(
            Object.assign(new Error('refused'), { status, response: { headers, data } }),
          ),
  });

  it('is the person of a personal token', async () => {
    expect(await whoAmI(answering(200, { id: 7 }))).toEqual({ userId: 7 });
  });

  it("is the bot of GitHub Actions with a workflow's own token, which may not ask", async () => {
    expect(await whoAmI(answering(403, {}))).toEqual({ botLogin: 'github-actions[bot]' });
  });

  it.each([
    [401, {}],
    [502, {}],
    [403, { 'retry-after': '60' }],
  ])('does not guess after %i with %j', async (status, headers) => {
    await expect(whoAmI(answering(status, {}, headers))).rejects.toMatchObject({ status });
  });
});
