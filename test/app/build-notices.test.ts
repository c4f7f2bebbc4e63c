/** Pub/Sub's pushes: whose token they carry decides, and what they say is only where to look. */
import { createSign, generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals';
import nock from 'nock';
import { createNoticeReceiver } from '../../app/webhooks/receive-build-notice.ts';
import { log } from './app-under-test.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const other = generateKeyPairSync('rsa', { modulusLength: 2048 });
const audience = 'https://trainyard.example/pubsub/cloud-builds';
const account = 'pubsub@demo-project.iam.gserviceaccount.com';
const looked: string[] = [];
let server: Server;
let url = '';

beforeAll(async () => {
  const receive = createNoticeReceiver({
    ...{ audience, account, log },
    wakeRun: (id) => {
      looked.push(`run ${id}`);
      return Promise.resolve();
    },
    lookAtBuilds: (project, region) => looked.push(`${project} ${region}`),
  });
  server = createServer((request, response) => {
    void receive(request).then(({ status, text }) => response.writeHead(status).end(text));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  nock('https://www.googleapis.com')
    .persist()
    .get('/oauth2/v1/certs')
    .reply(200, { known: publicKey.export({ type: 'spki', format: 'pem' }) });
  nock.enableNetConnect('127.0.0.1');
});
afterAll(() => {
  nock.cleanAll();
  nock.restore();
  server.close();
});
beforeEach(() => {
  looked.length = 0;
});

interface Token {
  readonly kid?: string;
  readonly key?: typeof privateKey;
  readonly claims?: Readonly<Record<string, unknown>>;
}

function tokenOf({ kid = 'known', key = privateKey, claims = {} }: Token): string {
  const now = Math.floor(Date.now() / 1_000);
  const encode = (value: unknown): string =>
    Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = [
    encode({ alg: 'RS256', typ: 'JWT', kid }),
    encode({
      ...{ iss: 'https://accounts.google.com', aud: audience, sub: '1', iat: now, exp: now + 600 },
      ...{ email: account, email_verified: true, ...claims },
    }),
  ].join('.');
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`;
}

async function push(build: unknown, token: string | undefined): Promise<number> {
  const data = Buffer.from(JSON.stringify(build)).toString('base64');
  const response = await fetch(url, {
    method: 'POST',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    body: JSON.stringify({ message: { data, attributes: {} }, subscription: 'any' }),
  });
  return response.status;
}

const ours = {
  name: 'projects/demo-project/locations/global/builds/11111111-2222-3333-4444-555555555555',
  tags: ['trainyard', 'trainyard-run-k7q2m4xa'],
};

it('looks at the run, or where a trigger built', async () => {
  expect(await push(ours, tokenOf({}))).toBe(204);
  expect(looked).toEqual(['run k7q2m4xa']);
  expect(await push({ ...ours, tags: [], buildTriggerId: 'x' }, tokenOf({}))).toBe(204);
  expect(looked.at(-1)).toBe('demo-project global');
});

it.each<{ name: string; token: string | undefined }>([
  { name: 'no token', token: undefined },
  { name: 'no JWT', token: 'x.y.z' },
  { name: 'a key that Google does not publish', token: tokenOf({ kid: 'unknown' }) },
  { name: 'a signature of another key', token: tokenOf({ key: other.privateKey }) },
  { name: 'another audience', token: tokenOf({ claims: { aud: 'https://evil.example' } }) },
  { name: 'another issuer', token: tokenOf({ claims: { iss: 'https://evil.example' } }) },
  { name: 'another account', token: tokenOf({ claims: { email: 'me@evil.example' } }) },
  { name: 'an unverified address', token: tokenOf({ claims: { email_verified: false } }) },
  { name: 'a token of yesterday', token: tokenOf({ claims: { iat: 1, exp: 601 } }) },
])('does nothing for $name', async ({ token }) => {
  expect(await push(ours, token)).toBe(401);
  expect(looked).toEqual([]);
});

it.each<{ name: string; build: unknown }>([
  { name: 'no build', build: 'x' },
  { name: 'a name that is none', build: { name: '../../x', buildTriggerId: 'x' } },
  { name: 'no tags of ours', build: { ...ours, tags: ['other'] } },
])('takes and forgets $name', async ({ build }) => {
  expect(await push(build, tokenOf({}))).toBe(204);
  expect(looked).toEqual([]);
});
