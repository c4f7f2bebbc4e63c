/**
 * Who is looking: cookies in; the browser's session, its CSRF token and the chosen user's role out. The
 * session only ties the token to a browser. There is nothing to log in to, but other pages must not write.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** In the order in which the page offers them. */
export const roles = ['owner', 'writer', 'reader', 'stranger'] as const;
export type Role = (typeof roles)[number];

export interface Session {
  readonly id: string;
  /** Set when the browser does not have the id yet. */
  readonly setCookie: string | undefined;
  readonly role: Role;
}

const sessionCookie = 'sandbox_session';
/** Written by the page itself when another user is chosen; see assets/comment-form.js. */
const roleCookie = 'sandbox_as';

function isRole(value: unknown): value is Role {
  return roles.some((role) => role === value);
}

export function readSession(request: IncomingMessage): Session {
  const cookies = parseCookies(request.headers.cookie ?? '');
  const given = cookies.get(sessionCookie);
  const isKnown = given !== undefined && /^[\w-]{32}$/.test(given);
  const id = isKnown ? given : randomBytes(24).toString('base64url');
  const role = cookies.get(roleCookie);
  return {
    id,
    setCookie: isKnown
      ? undefined
      : `${sessionCookie}=${id}; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict`,
    role: isRole(role) ? role : 'owner',
  };
}

/** Made and checked with a server's own key, so that one server's tokens are no use at another. */
export interface CsrfTokens {
  issue(session: Session): string;
  isValid(session: Session, token: string | undefined): boolean;
}

export function createCsrfTokens(key: Buffer): CsrfTokens {
  const issue = ({ id }: Session): string => createHmac('sha256', key).update(id).digest('hex');
  return {
    issue,
    isValid: (session, token) => {
      const expected = Buffer.from(issue(session));
      const given = Buffer.from(token ?? '');
      // A session that this request has only just been given cannot have a token yet.
      if (session.setCookie !== undefined || given.length !== expected.length) return false;
      return timingSafeEqual(given, expected);
    },
  };
}

function parseCookies(header: string): ReadonlyMap<string, string> {
  const pairs = header.split(';').flatMap((pair): [string, string][] => {
    const at = pair.indexOf('=');
    return at < 0 ? [] : [[pair.slice(0, at).trim(), pair.slice(at + 1).trim()]];
  });
  return new Map(pairs);
}
