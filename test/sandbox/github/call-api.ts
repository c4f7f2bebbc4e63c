/** One call of the REST API as a table writes it: who, which method and path, which body. */
import { createSign } from 'node:crypto';
import type { Person } from '../../../sandbox/github/seed.ts';
import { requestRaw } from './raw-request.ts';
import { appId, privateKey, type World } from './world.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed where it is JSON. */
  readonly data: unknown;
}
export interface ApiCall {
  /** The value of `Authorization`; undefined: not signed in. */
  readonly authorization?: string | undefined;
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function callApi(world: World, call: ApiCall): Promise<Answer> {
  const { authorization, method = 'GET', path, body, headers } = call;
  const answer = await requestRaw(world.github.web, {
    method,
    path: `/api/v3${path}`,
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = answer.body.toString('utf8');
  const isJson =
    text !== '' && String(answer.headers['content-type']).startsWith('application/json');
  return { ...answer, data: isJson ? (JSON.parse(text) as unknown) : text };
}

export function bearer(world: World, person: Person): string {
  return `Bearer ${world.github.tokens[person]}`;
}

/** A JSON web token as the App makes it, with whatever a test changes. Times are seconds. */
export function jwt(
  claims: Readonly<Record<string, unknown>> = {},
  change: { readonly header?: object; readonly key?: string; readonly signature?: string } = {},
): string {
  const now = Math.floor(Date.now() / 1_000);
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = part(change.header ?? { alg: 'RS256', typ: 'JWT' });
  const signed = `${header}.${part({ iss: appId, iat: now - 60, exp: now + 540, ...claims })}`;
  const signature =
    change.signature ??
    createSign('RSA-SHA256')
      .update(signed)
      .sign(change.key ?? privateKey, 'base64url');
  return `${signed}.${signature}`;
}

/** Several people's answers to one question, by name. */
export async function byCaller<T>(
  callers: readonly string[],
  ask: (caller: string) => Promise<T>,
): Promise<Record<string, T>> {
  const answers: Record<string, T> = {};
  for (const caller of callers) answers[caller] = await ask(caller);
  return answers;
}
