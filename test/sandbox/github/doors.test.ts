/** Who may talk to the sandbox's GitHub at all: clients and pages of this machine, at each of its doors. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bearer } from './call-api.ts';
import { requestRaw, type RawRequest } from './raw-request.ts';
import { startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const comments = '/api/v3/repos/acme/digits/issues/1/comments';
const doors = [
  { door: 'the API', path: '/api/v3/repos/acme/digits', status: 200 },
  { door: 'git', path: '/acme/digits.git/info/refs?service=git-upload-pack', status: 200 },
  { door: 'archives', path: `/_codeload/acme/digits/legacy.tar.gz/${'0'.repeat(40)}`, status: 404 },
  { door: 'the pages', path: '/acme/digits/pull/1', status: 404 },
];

describe.each(doors)('$door', ({ path, status }) => {
  const ask = async (headers: Record<string, string>): Promise<number> =>
    (await requestRaw(world.github.web, { path, headers: filled(headers) })).status;

  it('is open to clients and pages of this machine', async () => {
    expect(await ask({})).toBe(status);
    expect(await ask({ host: 'localhost:PORT' })).toBe(status);
    expect(await ask({ origin: 'http://127.0.0.1:PORT', 'sec-fetch-site': 'same-origin' })).toBe(
      status,
    );
  });

  it.each<{ name: string; headers: Record<string, string> }>([
    { name: 'a name that was rebound to this machine', headers: { host: 'evil.example:PORT' } },
    { name: 'another port', headers: { host: '127.0.0.1:1' } },
    { name: 'another page', headers: { origin: 'https://evil.example' } },
    { name: 'a page without an origin', headers: { origin: 'null' } },
    { name: 'another page’s image', headers: { 'sec-fetch-site': 'cross-site' } },
    { name: 'another port’s page', headers: { 'sec-fetch-site': 'same-site' } },
  ])('is shut to $name', async ({ headers }) => {
    expect(await ask(headers)).toBe(403);
  });
});

/** The port is known only when the server has started. */
function filled(headers: Readonly<Record<string, string>>): Record<string, string> {
  const { port } = new URL(world.github.web);
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replace('PORT', port)]),
  );
}

describe('what another page could send without asking', () => {
  // Even with a token, which it would have to know.
  const post = (raw: Partial<RawRequest>) =>
    requestRaw(world.github.web, {
      ...{ method: 'POST', path: comments, body: '{"body":"/train"}', ...raw },
      headers: { authorization: bearer(world, 'owner'), ...raw.headers },
    });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'is refused as %s',
    async (type) => {
      expect((await post({ headers: { 'content-type': type } })).status).toBe(415);
      expect(world.takeViolations()).toMatchObject([{ status: 415 }]);
    },
  );

  it('is refused without a type', async () => {
    expect((await post({})).status).toBe(415);
    expect(world.takeViolations()).toHaveLength(1);
  });

  it('is taken as JSON from this machine', async () => {
    expect(
      (await post({ headers: { 'content-type': 'application/json; charset=utf-8' } })).status,
    ).toBe(201);
  });

  it('gets no permission when it asks for it', async () => {
    const answer = await requestRaw(world.github.web, {
      method: 'OPTIONS',
      path: comments,
      headers: {
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,authorization',
      },
    });
    expect(answer.status).toBe(403);
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });
});

describe('the server', () => {
  it('listens on this machine alone', () => {
    expect(new URL(world.github.web).hostname).toBe('127.0.0.1');
    expect(new URL(world.github.api).hostname).toBe('127.0.0.1');
  });

  it.each([
    { name: 'no HTTP', bytes: 'nonsense\r\n\r\n' },
    { name: 'a path that is no address', bytes: 'GET http://[ HTTP/1.1\r\nHost: HOST\r\n\r\n' },
    { name: 'a badly encoded path', bytes: 'GET /api/v3/users/%zz HTTP/1.1\r\nHost: HOST\r\n\r\n' },
    { name: 'no host', bytes: 'GET / HTTP/1.1\r\n\r\n' },
    { name: 'an old protocol', bytes: 'GET /api/v3/app HTTP/1.0\r\n\r\n' },
  ])('answers $name and goes on', async ({ bytes }) => {
    const { port, host } = new URL(world.github.web);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => {
        socket.end(
          bytes.replace('HOST', host).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
        );
      });
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    world.takeViolations();
    expect((await requestRaw(world.github.web, { path: '/api/v3/repos/acme/digits' })).status).toBe(
      200,
    );
  });

  it('refuses a body that is larger than anything GitHub takes', async () => {
    const body = `{"body":"${'x'.repeat(26 * 1024 ** 2)}"}`;
    const answer = await requestRaw(world.github.web, {
      ...{ method: 'POST', path: comments, body },
      headers: { authorization: bearer(world, 'owner'), 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(413);
    expect(world.takeViolations()).toMatchObject([{ status: 413 }]);
  });
});
