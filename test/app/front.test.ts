/** What the HTTP front lets in: nothing that is not signed, small, JSON and stored. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMetrics } from '../../app/metrics.ts';
import { startServer, type RunningServer, type ServerOptions } from '../../app/server.ts';
import { dueDeliveries } from '../../app/store/deliveries.ts';
import { openStore, type Store } from '../../app/store/open-store.ts';
import { createReceiver } from '../../app/webhooks/receive-delivery.ts';
import { log } from './app-under-test.ts';
import { commentCreated, deliver, headersOf, pullSynchronized } from './deliveries.ts';

let dataDir = '';
let store: Store;
let server: RunningServer;
let serverOptions: ServerOptions;
let isDatabaseUp = true;
const woken: string[] = [];
const user = { id: 7, login: 'olivia', type: 'User' };
const comment = {
  ...{ id: 5, body: '/help', created_at: '2026-01-02T03:04:05Z', user },
  performed_via_github_app: null,
};
/** A comment's delivery, with more in it. */
const usable = (extra: Record<string, unknown> = {}): string =>
  JSON.stringify(commentCreated(comment, extra));

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'trainyard-front-'));
  store = await openStore({ databaseUrl: undefined, dataDir }, log);
  const receive = createReceiver({
    secret: 'it is a secret, really',
    get db() {
      if (!isDatabaseUp) throw new Error('the database is away');
      return store.db;
    },
    now: () => new Date(),
    wake: (id) => {
      woken.push(id);
      return id === 'unwakeable' ? Promise.reject(new Error('no queue')) : Promise.resolve();
    },
    log,
  });
  const sources = { now: () => new Date(), budgets: () => new Map<number, never>() };
  const metrics = createMetrics(store.db, sources);
  serverOptions = {
    ...{ host: '127.0.0.1', port: 0, receive, log, metrics },
    dashboard: () => Promise.resolve(''),
    adminToken: undefined,
    isReady: () => Promise.resolve(isDatabaseUp),
  };
  server = await startServer(serverOptions);
});
afterAll(async () => {
  await server.close();
  await store.close();
  await rm(dataDir, { recursive: true, force: true });
});

async function stored(id: string): Promise<Buffer | undefined> {
  const row = await store.db
    .selectFrom('deliveries')
    .select('body')
    .where('id', '=', id)
    .executeTakeFirst();
  return row && Buffer.from(row.body);
}

