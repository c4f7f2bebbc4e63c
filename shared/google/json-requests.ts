/**
 * Requests to a Google API as plain JSON, for what the client libraries drop on the way: a request in, the
 * answer's JSON out. Nothing is repeated here; see requests.ts.
 */
import type { Endpoint } from './endpoint.ts';

export interface JsonRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Its parts must have been checked: they go into a URL as they are. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export type SendJson = (request: JsonRequest) => Promise<unknown>;

const timeoutMs = 60_000;
/** A page of a hundred builds with all their steps. */
const maxBytes = 32 * 1024 ** 2;

/** @param host gets our token, so it must be a literal of the code */
export function createJsonRequests(
  host: string,
  {
    endpoint,
    accessToken,
  }: { readonly endpoint: Endpoint; readonly accessToken: () => Promise<string> },
): SendJson {
  const isLocal = endpoint.kind === 'local';
  return async ({ method, path, query = {}, body }) => {
    const url = new URL(`${isLocal ? endpoint.url : `https://${host}`}${path}`);
    for (const [name, value] of Object.entries({ alt: 'json', ...query })) {
      url.searchParams.set(name, value);
    }
    const answer = await fetch(url, {
      method,
      headers: {
        ...(isLocal ? {} : { authorization: `Bearer ${await accessToken()}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await readText(answer);
    if (!answer.ok) throw Object.assign(new Error(text.slice(0, 4_000)), { response: answer });
    return text === '' ? {} : (JSON.parse(text) as unknown);
  };
}

async function readText(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const body = answer.body as AsyncIterable<Uint8Array> | null;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
