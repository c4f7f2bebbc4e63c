/** Registering the App: what GitHub is asked for, and that its secrets reach the file and nothing else. */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSetup, type Setup } from '../../../app/setup/setup-server.ts';
import { readSettings } from '../../../app/settings.ts';
import { generateKeyPairSync } from 'node:crypto';

const appYml = await readFile(new URL('../../../app/app.yml', import.meta.url), 'utf8');
const pem = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
}) as string;
const secret = 'a-webhook-secret-of-github';
let directory = '';
let envFile = '';
let github: Server;
let asked: string[] = [];
let setup: Setup | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trainyard-setup-'));
  envFile = join(directory, 'trainyard.env');
  asked = [];
  github = createServer((incoming, response) => {
    asked.push(`${incoming.method ?? ''} ${incoming.url ?? ''}`);
    const known = incoming.url === '/app-manifests/goodcode/conversions';
    response.writeHead(known ? 201 : 404, { 'content-type': 'application/json' });
    const html_url = 'https://github.com/apps/trainyard-acme';
    const app = { id: 4242, pem, webhook_secret: secret, client_secret: 'unused', html_url };
    response.end(JSON.stringify(known ? app : { message: 'Not Found' }));
  });
  await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  await setup?.close();
  setup = undefined;
  github.close();
  await rm(directory, { recursive: true, force: true });
});

async function start(): Promise<Setup> {
  setup = await startSetup({
    ...{ appYml, envFile, port: 0, organization: 'acme', githubUrl: 'https://github.com' },
    webhookUrl: 'https://trainyard.example/webhooks/github',
    githubApiUrl: `http://127.0.0.1:${(github.address() as AddressInfo).port}`,
  });
  return setup;
}

function callback(url: string): string {
  return new URL('/callback', url).href;
}

async function page(url: string): Promise<{ action: URL; manifest: Record<string, unknown> }> {
  const text = await (await fetch(url)).text();
  const unescape = (html = ''): string => html.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  return {
    action: new URL(unescape(/action="([^"]+)"/.exec(text)?.[1])),
    manifest: JSON.parse(unescape(/name="manifest" value="([^"]+)"/.exec(text)?.[1])) as never,
  };
}

it('asks for what app.yml says, keeps the secrets in a file of its owner, and shows none', async () => {
  const { url, registered } = await start();
  const { action, manifest } = await page(url);
  expect(`${action.origin}${action.pathname}`).toBe(
    'https://github.com/organizations/acme/settings/apps/new',
  );
  expect(manifest).toMatchObject({
    hook_attributes: { url: 'https://trainyard.example/webhooks/github', active: true },
    redirect_url: callback(url),
    public: false,
    default_permissions: { contents: 'read', checks: 'write' },
  });
  const state = action.searchParams.get('state') ?? '';
  const back = await fetch(`${callback(url)}?code=goodcode&state=${state}`);
  const shown = await back.text();
  expect(back.status).toBe(200);
  for (const text of [pem.slice(40, 80), secret, '4242']) expect(shown).not.toContain(text);
  expect(await registered).toBe('https://github.com/apps/trainyard-acme/installations/new');
  expect((await stat(envFile)).mode & 0o777).toBe(0o600);
  const lines = (await readFile(envFile, 'utf8')).trim().split('\n');
  const env = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const settings = readSettings({ ...env, TRAINYARD_CONFIG: 'x' });
  expect(settings).toMatchObject({
    ok: true,
    value: { appId: 4242, privateKey: pem.trim(), webhookSecret: secret },
  });
  expect((await fetch(`${callback(url)}?code=goodcode&state=${state}`)).status).toBe(409);
  expect(asked).toEqual(['POST /app-manifests/goodcode/conversions']);
});

it('takes no answer but GitHub’s to its own question', async () => {
  const { url } = await start();
  const { action } = await page(url);
  const state = action.searchParams.get('state') ?? '';
  expect((await fetch(`${callback(url)}?code=goodcode&state=guess`)).status).toBe(400);
  expect((await fetch(`${callback(url)}?code=goodcode`)).status).toBe(400);
  expect((await fetch(`${callback(url)}?code=..%2F..%2Fuser&state=${state}`)).status).toBe(400);
  const elsewhere = await new Promise<number | undefined>((resolve) => {
    request(url, { headers: { host: 'evil.example' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end();
  });
  expect(elsewhere).toBe(403);
  // The page has the state on it, so it is for whoever was told its address.
  for (const other of ['/', '/?key=', '/?key=guess'])
    expect((await fetch(new URL(other, url))).status).toBe(404);
  expect(asked).toEqual([]);
  // A code that GitHub does not know leaves the question open.
  expect((await fetch(`${callback(url)}?code=badcode&state=${state}`)).status).toBe(502);
  expect((await fetch(`${callback(url)}?code=goodcode&state=${state}`)).status).toBe(200);
});

it('never writes over a file that is there', async () => {
  await writeFile(envFile, 'precious');
  await expect(start()).rejects.toThrow('EEXIST');
  expect(await readFile(envFile, 'utf8')).toBe('precious');
});
