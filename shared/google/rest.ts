/**
 * Requests that no client library of ours makes, or of whose answers it drops a part: a request to one of Google's
 * hosts in, the answer's bytes or JSON out. Nothing is repeated here; see requests.ts.
 */
import type { z } from 'zod';
import { CloudError } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';

interface RestRequest {
  /** Of an allow-listed form: it gets our token. */
  readonly host: string;
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Its parts must have been checked: they go into a URL as they are. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly accept?: string;
  readonly maxBytes: number;
  /** Whether a GET's answer may lie elsewhere, where our token has no business. */
  readonly mayLieElsewhere?: boolean;
}

/** @throws what `toCloudError` understands: the answer, and its text as the message */
export type Rest = (request: RestRequest) => Promise<Buffer>;

type JsonRequest = Pick<RestRequest, 'method' | 'path' | 'query' | 'body'>;

/** To one host. */
export type SendJson = (request: JsonRequest) => Promise<unknown>;

const timeoutMs = 60_000;
/** A page of a hundred builds with all their steps. */
const maxJsonBytes = 32 * 1024 ** 2;

interface RestOptions {
  readonly endpoint: Endpoint;
  /** Not asked for at a local endpoint. */
  readonly accessToken: () => Promise<string>;
}

export function createRest({ endpoint, accessToken }: RestOptions): Rest {
  const isLocal = endpoint.kind === 'local';
  return async ({ host, method = 'GET', path, query = {}, body, accept, ...options }) => {
    const url = new URL(`${isLocal ? endpoint.url : `https://${host}`}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(url, {
      method,
      headers: {
        ...(isLocal ? {} : { authorization: `Bearer ${await accessToken()}` }),
        ...(accept === undefined ? {} : { accept }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal,
    });
    const location = answer.headers.get('location');
    if (options.mayLieElsewhere !== true || !isRedirect(answer) || location === null) {
      return bytesOf(answer, options.maxBytes);
    }
    const elsewhere = new URL(location, url);
    if (elsewhere.protocol !== 'https:' && !isLocal) throw new Error('a redirect to plain HTTP');
    return bytesOf(await fetch(elsewhere, { redirect: 'manual', signal }), options.maxBytes);
  };
}

export function jsonRequests(rest: Rest, host: string): SendJson {
  return async (request) => {
    const query = { alt: 'json', ...request.query };
    const bytes = await rest({ ...request, host, query, maxBytes: maxJsonBytes });
    return bytes.length === 0 ? {} : (JSON.parse(bytes.toString('utf8')) as unknown);
  };
}

/** What was asked for, if it has the form that it should have. */
export function parseRead<T>(operation: string, schema: z.ZodType<T>, answer: unknown): T {
  return parse({ operation, ambiguous: false }, schema, answer);
}

/** The same of something that was done: it is, whatever its receipt looks like. */
export function parseWritten<T>(operation: string, schema: z.ZodType<T>, answer: unknown): T {
  return parse({ operation, ambiguous: true }, schema, answer);
}

function parse<T>(
  { operation, ambiguous }: { readonly operation: string; readonly ambiguous: boolean },
  schema: z.ZodType<T>,
  answer: unknown,
): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new CloudError(operation, 'the answer does not have the expected form', {
    status: 200,
    retryable: false,
    ambiguous,
    cause: parsed.error,
  });
}

function isRedirect({ status }: Response): boolean {
  return status >= 300 && status < 400;
}

async function bytesOf(answer: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) {
      // As if the service had refused it: asking again would bring as much.
      throw Object.assign(new Error(`the answer has more than ${maxBytes} bytes`), { status: 413 });
    }
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (answer.ok) return bytes;
  const text = bytes.toString('utf8').slice(0, 4_000);
  throw Object.assign(new Error(text), { response: answer });
}
