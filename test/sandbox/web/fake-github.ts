/**
 * A GitHub with one pull request, kept in memory, and the pages in front of it, guarded as in the sandbox:
 * one port with the API below /api/v3. Tests change `state` and look at what the page makes of it.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { guard } from '../../../sandbox/guard.ts';
import { ApiError } from '../../../sandbox/web/api.ts';
import { createPages } from '../../../sandbox/web/pages.ts';

export interface FakeComment {
  id: number;
  body: string;
  user: { login: string; type: string } | null;
  author_association: string;
  created_at: string;
  updated_at: string;
  reactions: Record<string, number | string>;
}

export interface FakeCheck {
  id: number;
  name: string;
  head_sha: string;
  status: string;
  conclusion: string | null;
  started_at: string | null;
  completed_at: string | null;
  details_url: string | null;
  output: { title: string | null; summary: string | null; text: string | null };
  app: { slug: string; name: string };
  pull_requests: { number: number }[];
  actions?: { label: string; description: string; identifier: string }[];
}

export interface FakePull {
  number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  draft: boolean;
  merged: boolean;
  merged_at: string | null;
  closed_at: string | null;
  user: { login: string; type: string };
  author_association: string;
  created_at: string;
  head: { ref: string; sha: string; user: { login: string } | null };
  base: { ref: string; sha: string; user: { login: string } };
}

export interface FakeGitHub {
  readonly url: string;
  readonly port: number;
  readonly state: {
    /** The first is the one with comments, checks and commits. */
    pulls: FakePull[];
    comments: FakeComment[];
    checks: FakeCheck[];
    commits: number;
  };
  /** `METHOD path login` of every request to the API. */
  readonly requests: string[];
  /** `CHECK IDENTIFIER ROLE` of every button that was pressed. */
  readonly pressed: string[];
  addComment(login: string, body: string): FakeComment;
  close(): Promise<void>;
}

export const tokens = { owner: 'to', writer: 'tw', reader: 'tr', stranger: 'ts' } as const;
export const headSha = '3f2c1ab0d4e5f60718293a4b5c6d7e8f90a1b2c3';
const people: Readonly<Record<string, { login: string; name: string; association: string }>> = {
  to: { login: 'olivia', name: 'Olivia', association: 'OWNER' },
  tw: { login: 'wes', name: 'Wes', association: 'COLLABORATOR' },
  tr: { login: 'rae', name: 'Rae', association: 'COLLABORATOR' },
  ts: { login: 'sam', name: 'Sam', association: 'NONE' },
};

export async function startFakeGitHub(): Promise<FakeGitHub> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const { port } = address;
  const url = `http://127.0.0.1:${port}`;
  const fake = createFake(url, port, server);
  const pages = createPages({
    api: () => `${url}/api/v3`,
    tokens: () => tokens,
    pressButton: (id, identifier, role) => {
      if (identifier === 'gone') throw new ApiError('there is no such button', 422);
      fake.pressed.push(`${id} ${identifier} ${role}`);
    },
    repo: 'acme/digits',
    isFromJob: () => false,
    csrfKey: randomBytes(32),
  });
  server.on('request', (request, response) => {
    void serve(fake, pages, request, response);
  });
  return fake;
}

