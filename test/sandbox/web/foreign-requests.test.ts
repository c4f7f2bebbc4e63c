/**
 * Whoever can comment on the page can run code on this machine, so no page but its own may: each request here
 * differs in one thing from the one that the page sends.
 */
import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFakeGitHub, type FakeGitHub } from './fake-github.ts';

let github: FakeGitHub;
/** What a browser sends along when the page itself posts. */
let own: OutgoingHttpHeaders;
const pullPath = '/acme/digits/pull/1';

beforeAll(async () => {
  github = await startFakeGitHub();
  const page = await ask('GET', pullPath, { host: `127.0.0.1:${github.port}` });
  own = {
    host: `127.0.0.1:${github.port}`,
    origin: github.url,
    'sec-fetch-site': 'same-origin',
    'sec-fetch-mode': 'cors',
    'content-type': 'application/json',
    cookie: page.cookie,
    'x-csrf-token': /data-csrf="(\w+)"/.exec(page.text)?.[1] ?? '',
  };
});
afterAll(async () => {
  await github.close();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly cookie: string;
}

/** `fetch` does not let its caller set these headers, as little as a browser does. */
async function ask(
  method: string,
  path: string,
  headers: OutgoingHttpHeaders,
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { port: github.port, host: '127.0.0.1', method, path, headers };
    const request = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const [cookie = ''] = (response.headers['set-cookie']?.[0] ?? '').split(';');
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, text, cookie });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

const comment = JSON.stringify({ body: '/train gpu=T4', as: 'owner' });

const differences: readonly (readonly [string, OutgoingHttpHeaders, number])[] = [
  ['another web site', { origin: 'https://evil.example' }, 403],
  ['another port of this machine', { origin: 'http://127.0.0.1:1' }, 403],
  ['our address over TLS', { origin: 'https://127.0.0.1' }, 403],
  ['a sandboxed frame or a file', { origin: 'null' }, 403],
  ['a site that hides its origin', { origin: undefined, 'sec-fetch-site': 'cross-site' }, 403],
  ['a neighbour site', { origin: undefined, 'sec-fetch-site': 'same-site' }, 403],
  ['a link or form', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 403],
  ['a rebound name', { host: 'evil.example', origin: undefined }, 403],
  ['a rebound name with our port', { host: 'evil.example:$PORT', origin: undefined }, 403],
  ['a name that begins like ours', { host: '127.0.0.1.evil.example:$PORT' }, 403],
  ['another port in the name', { host: '127.0.0.1:1' }, 403],
  ['a page without the token', { 'x-csrf-token': undefined }, 403],
  ['a page with an empty token', { 'x-csrf-token': '' }, 403],
  ['a page with a made-up token', { 'x-csrf-token': '0'.repeat(64) }, 403],
  ['a browser without the session', { cookie: '' }, 403],
  ['another session', { cookie: `sandbox_session=${'x'.repeat(32)}` }, 403],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
  ['a form that looks like JSON', { 'content-type': 'text/plain' }, 415],
  ['a request without a type', { 'content-type': undefined }, 415],
];

describe.each([`${pullPath}/comments`, '/-/preview'])('POST %s', (path) => {
  it.each(differences)('from %s is refused in words', async (_, changes, status) => {
    const host = changes['host'] ?? own['host'];
    const headers = Object.entries({
      ...own,
      ...changes,
      host: typeof host === 'string' ? host.replace('$PORT', String(github.port)) : '',
    }).filter(([, value]) => value !== undefined);
    const answer = await ask('POST', path, Object.fromEntries(headers), comment);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(/\w+ \w+/);
    expect(github.state.comments).toEqual([]);
    expect(github.requests.filter((request) => request.startsWith('POST'))).toEqual([]);
  });
});

describe('GET', () => {
  it.each([
    ['the page, with its token', pullPath],
    ['what changes on it', `${pullPath}/live`],
    ['its scripts', '/-/assets/page.js'],
  ])('%s is not readable from elsewhere', async (_, path) => {
    for (const changes of [{ origin: 'https://evil.example' }, { host: 'evil.example' }]) {
      const answer = await ask('GET', path, { host: `127.0.0.1:${github.port}`, ...changes });
      expect(answer.status).toBe(403);
      expect(answer.text).not.toContain('csrf');
    }
  });

  it('a link from elsewhere shows the page, which nobody can frame', async () => {
    const answer = await ask('GET', pullPath, {
      host: `localhost:${github.port}`,
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
    });
    expect(answer.status).toBe(200);
  });
});

it('the page itself is not refused', async () => {
  const answer = await ask('POST', `${pullPath}/comments`, own, comment);
  expect(answer.status).toBe(201);
  expect(github.state.comments).toHaveLength(1);
});
