import { request, createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { guard } from '../../sandbox/guard.ts';

describe('guard', () => {
  let server: Server;
  let port: number;

  beforeAll(async () => {
    server = createServer((incoming, response) => {
      if (!guard(incoming, response, port)) response.end('served');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterAll(() => new Promise((resolve) => server.close(resolve)));

  /** fetch does not let a caller choose Host or Sec-Fetch-*; a hostile client does. */
  const statusOf = (headers: Record<string, string>, method = 'GET'): Promise<number> =>
    new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port, method, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      outgoing.on('error', reject).end();
    });

  const host = (name: string): string => name.replace('PORT', String(port));

  it.each([
    { name: 'this machine by address', headers: { host: '127.0.0.1:PORT' }, status: 200 },
    { name: 'this machine by name', headers: { host: 'localhost:PORT' }, status: 200 },
    { name: 'a rebound name', headers: { host: 'evil.example:PORT' }, status: 403 },
    {
      name: 'a name that only begins alike',
      headers: { host: '127.0.0.1.evil:PORT' },
      status: 403,
    },
    { name: 'another port', headers: { host: '127.0.0.1:1' }, status: 403 },
    { name: 'no port', headers: { host: '127.0.0.1' }, status: 403 },
    {
      name: 'its own page',
      headers: { host: '127.0.0.1:PORT', origin: 'http://127.0.0.1:PORT' },
      status: 200,
    },
    {
      name: 'another page',
      headers: { host: '127.0.0.1:PORT', origin: 'https://evil.example' },
      status: 403,
    },
    { name: 'an opaque page', headers: { host: '127.0.0.1:PORT', origin: 'null' }, status: 403 },
    {
      name: 'another page that sends no Origin',
      headers: { host: '127.0.0.1:PORT', 'sec-fetch-site': 'cross-site' },
      status: 403,
    },
    {
      name: 'another port of the same machine',
      headers: { host: '127.0.0.1:PORT', 'sec-fetch-site': 'same-site' },
      status: 403,
    },
    {
      name: 'a link that somebody followed',
      headers: {
        host: '127.0.0.1:PORT',
        'sec-fetch-site': 'cross-site',
        'sec-fetch-mode': 'navigate',
      },
      status: 200,
    },
  ])('answers $status to $name', async ({ headers, status }) => {
    const filled = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k, host(v)]));
    expect(await statusOf(filled)).toBe(status);
  });

  it('refuses a form that another page posts by navigating', async () => {
    const headers = {
      host: host('127.0.0.1:PORT'),
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
    };
    expect(await statusOf(headers, 'POST')).toBe(403);
  });
});
