/**
 * Who may see the dashboard and the metrics, which tell of all repositories: whoever has the operator's
 * token, or without one this machine's own clients, and nobody through a proxy.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Undefined lets in; `challenge` is for browsers, which then ask for a password. */
export type Refused = { readonly status: number; readonly text: string; readonly challenge?: true };

const loopbackPeers = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
const loopbackHosts = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/;
const forwarded = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'via'];

export function refuseStranger(
  request: IncomingMessage,
  token: string | undefined,
): Refused | undefined {
  if (token === undefined) {
    return isFromHere(request)
      ? undefined
      : { status: 403, text: 'Set TRAINYARD_ADMIN_TOKEN to see this from elsewhere.' };
  }
  const given = givenToken(request.headers.authorization ?? '');
  if (given !== undefined && isSame(given, token)) return undefined;
  return { status: 401, text: 'This needs TRAINYARD_ADMIN_TOKEN.', challenge: true };
}

/** A page of another origin reaches this machine by a name of its own, a proxy says that it is one. */
function isFromHere({ socket, headers }: IncomingMessage): boolean {
  return (
    loopbackPeers.has(socket.remoteAddress ?? '') &&
    loopbackHosts.test(headers.host ?? '') &&
    !forwarded.some((name) => name in headers)
  );
}

/** As a bearer token, which Prometheus sends, or as the password of any user, which browsers do. */
function givenToken(authorization: string): string | undefined {
  const [scheme = '', value = ''] = authorization.split(' ');
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return undefined;
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return pair.includes(':') ? pair.slice(pair.indexOf(':') + 1) : undefined;
}

/** In a time that says nothing about the token. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
