/**
 * The HTTP front: webhook deliveries, health, metrics and the dashboard. Probot's own server is not used:
 * it buffers bodies without limit before it checks them, and acknowledges what it has not stored.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { refuseStranger, type Refused } from './web/admission.ts';
import type { ReceiveBuildNotice } from './webhooks/receive-build-notice.ts';
import type { ReceiveDelivery } from './webhooks/receive-delivery.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly receive: ReceiveDelivery;
  /** Undefined where nobody sends any. */
  readonly receiveBuildNotice?: ReceiveBuildNotice | undefined;
  readonly dashboard: () => Promise<string>;
  /** What the dashboard and the metrics are shown for; undefined shows them to this machine only. */
  readonly adminToken: string | undefined;
  /** False while it is starting or stopping. */
  readonly isReady: () => Promise<boolean>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface RunningServer {
  /** Where it listens, without a slash at its end. */
  readonly url: string;
  /** Takes no more connections, and waits for the requests that are being answered. */
  close(): Promise<void>;
}

/** GitHub gives up after 10 s; a client that takes longer to send is not GitHub. */
const requestTimeoutMs = 15_000;
const maxConnections = 64;
/** Node looks for those that take too long every 30 s unless told otherwise. */
const connectionsCheckingInterval = 1_000;

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = createServer({ connectionsCheckingInterval }, (request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      options.log.error({ err: error, path: request.url }, 'a request could not be answered');
      if (!response.headersSent) reply(response, 500, 'error');
    });
  });
  // Each may hold a body that is not verified yet; GitHub needs few at a time.
  server.maxConnections = maxConnections;
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = requestTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
): Promise<void> {
  // `//` and the like are no addresses at all.
  const pathname = URL.parse(request.url ?? '/', 'http://localhost')?.pathname ?? '';
  const { status, text, type, headers } = await replyTo(request, pathname, options);
  // An unread body is not worth reading; the connection ends with the answer.
  if (!request.complete) response.setHeader('connection', 'close');
  reply(response, status, text, type, headers);
}

function replyTo(
  request: IncomingMessage,
  pathname: string,
  options: ServerOptions,
): Promise<Reply> {
  const { receiveBuildNotice } = options;
  if (pathname === '/webhooks/github') return takeDelivery(request, options);
  if (pathname === '/pubsub/cloud-builds' && receiveBuildNotice !== undefined) {
    return request.method === 'POST' ? receiveBuildNotice(request) : Promise.resolve(postOnly);
  }
  return showPage(request, pathname, options);
}

const postOnly: Reply = { status: 405, text: 'POST only' };

async function takeDelivery(request: IncomingMessage, options: ServerOptions): Promise<Reply> {
  if (request.method !== 'POST') return postOnly;
  const reply = await options.receive(request);
  options.metrics.delivery(reply.result);
  return reply;
}

async function showPage(
  request: IncomingMessage,
  pathname: string,
  options: ServerOptions,
): Promise<Reply> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { status: 405, text: 'GET only' };
  switch (pathname) {
    case '/healthz':
      return { status: 200, text: 'ok' };
    case '/readyz': {
      const ready = await options.isReady().catch(() => false);
      return ready ? { status: 200, text: 'ready' } : { status: 503, text: 'not ready' };
    }
    case '/metrics':
    case '/dashboard': {
      const refused = refuseStranger(request, options.adminToken);
      return refused === undefined ? showAdmin(pathname, options) : refusal(refused);
    }
    default:
      return { status: 404, text: 'not found' };
  }
}

async function showAdmin(
  pathname: '/metrics' | '/dashboard',
  { metrics: { registry }, dashboard }: ServerOptions,
): Promise<Reply> {
  return pathname === '/metrics'
    ? { status: 200, text: await registry.metrics(), type: registry.contentType }
    : { status: 200, text: await dashboard(), type: 'text/html; charset=utf-8' };
}

function refusal({ status, text, challenge }: Refused): Reply {
  return challenge === true
    ? { status, text, headers: { 'www-authenticate': 'Basic realm="Trainyard", charset="UTF-8"' } }
    : { status, text };
}

function reply(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    ...headers,
    'content-type': type,
    // Known, the answer leaves in one piece.
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy':
      "default-src 'none'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  });
  response.end(text);
}