describe('deliveries', () => {
  it('are stored byte for byte, NUL and all, and acknowledged', async () => {
    const body = usable().replace(/^{/, '{  "a":"\\u0000ü",');
    expect(await deliver(server.url, body, { id: 'nul' })).toBe(202);
    expect((await stored('nul'))?.toString()).toBe(body);
    expect(woken).toContain('nul');
  });

  it('are stored once', async () => {
    await deliver(server.url, usable({ n: 1 }), { id: 'twice' });
    expect(await deliver(server.url, usable({ n: 2 }), { id: 'twice' })).toBe(202);
    expect((await stored('twice'))?.toString()).toBe(usable({ n: 1 }));
    expect(woken.filter((id) => id === 'twice')).toHaveLength(1);
  });

  it('wake nobody when they are comments that ask for nothing', async () => {
    const said = commentCreated({ ...comment, body: 'Looks good, see /train in the README.' });
    expect(await deliver(server.url, said, { id: 'chat' })).toBe(202);
    expect(await stored('chat')).toBeDefined();
    expect(woken).not.toContain('chat');
    expect(await dueDeliveries(store.db, new Date(), 100)).not.toContain('chat');
  });

  it('are acknowledged when nobody could be woken: they are safe', async () => {
    expect(await deliver(server.url, usable(), { id: 'unwakeable' })).toBe(202);
  });

  it('of pull requests leave a receipt of the head in the same transaction', async () => {
    const at = new Date('2026-01-02T03:04:05Z');
    await deliver(server.url, pullSynchronized(at), { id: 'head', event: 'pull_request' });
    const receipt = await store.db.selectFrom('heads').selectAll().executeTakeFirstOrThrow();
    expect(receipt).toMatchObject({ delivery_id: 'head', pull_number: 1, happened_at: at });
  });

  it('of other events and actions are acknowledged and not kept', async () => {
    expect(await deliver(server.url, usable({ action: 'edited' }), { id: 'edit' })).toBe(202);
    expect(await stored('edit')).toBeUndefined();
    expect(await deliver(server.url, '{}', { id: 'star', event: 'star' })).toBe(202);
    expect(await stored('star')).toBeUndefined();
  });

  it.each([
    { what: 'no issue', payload: { ...commentCreated(comment), issue: undefined } },
    {
      what: 'a number beyond all tables',
      payload: { ...commentCreated(comment), issue: { number: 2 ** 31 } },
    },
    { what: 'an id that is no number', payload: commentCreated({ ...comment, id: '5' as never }) },
    { what: 'nothing', payload: { action: 'created' } },
    { what: 'a list', payload: [] },
  ])('with $what are acknowledged and not kept', async ({ what, payload }) => {
    const id = what.replaceAll(' ', '-');
    expect(await deliver(server.url, payload, { id })).toBe(202);
    expect(await stored(id)).toBeUndefined();
  });

  it('are not acknowledged when they could not be stored', async () => {
    isDatabaseUp = false;
    expect(await deliver(server.url, usable(), { id: 'lost' })).toBe(503);
    isDatabaseUp = true;
    expect(await deliver(server.url, usable(), { id: 'lost' })).toBe(202);
  });

  it.each([
    { name: 'unsigned', headers: { 'x-hub-signature-256': '' }, status: 400 },
    { name: 'signed with sha1 only', headers: { 'x-hub-signature-256': 'sha1=00' }, status: 400 },
    {
      name: 'wrongly signed',
      headers: { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` },
      status: 401,
    },
    { name: 'without an id', headers: { 'x-github-delivery': '' }, status: 400 },
    { name: 'without an event', headers: { 'x-github-event': '' }, status: 400 },
    {
      name: 'a form',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      status: 400,
    },
  ])('that are $name are refused', async ({ name, headers, status }) => {
    const id = name.replaceAll(' ', '-');
    expect(await deliver(server.url, '{}', { id, headers })).toBe(status);
    expect(await stored(id)).toBeUndefined();
  });

  it.each([
    ['not JSON', '{'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('that are %s are refused', async (_name, body) => {
    const response = await fetch(`${server.url}/webhooks/github`, {
      method: 'POST',
      headers: headersOf(body, { id: 'bad' }),
      body: typeof body === 'string' ? body : new Uint8Array(body),
    });
    expect([400, 401]).toContain(response.status);
    expect(await stored('bad')).toBeUndefined();
  });

  it('that announce too much are refused before a byte of them is read', async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    const lines = Object.entries({ ...headersOf('{}'), 'content-length': '30000000', host: 'x' });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`POST /webhooks/github HTTP/1.1\r\n${head}\r\n`);
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (data) => resolve(data.toString())),
    );
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('that stream too much are cut off', async () => {
    const status = await new Promise<number | undefined>((resolve) => {
      const sent = request(
        `${server.url}/webhooks/github`,
        { method: 'POST', headers: headersOf('{}') },
        (response) => resolve(response.statusCode),
      );
      sent.on('error', () => resolve(undefined));
      const chunk = Buffer.alloc(1024 ** 2);
      for (let sentMb = 0; sentMb < 40; sentMb++) sent.write(chunk);
      sent.end();
    });
    // A client that does not listen while it writes sees its connection closed.
    expect([413, undefined]).toContain(status);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  });
});

it.each([
  { path: '/healthz', status: 200 },
  { path: '/readyz', status: 200 },
  { path: '/metrics', status: 200 },
  { path: '/', status: 404 },
  { path: '/webhooks/github', status: 405 },
  { path: '/webhooks/../dashboard/x', status: 404 },
])('GET $path is $status', async ({ path, status }) => {
  expect((await fetch(server.url + path)).status).toBe(status);
});

it('answers an address that is none', async () => {
  const { port } = new URL(server.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write('GET // HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  const answer = await new Promise<string>((resolve) =>
    socket.once('data', (data) => resolve(data.toString())),
  );
  expect(answer).toMatch(/^HTTP\/1\.1 404 /);
});

describe('what all repositories are shown in', () => {
  const paths = ['/metrics', '/dashboard'];
  const headersOfProxies = [
    { host: 'trainyard.example' },
    { 'x-forwarded-for': '203.0.113.9' },
    { forwarded: 'for=203.0.113.9' },
  ];
  const statusOf = (url: string, headers: Record<string, string>): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request(url, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.once('error', reject);
      sent.end();
    });

  it('is for this machine alone without a token', async () => {
    for (const path of paths) {
      expect(await statusOf(server.url + path, {})).toBe(200);
      for (const headers of headersOfProxies) {
        expect(await statusOf(server.url + path, headers as Record<string, string>)).toBe(403);
      }
    }
  });

  it('is for those who have the token, if there is one', async () => {
    const adminToken = 'a-token-of-sixteen';
    const other = await startServer({ ...serverOptions, adminToken });
    const basic = (password: string): string =>
      `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}`;
    for (const path of paths) {
      const ask = (authorization?: string): Promise<number> =>
        statusOf(other.url + path, authorization === undefined ? {} : { authorization });
      expect(await ask()).toBe(401);
      expect(await ask('Bearer wrong')).toBe(401);
      expect(await ask(basic('wrong'))).toBe(401);
      expect(await ask(`Bearer ${adminToken}`)).toBe(200);
      expect(await ask(basic(adminToken))).toBe(200);
    }
    expect(await statusOf(`${other.url}/healthz`, {})).toBe(200);
    await other.close();
  });
});

it('is not ready without its database', async () => {
  isDatabaseUp = false;
  expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
  isDatabaseUp = true;
});

it('keeps the audit trail append-only', async () => {
  await store.db
    .insertInto('events')
    .values({
      at: new Date(),
      kind: 'command',
      repository_id: null,
      run_id: null,
      actor_id: null,
      detail: '{}',
    })
    .execute();
  await expect(store.db.deleteFrom('events').execute()).rejects.toThrow(/append-only/);
  await expect(store.db.updateTable('events').set({ kind: 'x' }).execute()).rejects.toThrow(
    /append-only/,
  );
});
