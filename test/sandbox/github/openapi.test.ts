/** What is served is GitHub's API: routes, refusals, and the extract of its description. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { matchOperation } from '../../../sandbox/github/api/openapi.ts';
import { operations } from '../../../sandbox/github/api/operations.ts';
import { bearer, callApi, jwt } from './call-api.ts';
import { startWorld, type World } from './world.ts';

const extract = JSON.parse(readFileSync('sandbox/github/openapi/github.json', 'utf8')) as {
  operations: Record<string, { method: string; path: string }>;
};
let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

describe('the extract of GitHub’s description', () => {
  const installed = 'node_modules/@octokit/openapi/package.json';
  const drift = existsSync(installed) ? it : it.skip;

  drift(
    'is what the script makes of it (skipped unless @octokit/openapi is installed)',
    async () => {
      const run = promisify(execFile);
      await run(process.execPath, ['scripts/extract-openapi.mjs', '--check']);
    },
  );

  it('has each operation where the official client looks for it', () => {
    const methods = Object.values(world.as('owner').rest).flatMap((scope) =>
      Object.values(scope as Record<string, { endpoint: { DEFAULTS: Endpoint } }>),
    );
    const known = new Set(
      methods.map(({ endpoint: { DEFAULTS } }) => `${DEFAULTS.method} ${anyNames(DEFAULTS.url)}`),
    );
    const unknown = Object.keys(operations).filter((id) => {
      const { method, path } = routeOf(id);
      return !known.has(`${method} ${anyNames(path)}`);
    });
    expect(unknown).toEqual([]);
  });

  interface Endpoint {
    readonly method: string;
    readonly url: string;
  }
  /** Clients rename some of the parameters. */
  const anyNames = (path: string): string => path.replace(/\{\w+\}/g, '{}');
});

describe('routes', () => {
  it.each([
    { method: 'GET', path: '/nothing' },
    { method: 'GET', path: '/repos/acme/digits/nothing' },
    { method: 'DELETE', path: '/repos/acme/digits' },
    { method: 'PUT', path: '/repos/acme/digits/issues/1/comments' },
    { method: 'POST', path: '/graphql' },
    { method: 'GET', path: '/repos/acme' },
    { method: 'GET', path: '' },
  ])('$method $path is nothing that there is', async ({ method, path }) => {
    const answer = await callApi(world, { authorization: bearer(world, 'owner'), method, path });
    expect(answer).toMatchObject({
      status: 404,
      data: {
        message: 'Not Found',
        documentation_url: 'https://docs.github.com/rest',
        status: '404',
      },
    });
    expect(world.takeViolations()).toMatchObject([
      { method, path: `/api/v3${path}`, operation: undefined, status: 404 },
    ]);
  });

  it.each([
    { name: 'a repository', path: '/repos/acme/nothing' },
    { name: 'an owner', path: '/repos/nobody/digits' },
    { name: 'a pull request', path: '/repos/acme/digits/pulls/99' },
    { name: 'a number that is none', path: '/repos/acme/digits/pulls/one' },
    { name: 'a comment', path: '/repos/acme/digits/issues/comments/1' },
    { name: 'a path out of it', path: '/repos/acme/digits/contents/..%2f..%2fstate.json' },
    { name: 'a blob', path: '/repos/acme/digits/git/blobs/--help' },
    { name: 'a tree', path: '/repos/acme/digits/git/trees/--help' },
    { name: 'a branch', path: '/repos/acme/digits/branches/no%20branch' },
    { name: 'an account', path: '/users/__proto__' },
  ])('$name that does not exist is a 404 and no mistake of the caller’s', async ({ path }) => {
    const answer = await callApi(world, { authorization: bearer(world, 'owner'), path });
    expect(answer.status).toBe(404);
    expect(world.takeViolations()).toEqual([]);
  });

  it('are those of each operation’s own path', () => {
    for (const id of Object.keys(operations)) {
      const { method, path } = routeOf(id);
      const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => `some-${name}`);
      expect(matchOperation(method, filled).id).toBe(id);
    }
  });

  it('take names with slashes where GitHub does', () => {
    const match = (path: string) => matchOperation('GET', `/repos/acme/digits${path}`);
    expect(match('/contents/a/b%20c')).toMatchObject({ pathParameters: { path: 'a/b c' } });
    expect(match('/git/ref/heads/feature/x')).toMatchObject({
      pathParameters: { ref: 'heads/feature/x' },
    });
    expect(match('/commits/feature/x/check-runs')).toMatchObject({
      ...{ id: 'checks/list-for-ref', pathParameters: { ref: 'feature/x' } },
    });
  });
});

