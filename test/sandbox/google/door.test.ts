/** The server's door: who is let in, and what is left open by nobody. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jobOf, parent, startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await world.call('POST', '/storage/v1/b?project=demo-project', { name: 'demo' });
});
afterAll(() => world.close());

/** fetch does not let a caller choose Host or Sec-Fetch-*; a hostile client does. */
function ask(
  verb: string,
  path: string,
  headers: Record<string, string>,
  body = '',
): Promise<number> {
  return new Promise((resolve, reject) => {
    const filled = Object.entries(headers).map(([k, v]) => [
      k,
      v.replace('PORT', String(world.port)),
    ]);
    const outgoing = request(
      {
        host: '127.0.0.1',
        port: world.port,
        method: verb,
        path,
        headers: Object.fromEntries(filled) as Record<string, string>,
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    outgoing.on('error', reject).end(body);
  });
}

const here = { host: '127.0.0.1:PORT' };
const create = `/v1/${parent}/customJobs`;
const json = { 'content-type': 'application/json' };

describe.each([
  ['a job', 'POST', create, JSON.stringify(jobOf())],
  ['a bucket', 'POST', '/storage/v1/b?project=demo-project', '{"name":"other-bucket"}'],
  ['an object', 'POST', '/upload/storage/v1/b/demo/o?uploadType=media&name=x', 'x'],
  ['a list', 'GET', '/storage/v1/b/demo/o', ''],
  ['a log', 'GET', '/demo/log-1.txt', ''],
  ['nothing that is served', 'GET', '/whatever', ''],
])('%s is refused to', (_what, verb, path, body) => {
  it.each([
    ['a rebound name', { ...json, host: 'evil.example:PORT' }],
    ['a name that only begins alike', { ...json, host: '127.0.0.1.evil.example:PORT' }],
    ['no port', { ...json, host: '127.0.0.1' }],
    ['a page of another site', { ...json, ...here, origin: 'https://evil.example' }],
    ['an opaque page', { ...json, ...here, origin: 'null' }],
    ['a page that sends no Origin', { ...json, ...here, 'sec-fetch-site': 'cross-site' }],
    ['a page on another port', { ...json, ...here, 'sec-fetch-site': 'same-site' }],
  ])('%s', async (_name, headers) => {
    expect(await ask(verb, path, headers, body)).toBe(403);
  });
});

it('lets this machine in, by address and by name', async () => {
  for (const host of ['127.0.0.1:PORT', 'localhost:PORT']) {
    expect(await ask('GET', create, { host })).toBe(200);
  }
});

it("takes no form that a page could send without the browser's asking first", async () => {
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=b',
  ]) {
    expect(
      await ask('POST', create, { ...here, 'content-type': type }, JSON.stringify(jobOf())),
    ).toBe(400);
  }
});

it('answers what is no request at all, and goes on', async () => {
  for (const text of [
    'GET / HTTP/9\r\n\r\n',
    'hello\r\n\r\n',
    `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
  ]) {
    await new Promise<void>((resolve) => {
      const socket = connect(world.port, '127.0.0.1', () => socket.write(text));
      socket.on('error', () => undefined);
      socket.resume().on('close', () => resolve());
    });
  }
  expect(await ask('GET', '/%ff%00', here)).toBe(404);
  expect(await ask('GET', '//evil.example/x', here)).toBe(404);
  expect(await ask('GET', create, here)).toBe(200);
});

it('listens on the loopback address only', async () => {
  const others = Object.values(networkInterfaces())
    .flat()
    .filter((each) => each?.family === 'IPv4' && !each.internal);
  for (const other of others) {
    const refused = await new Promise((resolve) => {
      const socket = connect(world.port, other!.address, () => resolve(false));
      socket.on('error', () => resolve(true));
      socket.on('connect', () => socket.destroy());
    });
    expect(refused).toBe(true);
  }
});

it('refuses a body that is larger than Google takes', async () => {
  const answer = await world.call('POST', create, `"${'x'.repeat(11 * 1024 * 1024)}"`, json);
  expect(answer.body).toMatchObject({
    error: { code: 400, message: expect.stringContaining('payload size') },
  });
});
