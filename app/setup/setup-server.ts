/**
 * A server on this machine for the minute that it takes to register the App: a page whose one button sends
 * the manifest to GitHub, and the address that GitHub sends the browser back to. What GitHub answers with is
 * secret: it goes into a file that only its owner can read, and onto no page.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { UserError } from '../../shared/errors.ts';
import { manifestOf } from './manifest.ts';

interface SetupOptions {
  readonly appYml: string;
  readonly webhookUrl: string;
  /** Undefined registers it for the person who is signed in. */
  readonly organization: string | undefined;
  /** `https://github.com` */
  readonly githubUrl: string;
  /** `https://api.github.com` */
  readonly githubApiUrl: string;
  /** Written once; must not exist. */
  readonly envFile: string;
  readonly port: number;
}

export interface Setup {
  /** For the browser. */
  readonly url: string;
  /** Resolves with the address at which the App is installed, once it is registered. */
  readonly registered: Promise<string>;
  close(): Promise<void>;
}

const conversionSchema = z.object({
  id: z.int().positive(),
  html_url: z.url({ protocol: /^https?$/ }),
  pem: z.string().startsWith('-----BEGIN'),
  webhook_secret: z.string().min(16),
});
type Conversion = z.infer<typeof conversionSchema>;

/** @throws {UserError} when the file is there already or cannot be made */
export async function startSetup(options: SetupOptions): Promise<Setup> {
  // Made before anything is registered: secrets that cannot be kept are not asked for.
  const file = await createEnvFile(options.envFile);
  const state = randomBytes(24).toString('base64url');
  const pageKey = randomBytes(24).toString('base64url');
  let finish: (installUrl: string) => void = () => undefined;
  const registered = new Promise<string>((resolve) => (finish = resolve));
  let isUsed = false;
  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo;
    const visit = { ...options, state, pageKey, port };
    answer(request, response, visit, async (code) => {
      if (isUsed) return false;
      isUsed = true;
      const app = await convert(code, options.githubApiUrl).catch((error: unknown) => {
        isUsed = false;
        throw error;
      });
      await writeSecrets(file, app);
      finish(`${app.html_url}/installations/new`);
      return true;
    }).catch((error: unknown) => {
      const text = error instanceof UserError ? `${error.message} ${error.fix}` : 'It failed.';
      if (!response.headersSent) show(response, 502, text);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/?key=${pageKey}`,
    registered,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await file.close();
    },
  };
}

async function createEnvFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    const fix = 'Name another file with --out, or move that one away.';
    throw new UserError('bad_argument', `${path} cannot be made: ${code}.`, fix);
  }
}

interface Visit extends SetupOptions {
  readonly state: string;
  /** Of the page's address. Whoever else is on this machine could read the state off it, and have their own App taken. */
  readonly pageKey: string;
  readonly port: number;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  visit: Visit,
  register: (code: string) => Promise<boolean>,
): Promise<void> {
  const host = `127.0.0.1:${visit.port}`;
  // A page of another name that resolves to this machine would otherwise read ours.
  if (request.headers.host !== host || request.method !== 'GET') {
    show(response, 403, 'This page is for this machine only.');
    return;
  }
  const url = URL.parse(request.url ?? '/', `http://${host}`);
  if (url?.pathname === '/' && isSame(url.searchParams.get('key') ?? '', visit.pageKey)) {
    sendHtml(response, 200, form(visit, host));
    return;
  }
  const code = url?.searchParams.get('code') ?? '';
  if (url?.pathname !== '/callback') show(response, 404, 'There is nothing here.');
  else if (!isSame(url.searchParams.get('state') ?? '', visit.state) || !/^\w{1,100}$/.test(code)) {
    show(response, 400, 'That answer is not to the question that was asked here.');
  } else if (await register(code)) {
    const text = 'The App is registered. Its secrets are in the file; this page can be closed.';
    show(response, 200, text);
  } else show(response, 409, 'The App is registered already.');
}

function form(visit: Visit, host: string): string {
  const { organization, githubUrl, state, webhookUrl, appYml } = visit;
  const account = organization === undefined ? '' : `/organizations/${organization}`;
  const action = `${githubUrl}${account}/settings/apps/new?state=${state}`;
  const manifest = manifestOf(appYml, { webhookUrl, redirectUrl: `http://${host}/callback` });
  return `<form method="post" action="${escape(action)}">
<input type="hidden" name="manifest" value="${escape(JSON.stringify(manifest))}">
<p>GitHub will ask for a name, and send its webhooks to <code>${escape(webhookUrl)}</code>.</p>
<button>Register the App on GitHub</button></form>`;
}

/** @see https://docs.github.com/en/rest/apps/apps#create-a-github-app-from-a-manifest */
async function convert(code: string, githubApiUrl: string): Promise<Conversion> {
  const response = await fetch(`${githubApiUrl}/app-manifests/${code}/conversions`, {
    method: 'POST',
    headers: { accept: 'application/vnd.github+json', 'user-agent': 'trainyard' },
    redirect: 'error',
    signal: AbortSignal.timeout(30_000),
  });
  const parsed = conversionSchema.safeParse(await response.json().catch(() => undefined));
  if (response.status === 201 && parsed.success) return parsed.data;
  throw new UserError(
    'bad_argument',
    `GitHub did not give the App's secrets away (status ${response.status}).`,
    'The code is good for an hour and once: start again.',
  );
}

async function writeSecrets(file: FileHandle, app: Conversion): Promise<void> {
  const lines = [
    `APP_ID=${app.id}`,
    `PRIVATE_KEY=${app.pem.trim().replaceAll(/\r?\n/g, '\\n')}`,
    `WEBHOOK_SECRET=${app.webhook_secret}`,
    `TRAINYARD_ADMIN_TOKEN=${randomBytes(24).toString('base64url')}`,
  ];
  await file.writeFile(`${lines.join('\n')}\n`);
  await file.sync();
}

function isSame(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function show(response: ServerResponse, status: number, text: string): void {
  sendHtml(response, status, `<p>${escape(text)}</p>`);
}

function sendHtml(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'content-security-policy':
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  });
  response.end(
    `<!doctype html><html lang="en"><title>Trainyard</title><body style="font:16px system-ui;max-width:40em;margin:3em auto"><h1>Trainyard</h1>${body}</body></html>`,
  );
}

function escape(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' };
  return text.replaceAll(/[&<>"]/g, (character) => `&${names[character] ?? ''};`);
}