describe('malformed requests', () => {
  const comments = '/repos/acme/digits/issues/1/comments';
  const pulls = '/repos/acme/digits/pulls';
  const checks = '/repos/acme/digits/check-runs';
  const statuses = `/repos/acme/digits/statuses/${'a'.repeat(40)}`;
  const check = { name: 'x', head_sha: 'a'.repeat(40) };
  const output = { title: 'x', summary: 'x' };
  const annotation = {
    ...{ path: 'train.py', start_line: 1, end_line: 2 },
    ...{ annotation_level: 'notice', message: 'x' },
  };

  it.each([
    { what: 'no body', path: comments, body: {}, says: `"body" wasn't supplied` },
    { what: 'a body that is no text', path: comments, body: { body: 1 }, says: "For 'body'" },
    { what: 'a blank body', path: comments, body: { body: ' \n' }, says: 'Validation Failed' },
    {
      what: 'a body of 65,537 characters',
      ...{ path: comments, body: { body: 'x'.repeat(65_537) }, says: 'Validation Failed' },
    },
    {
      what: 'a key that there is none of',
      ...{ path: comments, body: { body: 'x', text: 'y' }, says: '"text" is not a permitted key' },
    },
    { what: 'no base', path: pulls, body: { head: 'x' }, says: `"base" wasn't supplied` },
    {
      what: 'a title of 257 characters',
      ...{ path: pulls, body: { head: 'x', base: 'main', title: 'x'.repeat(257) } },
      says: 'Validation Failed',
    },
    {
      what: 'an unknown state',
      ...{ path: statuses, body: { state: 'done' }, says: "For 'state'" },
    },
    {
      what: 'a description of 141 characters',
      ...{ path: statuses, body: { state: 'success', description: 'x'.repeat(141) } },
      says: 'Validation Failed',
    },
  ])('of people, with $what, are refused', async ({ path, body, says }) => {
    const authorization = bearer(world, 'writer');
    const answer = await callApi(world, { authorization, method: 'POST', path, body });
    expect(answer).toMatchObject({
      status: 422,
      data: {
        message: expect.stringContaining(says),
        documentation_url: expect.stringContaining('https://docs.github.com/rest/'),
        status: '422',
      },
    });
    expect(world.takeViolations()).toMatchObject([{ method: 'POST', status: 422 }]);
  });

  it.each([
    { what: 'no name', body: { head_sha: check.head_sha }, says: `"name" wasn't supplied` },
    {
      what: 'completed without a conclusion',
      ...{ body: { ...check, status: 'completed' }, says: 'Validation Failed' },
    },
    {
      what: 'an end without a conclusion',
      ...{ body: { ...check, completed_at: '2026-01-06T10:30:00Z' }, says: 'Validation Failed' },
    },
    { what: 'an unknown conclusion', body: { ...check, conclusion: 'good' }, says: 'conclusion' },
    { what: 'no time', body: { ...check, started_at: 'now' }, says: 'started_at' },
    { what: 'no summary', body: { ...check, output: { title: 'x' } }, says: 'summary' },
    {
      what: 'a title of 256 characters',
      body: { ...check, output: { ...output, title: 'x'.repeat(256) } },
      says: 'Validation Failed',
    },
    {
      what: 'a summary of 65,536 characters',
      ...{
        body: { ...check, output: { ...output, summary: 'x'.repeat(65_536) } },
        says: 'summary',
      },
    },
    {
      what: 'a summary of 65,536 bytes',
      ...{
        body: { ...check, output: { ...output, summary: 'é'.repeat(32_768) } },
        says: 'Validation Failed',
      },
    },
    {
      what: '51 annotations',
      body: { ...check, output: { ...output, annotations: Array(51).fill(annotation) } },
      says: 'annotations',
    },
    {
      what: 'columns over several lines',
      body: { ...check, output: { ...output, annotations: [{ ...annotation, start_column: 1 }] } },
      says: 'Validation Failed',
    },
    {
      what: 'four buttons',
      body: { ...check, actions: Array(4).fill({ label: 'a', description: 'b', identifier: 'c' }) },
      says: 'actions',
    },
    {
      what: 'a button’s label of 21 characters',
      body: {
        ...check,
        actions: [{ label: 'x'.repeat(21), description: 'b', identifier: 'c' }],
      },
      says: 'label',
    },
  ])('of check runs, with $what, are refused', async ({ body, says }) => {
    const { data } = await callApi(world, {
      authorization: `Bearer ${jwt()}`,
      ...{ method: 'POST', path: '/app/installations/7001/access_tokens' },
    });
    const authorization = `Bearer ${(data as { token: string }).token}`;
    const answer = await callApi(world, { authorization, method: 'POST', path: checks, body });
    expect(answer).toMatchObject({
      status: 422,
      data: { message: expect.stringContaining(says) },
    });
    expect(world.takeViolations()).toMatchObject([{ operation: 'checks/create', status: 422 }]);
  });

  it.each([
    { path: `${comments}?since=yesterday`, says: 'since' },
    { path: `${comments}?per_page=many`, says: 'per_page' },
    { path: `${pulls}?state=ended`, says: 'state' },
  ])('with the query of $path are refused', async ({ path, says }) => {
    const answer = await callApi(world, { path });
    expect(answer).toMatchObject({
      status: 422,
      data: { message: expect.stringContaining(says) },
    });
    expect(world.takeViolations()).toHaveLength(1);
  });

  it.each([
    { what: 'no JSON', body: '{', type: 'application/json', status: 400 },
    { what: 'a list', body: '[]', type: 'application/json', status: 400 },
    { what: 'text', body: '"x"', type: 'application/json', status: 400 },
    { what: 'null', body: 'null', type: 'application/json', status: 400 },
    { what: 'a form’s type', body: '{"body":"x"}', type: 'text/plain', status: 415 },
    {
      what: 'a form',
      ...{ body: 'body=x', type: 'application/x-www-form-urlencoded', status: 415 },
    },
  ])('with $what are refused with $status', async ({ body, type, status }) => {
    const headers = { authorization: bearer(world, 'owner'), 'content-type': type };
    const response = await fetch(`${world.github.api}${comments}`, {
      ...{ method: 'POST', headers, body },
    });
    expect(response.status).toBe(status);
    expect(world.takeViolations()).toMatchObject([{ status }]);
  });

  it('are still refused to those who may not', async () => {
    // Bad credentials come first, so that a typing mistake in a token is not taken for one in a body.
    const answer = await callApi(world, {
      authorization: 'Bearer ghp_nobody',
      ...{ method: 'POST', path: comments, body: {} },
    });
    expect(answer.status).toBe(401);
    expect(world.takeViolations()).toEqual([]);
  });
});

