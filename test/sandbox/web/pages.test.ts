import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCheck, createPull, startFakeGitHub, type FakeGitHub } from './fake-github.ts';

let github: FakeGitHub;
beforeEach(async () => {
  github = await startFakeGitHub();
});
afterEach(async () => {
  await github.close();
});

const pullPath = '/acme/digits/pull/1';

async function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(github.url + path, { headers, redirect: 'manual' });
}

/** What a browser that has opened the page knows. */
async function open(): Promise<{ cookie: string; csrf: string }> {
  const response = await get(pullPath);
  const [cookie = ''] = (response.headers.get('set-cookie') ?? '').split(';');
  const csrf = /data-csrf="(\w+)"/.exec(await response.text())?.[1] ?? '';
  return { cookie, csrf };
}

async function post(
  body: unknown,
  headers: Record<string, string>,
  path = `${pullPath}/comments`,
): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await fetch(github.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> };
}

describe('addresses', () => {
  it.each([
    ['/', '/acme/digits/pulls'],
    ['/acme/digits', '/acme/digits/pulls'],
    ['/acme/digits/', '/acme/digits/pulls'],
    ['/acme/.github', '/acme/.github/pulls'],
  ])('%s leads to %s', async (path, location) => {
    const response = await get(path);
    expect(response.status).toBe(302);
    expect(response.headers.get('location')).toBe(location);
  });

  it.each([
    ['/acme/digits/pulls/live', 200, 'Tune the learning rate'],
    ['/acme/digits/pulls', 200, 'Tune the learning rate'],
    [pullPath, 200, 'data-testid="comment-box"'],
    [`${pullPath}/commits`, 200, 'data-testid="commit"'],
    [`${pullPath}/checks`, 200, 'No checks have been reported'],
    ['/acme/digits/pull/2', 404, 'There is nothing here'],
    ['/acme/other/pulls', 404, 'There is nothing here'],
    ['/acme/digits/runs/5', 404, 'There is nothing here'],
    ['/-/assets/page.css', 200, '--page'],
    ['/-/assets/mermaid.js', 200, 'xychart'],
    ['/-/assets/..', 404, ''],
    ['/-/assets/pages.ts', 404, 'No such file'],
  ])('%s answers %d', async (path, status, text) => {
    const response = await get(path);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(text);
  });

  it.each([
    '/acme/digits.git/info/refs',
    '/acme/digits.git',
    '/acme/digits/pull/x',
    '/acme/digits/tree/main',
    '/a%2Fb/digits',
    '/-x/y',
  ])('%s is left to others', async (path) => {
    expect(await (await get(path)).text()).toBe('not a page');
  });

  it.each(['/acme/digits/tree/main', '/nonsense', pullPath.replace('1', '7')])(
    '%s tells a person that there is nothing, with a way back',
    async (path) => {
      const response = await get(path, { accept: 'text/html,*/*;q=0.8' });
      expect(response.status).toBe(404);
      const text = await response.text();
      expect(text).toContain('There is nothing here');
      expect(text).toContain('<a href="/">');
    },
  );

  it.each([
    ['POST', pullPath, 'GET'],
    ['GET', `${pullPath}/comments`, 'POST'],
    ['DELETE', '/-/preview', 'POST'],
  ])('%s %s is refused, naming %s', async (method, path, allow) => {
    const response = await fetch(github.url + path, { method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allow);
  });

  it.each([pullPath, `${pullPath}/live`, '/acme/digits/pulls', '/-/assets/page.js', '/'])(
    '%s has the headers that keep it to itself',
    async (path) => {
      const { headers } = await get(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).toContain("form-action 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/https?:|\*/);
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
    },
  );
});

describe('the pull request page', () => {
  it('shows all pages of a long conversation, in the order of time', async () => {
    for (let i = 0; i < 130; i++) github.addComment('sam', `comment ${i}`);
    const text = await (await get(pullPath)).text();
    const shown = [...text.matchAll(/<p>comment (\d+)<\/p>/g)].map(([, number]) => Number(number));
    expect(shown).toEqual(Array.from({ length: 130 }, (_, i) => i));
  });

  it('escapes what is not Markdown', async () => {
    github.state.pulls[0]!.title = '<script>window.hacked = 1</script> & "more"';
    github.state.checks = [createCheck({ name: '<b>"x', details_url: 'javascript:alert(1)' })];
    for (const path of [pullPath, '/acme/digits/pulls', '/acme/digits/runs/77']) {
      const text = await (await get(path)).text();
      expect(text).not.toContain('<script>window');
      expect(text).not.toContain('<b>"x');
      expect(text).not.toContain('javascript:');
    }
  });

  it('marks bots, authors, edits and accounts that are gone', async () => {
    github.addComment('trainyard[bot]', 'hello').updated_at = '2026-11-24T09:00:00Z';
    github.addComment('wes', 'mine');
    github.addComment('sam', 'gone').user = null;
    github.state.comments[1]!.reactions = { eyes: 1, '+1': 2, heart: 0 };
    const text = await (await get(pullPath)).text();
    expect(text).toContain('data-author="trainyard[bot]"');
    expect(text).toContain('<span class="label">bot</span>');
    expect(text).toContain('<span class="label">Author</span>');
    expect(text).toContain('· edited');
    expect(text).toContain('data-author="ghost"');
    expect(text.match(/data-testid="reaction"/g)).toHaveLength(2);
  });

  it.each([
    [[], undefined],
    [[createCheck()], 'Some checks haven’t completed yet'],
    [[createCheck({ status: 'queued' })], 'Some checks haven’t completed yet'],
    [[createCheck({ status: 'completed', conclusion: 'success' })], 'All checks have passed'],
    [[createCheck({ status: 'completed', conclusion: 'skipped' })], 'All checks have passed'],
    [[createCheck({ status: 'completed', conclusion: 'failure' })], 'not successful'],
    [[createCheck({ status: 'completed', conclusion: 'cancelled' })], 'not successful'],
    [[createCheck({ status: 'completed', conclusion: 'new-word' })], 'not successful'],
  ])('sums up its checks', async (checks, title) => {
    github.state.checks = checks;
    const text = await (await get(pullPath)).text();
    const heading = /class="checks-head \w+">\s*<h2>([^<]+)/.exec(text)?.[1];
    if (title === undefined) expect(heading).toBeUndefined();
    else expect(heading).toContain(title);
  });

  it('is read as the user that was chosen, and as the owner where the cookie is nonsense', async () => {
    await get(pullPath, { cookie: 'sandbox_as=reader' });
    expect(github.requests).toContain('GET /repos/acme/digits/pulls/1 rae');
    await get(pullPath, { cookie: 'sandbox_as=__proto__' });
    expect(github.requests).toContain('GET /repos/acme/digits/pulls/1 olivia');
  });
});

describe('several pull requests', () => {
  const later = '2026-11-21T10:00:00Z';
  beforeEach(() => {
    github.state.pulls.push(
      createPull({
        number: 2,
        title: 'From a fork',
        head: { ...createPull().head, ref: 'more-layers', user: { login: 'sam' } },
      }),
      createPull({ number: 3, title: 'Given up', state: 'closed', closed_at: later }),
      createPull({
        ...{ number: 4, title: 'Done', state: 'closed' },
        ...{ closed_at: later, merged: true, merged_at: later },
      }),
      createPull({
        number: 5,
        title: 'Its fork is gone',
        head: { ...createPull().head, user: null },
      }),
      createPull({ number: 6, title: 'Half done', draft: true }),
    );
  });

  it.each([
    ['', ['Half done', 'Its fork is gone', 'From a fork', 'Tune the learning rate']],
    ['?state=closed', ['Done', 'Given up']],
    ['?state=nonsense', ['Half done', 'Its fork is gone', 'From a fork', 'Tune the learning rate']],
  ])('are listed by state at /acme/digits/pulls%s', async (query, titles) => {
    const text = await (await get(`/acme/digits/pulls${query}`)).text();
    expect([...text.matchAll(/class="pull-link"[^>]*>([^<]+)/g)].map(([, title]) => title)).toEqual(
      titles,
    );
    expect(text).toMatch(/4 Open/);
    expect(text).toMatch(/2 Closed/);
  });

  it.each([
    [1, 'Open', 'wants to merge 1 commit', 'tune-learning-rate'],
    [2, 'Open', 'wants to merge 1 commit', 'sam:more-layers'],
    [3, 'Closed', 'wanted to merge 1 commit', 'tune-learning-rate'],
    [4, 'Merged', 'merged 1 commit', 'tune-learning-rate'],
    [5, 'Open', 'wants to merge 1 commit', 'unknown repository:tune-learning-rate'],
    [6, 'Draft', 'wants to merge 1 commit', 'tune-learning-rate'],
  ])('#%d is %s and says what it is about', async (number, state, what, head) => {
    const text = await (await get(`/acme/digits/pull/${number}`)).text();
    const [, meta = ''] = /<p class="pull-meta">([\s\S]+?)<\/p>/.exec(text) ?? [];
    const words = meta.replaceAll(/<[^>]+>/g, '').replaceAll(/\s+/g, ' ');
    expect(words).toContain(state);
    expect(words).toContain(`${what} into main from ${head}`);
    expect(text).toContain('data-testid="comment-box"');
  });
});

describe('live', () => {
  it('answers 304 until something changes', async () => {
    const first = await get(`${pullPath}/live`);
    const etag = first.headers.get('etag') ?? '';
    const { regions } = (await first.json()) as { regions: Record<string, string> };
    expect(Object.keys(regions)).toEqual(['pull-head', 'pull-tabs', 'timeline', 'check-box']);
    expect((await get(`${pullPath}/live`, { 'if-none-match': etag })).status).toBe(304);
    github.addComment('wes', 'new');
    const changed = await get(`${pullPath}/live`, { 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(await changed.text()).toContain('<p>new</p>');
  });

  it('follows a check run, and answers JSON when it is gone', async () => {
    github.state.checks = [createCheck()];
    const accept = { accept: 'application/json' };
    const text = await (await get('/acme/digits/runs/77/live', accept)).text();
    expect(text).toContain('Running: epoch 7/20');
    github.state.checks = [];
    const gone = await get('/acme/digits/runs/77/live', accept);
    expect(gone.status).toBe(404);
    expect(await gone.json()).toEqual({ message: 'Not Found' });
  });
});

describe('commenting', () => {
  it.each([
    ['owner', 'olivia'],
    ['writer', 'wes'],
    ['reader', 'rae'],
    ['stranger', 'sam'],
  ])('as the %s posts as %s', async (as, login) => {
    const { cookie, csrf } = await open();
    const { status } = await post({ body: '/help', as }, { cookie, 'x-csrf-token': csrf });
    expect(status).toBe(201);
    expect(github.state.comments.map(({ user, body }) => [user?.login, body])).toEqual([
      [login, '/help'],
    ]);
  });

  it('is refused with a sentence when it does not come from the page', async () => {
    const { cookie, csrf } = await open();
    const other = await open();
    const body = { body: 'x', as: 'owner' };
    const token = { cookie, 'x-csrf-token': csrf };
    const form = { ...token, 'content-type': 'application/x-www-form-urlencoded' };
    const attempts = [
      [body, { cookie }, 403],
      [body, { 'x-csrf-token': csrf }, 403],
      [body, { cookie, 'x-csrf-token': other.csrf }, 403],
      [body, { cookie, 'x-csrf-token': 'é' }, 403],
      [body, form, 415],
      [body, { ...token, 'content-type': 'text/plain' }, 415],
      ['{', token, 400],
      [{ body: 'x' }, token, 422],
      [{ body: 'x', as: 'bot' }, token, 422],
      [{ body: 'x'.repeat(600_000), as: 'owner' }, token, 413],
      [body, { ...token, origin: 'http://evil.example' }, 403],
    ] as const;
    for (const [value, headers, expected] of attempts) {
      const response = await fetch(`${github.url}${pullPath}/comments`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof value === 'string' ? value : JSON.stringify(value),
      });
      expect(response.status).toBe(expected);
      expect(await response.text()).toMatch(/\w+ \w+/);
    }
    expect(github.state.comments).toEqual([]);
  });

  it('passes on what GitHub has against it', async () => {
    const { cookie, csrf } = await open();
    const token = { cookie, 'x-csrf-token': csrf };
    const blank = await post({ body: ' ', as: 'owner' }, token);
    expect(blank).toEqual({ status: 422, answer: { message: "Body can't be blank" } });
    const nowhere = await post({ body: 'x', as: 'owner' }, token, '/acme/digits/pull/9/comments');
    expect(nowhere.status).toBe(404);
  });

  it('previews Markdown as it will be shown', async () => {
    const { cookie, csrf } = await open();
    const preview = await post(
      { body: '**b** <script>1</script>' },
      { cookie, 'x-csrf-token': csrf },
      '/-/preview',
    );
    expect(preview).toEqual({ status: 200, answer: { html: '<p><strong>b</strong> </p>' } });
    expect((await post({ body: 'x' }, { cookie }, '/-/preview')).status).toBe(403);
  });

  it('survives a client that goes away in the middle', async () => {
    const { cookie, csrf } = await open();
    await new Promise<void>((resolve) => {
      const request = httpRequest(`${github.url}${pullPath}/comments`, {
        method: 'POST',
        headers: { cookie, 'x-csrf-token': csrf, 'content-type': 'application/json' },
      });
      request.on('error', () => resolve());
      request.on('close', () => resolve());
      request.write('{"body": "ha', () => request.destroy());
    });
    expect((await get(pullPath)).status).toBe(200);
  });
});

describe("a check's buttons", () => {
  const press = (identifier: unknown, headers: Record<string, string>): Promise<Response> =>
    fetch(`${github.url}/acme/digits/runs/77/press`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ identifier }),
    });

  it('are pressed by this page only, as whoever it speaks as', async () => {
    github.state.checks = [createCheck()];
    const { cookie, csrf } = await open();
    const token = { cookie, 'x-csrf-token': csrf };
    const before = github.pressed.length;
    expect((await press('cancel', { cookie })).status).toBe(403);
    expect((await press(7, token)).status).toBe(422);
    expect((await press('gone', token)).status).toBe(422);
    expect(github.pressed).toHaveLength(before);
    const asWriter = { ...token, cookie: `${cookie}; sandbox_as=writer` };
    expect((await press('cancel', asWriter)).status).toBe(202);
    expect(github.pressed.at(-1)).toBe('77 cancel writer');
    github.state.checks = [];
    expect((await press('cancel', token)).status).toBe(404);
  });
});
