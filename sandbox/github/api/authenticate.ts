/**
 * Who is calling: the `Authorization` header in, a caller out. Personal tokens, installation tokens and
 * the App's JSON web tokens are told apart by their form, as GitHub does.
 * @see https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
 */
import { verify } from 'node:crypto';
import { botOf, type AppIdentity, type Hub } from '../hub.ts';
import type { Account, Installation, Permissions } from '../state/model.ts';
import { ApiError } from './reply.ts';

export type Caller =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'person'; readonly account: Account }
  | { readonly kind: 'app' }
  | {
      readonly kind: 'installation';
      readonly account: Account;
      readonly installation: Installation;
      readonly permissions: Permissions;
      readonly repositoryIds: readonly number[] | undefined;
      readonly token: string;
    };

/** A JSON web token may live this long. */
const maxJwtSeconds = 600;
/** Clocks differ a little: an issue time may lie so far in the past, or in the future. */
const leewaySeconds = 60;

/** @throws {ApiError} 401 when there are credentials and they are no good */
export function authenticate(hub: Hub, authorization: string | undefined): Caller {
  if (authorization === undefined || authorization === '') return { kind: 'anonymous' };
  const token = tokenOf(authorization);
  if (token === undefined) throw badCredentials();
  if (token.split('.').length === 3) {
    verifyJwt(token, hub.app, Date.now() / 1_000);
    return { kind: 'app' };
  }
  return personOf(hub, token) ?? installationCaller(hub, token) ?? fail();
}

/** `Bearer`, `token` and, for git, the password of `Basic`. */
function tokenOf(authorization: string): string | undefined {
  const [, scheme, value] = /^(\w+) +(\S+)$/.exec(authorization) ?? [];
  switch (scheme?.toLowerCase()) {
    case 'bearer':
    case 'token':
      return value;
    case 'basic': {
      const text = Buffer.from(value ?? '', 'base64').toString('utf8');
      const password = text.slice(text.indexOf(':') + 1);
      // A token may also be given as the user name, without a password.
      return password === '' || password === 'x-oauth-basic' ? text.split(':')[0] : password;
    }
    default:
      return undefined;
  }
}

function personOf(hub: Hub, token: string): Caller | undefined {
  const tokens = hub.store.state.personalTokens;
  const id = Object.hasOwn(tokens, token) ? tokens[token] : undefined;
  return id === undefined ? undefined : { kind: 'person', account: hub.store.account(id) };
}

function installationCaller(hub: Hub, token: string): Caller | undefined {
  const { state } = hub.store;
  const found = state.installationTokens.find((one) => one.token === token);
  if (found === undefined || new Date(found.expiresAt).getTime() <= Date.now()) return undefined;
  const installation = state.installations.find(({ id }) => id === found.installationId);
  if (installation === undefined) return undefined;
  return {
    kind: 'installation',
    account: botOf(hub),
    installation,
    permissions: found.permissions,
    repositoryIds: found.repositoryIds,
    token,
  };
}

function fail(): never {
  throw badCredentials();
}

function badCredentials(): ApiError {
  return new ApiError(401, 'Bad credentials');
}

/**
 * @param now seconds
 * @throws {ApiError} 401 in GitHub's words, 404 when it is another App's
 */
function verifyJwt(token: string, app: AppIdentity, now: number): void {
  const undecodable = new ApiError(401, 'A JSON web token could not be decoded');
  const [head = '', claims = '', signature = ''] = token.split('.');
  const header = decodePart(head);
  const { iss, iat, exp } = decodePart(claims) ?? {};
  if (header?.['alg'] !== 'RS256') throw undecodable;
  const signed = Buffer.from(`${head}.${claims}`);
  if (!verify('RSA-SHA256', signed, app.publicKey, Buffer.from(signature, 'base64url'))) {
    throw undecodable;
  }
  if (typeof exp !== 'number' || exp <= now) {
    throw new ApiError(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  }
  if (exp > now + maxJwtSeconds) {
    throw new ApiError(401, "'Expiration time' claim ('exp') is too far in the future");
  }
  if (typeof iat !== 'number' || !Number.isInteger(iat) || iat > now + leewaySeconds) {
    throw new ApiError(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  }
  if (exp - iat > maxJwtSeconds + leewaySeconds) {
    throw new ApiError(401, "'Expiration time' claim ('exp') is too far in the future");
  }
  if (String(iss) !== String(app.id)) throw new ApiError(404, 'Integration not found');
}

function decodePart(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return value !== null && typeof value === 'object'
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