describe('answers', () => {
  it('carry the headers that clients read', async () => {
    const { headers } = await callApi(world, { path: '/repos/acme/digits' });
    expect(headers).toMatchObject({
      'x-ratelimit-limit': '60',
      'x-ratelimit-resource': 'core',
      'x-ratelimit-remaining': expect.stringMatching(/^\d+$/),
      'x-ratelimit-reset': expect.stringMatching(/^\d{10}$/),
      'x-github-media-type': 'github.v3; format=json',
      'x-github-request-id': expect.stringMatching(/^[0-9A-F]{20}$/),
      'content-type': 'application/json; charset=utf-8',
    });
  });

  it('are not repeated to those who have them', async () => {
    const path = '/repos/acme/digits/pulls/1';
    const first = await callApi(world, { path });
    const headers = { 'if-none-match': String(first.headers['etag']) };
    expect(await callApi(world, { path, headers })).toMatchObject({ status: 304, data: '' });
    await world
      .as('owner')
      .rest.pulls.update({ owner: 'acme', repo: 'digits', pull_number: 1, title: 'Another' });
    expect(await callApi(world, { path, headers })).toMatchObject({ status: 200 });
  });

  it('to HEAD have no body', async () => {
    const answer = await callApi(world, { method: 'HEAD', path: '/repos/acme/digits' });
    expect(answer).toMatchObject({ status: 200 });
  });
});

/** The route of an operation, from the extract itself. */
function routeOf(id: string): { method: string; path: string } {
  return extract.operations[id]!;
}
