/** Answers with the headers that every answer of the page has: nothing runs, loads or frames it but itself. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Html } from './html.ts';

const securityHeaders = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    // Mermaid's pictures carry their style sheet with them.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    // Comments are sent by fetch; a form that got onto the page goes nowhere.
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

type Headers = Readonly<Record<string, string>>;

export function send(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string | Buffer,
  headers: Headers = {},
): void {
  response.writeHead(status, {
    ...securityHeaders,
    'cache-control': 'no-store',
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    ...headers,
  });
  response.end(body);
}

export function sendHtml(
  response: ServerResponse,
  status: number,
  page: Html,
  headers?: Headers,
): void {
  send(response, status, 'text/html; charset=utf-8', page.text, headers);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers?: Headers,
): void {
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(value), headers);
}

/** As `send`, but 304 without a body to somebody who has this text already. */
export function sendUnlessKnown(
  request: IncomingMessage,
  response: ServerResponse,
  contentType: string,
  body: string | Buffer,
): void {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  if (request.headers['if-none-match'] !== etag) {
    send(response, 200, contentType, body, { etag, 'cache-control': 'no-cache' });
    return;
  }
  response.writeHead(304, { ...securityHeaders, etag, 'cache-control': 'no-cache' });
  response.end();
}

export function redirect(response: ServerResponse, path: string): void {
  send(response, 302, 'text/plain; charset=utf-8', '', { location: path });
}