function createFake(url: string, port: number, server: Server): FakeGitHub {
  const state: FakeGitHub['state'] = {
    pulls: [createPull()],
    comments: [],
    checks: [],
    commits: 1,
  };
  return {
    url,
    port,
    state,
    requests: [],
    pressed: [],
    addComment: (login, body) => {
      const isBot = login.endsWith('[bot]');
      const known = Object.values(people).find((person) => person.login === login);
      const comment: FakeComment = {
        id: 500 + state.comments.length,
        body,
        user: { login, type: isBot ? 'Bot' : 'User' },
        author_association: known?.association ?? 'NONE',
        created_at: new Date().toISOString(),
        updated_at: new Date().toISOString(),
        reactions: { url: 'unused', total_count: 0, '+1': 0, eyes: 0, rocket: 0 },
      };
      comment.updated_at = comment.created_at;
      state.comments.push(comment);
      return comment;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function createPull(changes: Partial<FakePull> = {}): FakePull {
  return {
    number: 1,
    title: 'Tune the learning rate',
    body: 'A larger learning rate. Comment `/train gpu=T4` to see what it does.',
    state: 'open',
    draft: false,
    merged: false,
    merged_at: null,
    closed_at: null,
    user: { login: 'wes', type: 'User' },
    author_association: 'COLLABORATOR',
    created_at: '2026-11-20T10:00:00Z',
    head: { ref: 'tune-learning-rate', sha: headSha, user: { login: 'acme' } },
    base: { ref: 'main', sha: '9d0e4f1', user: { login: 'acme' } },
    ...changes,
  };
}

export function createCheck(changes: Partial<FakeCheck> = {}): FakeCheck {
  return {
    id: 77,
    name: 'trainyard / train',
    head_sha: headSha,
    status: 'in_progress',
    conclusion: null,
    started_at: new Date(Date.now() - 60_000).toISOString(),
    completed_at: null,
    details_url: 'http://127.0.0.1:9/dashboard',
    output: { title: 'Running: epoch 7/20', summary: '**Training** `3f2c1ab`', text: null },
    app: { slug: 'trainyard', name: 'trainyard' },
    pull_requests: [{ number: 1 }],
    ...changes,
  };
}

async function serve(
  fake: FakeGitHub,
  pages: ReturnType<typeof createPages>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (guard(request, response, fake.port)) return;
  const { pathname, searchParams } = new URL(request.url ?? '/', fake.url);
  if (!pathname.startsWith('/api/v3')) {
    const isAnswered = await pages(request, response);
    if (!isAnswered) response.writeHead(404).end('not a page');
    return;
  }
  const person = people[(request.headers.authorization ?? '').replace('Bearer ', '')];
  const path = pathname.slice('/api/v3'.length);
  fake.requests.push(`${request.method ?? ''} ${path} ${person?.login ?? 'nobody'}`);
  const answer = await answerApi(fake, path, searchParams, request, person?.login);
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer.body));
}

async function answerApi(
  fake: FakeGitHub,
  path: string,
  query: URLSearchParams,
  request: IncomingMessage,
  login: string | undefined,
): Promise<{ status: number; body: unknown }> {
  const { state } = fake;
  const page = <T>(items: readonly T[]): T[] => {
    const size = Number(query.get('per_page') ?? 30);
    const start = (Number(query.get('page') ?? 1) - 1) * size;
    return items.slice(start, start + size);
  };
  const root = '/repos/acme/digits';
  if (login === undefined) return { status: 401, body: { message: 'Bad credentials' } };
  if (request.method === 'POST' && path === `${root}/issues/1/comments`) {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { body } = JSON.parse(Buffer.concat(chunks).toString()) as { body: string };
    if (body.trim() === '') return { status: 422, body: { message: "Body can't be blank" } };
    return { status: 201, body: fake.addComment(login, body) };
  }
  const known: Readonly<Record<string, () => unknown>> = {
    '/user': () => Object.values(people).find((person) => person.login === login),
    // As GitHub does: lists do not say whether a pull request was merged, but when.
    [`${root}/pulls`]: () =>
      page(
        state.pulls
          .filter((pull) => ['all', pull.state].includes(query.get('state') ?? 'open'))
          .map(({ merged: _, ...pull }) => pull)
          .reverse(),
      ),
    ...Object.fromEntries(state.pulls.map((pull) => [`${root}/pulls/${pull.number}`, () => pull])),
    ...Object.fromEntries(
      state.pulls.flatMap(({ number }, i) => [
        [
          `${root}/pulls/${number}/commits`,
          () => page(Array.from({ length: i === 0 ? state.commits : 1 }, commit)),
        ],
        [`${root}/issues/${number}/comments`, () => page(i === 0 ? state.comments : [])],
      ]),
    ),
    [`${root}/commits/${headSha}/check-runs`]: () => ({
      total_count: state.checks.length,
      check_runs: page(state.checks),
    }),
    ...Object.fromEntries(
      state.checks.map((check) => [`${root}/check-runs/${check.id}`, () => check]),
    ),
  };
  const make = known[path];
  return make === undefined
    ? { status: 404, body: { message: 'Not Found' } }
    : { status: 200, body: make() };
}

function commit(): unknown {
  return {
    sha: headSha,
    commit: {
      message: 'Tune the learning rate\n\nIt was too small.',
      author: { name: 'Wes', email: 'wes@example.com', date: '2026-11-20T09:59:00Z' },
    },
    author: { login: 'wes' },
  };
}
