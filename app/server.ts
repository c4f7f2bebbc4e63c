/**
 * The HTTP front: webhook deliveries, health, metrics and the dashboard. Probot's own server is not used:
 * it buffers bodies without limit before it checks them, and acknowledges what it has not stored.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { ReceiveDelivery } from './webhooks/receive-delivery.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly receive: ReceiveDelivery;
  readonly dashboard: () => Promise<string>;
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
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const { status, text, type } =
    pathname === '/webhooks/github'
      ? await takeDelivery(request, options)
      : await showPage(request.method, pathname, options);
  // An unread body is not worth reading; the connection ends with the answer.
  if (!request.complete) response.setHeader('connection', 'close');
  reply(response, status, text, type);
}

async function takeDelivery(request: IncomingMessage, options: ServerOptions): Promise<Reply> {
  if (request.method !== 'POST') return { status: 405, text: 'POST only' };
  const reply = await options.receive(request);
  options.metrics.delivery(reply.result);
  return reply;
}

async function showPage(
  method: string | undefined,
  pathname: string,
  options: ServerOptions,
): Promise<Reply> {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, text: 'GET only' };
  switch (pathname) {
    case '/healthz':
      return { status: 200, text: 'ok' };
    case '/readyz': {
      const ready = await options.isReady().catch(() => false);
      return ready ? { status: 200, text: 'ready' } : { status: 503, text: 'not ready' };
    }
    case '/metrics': {
      const { registry } = options.metrics;
      return { status: 200, text: await registry.metrics(), type: registry.contentType };
    }
    case '/dashboard':
      return { status: 200, text: await options.dashboard(), type: 'text/html; charset=utf-8' };
    default:
      return { status: 404, text: 'not found' };
  }
}

function reply(
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'content-security-policy':
      "default-src 'none'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  });
  response.end(text);
}
