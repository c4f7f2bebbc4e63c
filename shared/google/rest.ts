/** What no client library of ours reads: an address at Google in, the answer's bytes out. */
import type { Endpoint } from './endpoint.ts';

export interface Rest {
  readonly endpoint: Endpoint;
  /** Not asked for at a local endpoint. */
  readonly accessToken: () => Promise<string>;
}

const timeoutMs = 60_000;

/**
 * @param host of an allow-listed form: it gets the token
 * @throws what `toCloudError` understands: the status, and the answer's text as the message
 */
export async function get(
  { endpoint, accessToken }: Rest,
  host: string,
  path: string,
  options: { readonly accept: string; readonly maxBytes: number },
): Promise<Buffer> {
  const isLocal = endpoint.kind === 'local';
  const url = `${isLocal ? endpoint.url : `https://${host}`}${path}`;
  const authorization = isLocal ? {} : { authorization: `Bearer ${await accessToken()}` };
  const headers = { ...authorization, accept: options.accept };
  const signal = AbortSignal.timeout(timeoutMs);
  let answer = await fetch(url, { headers, redirect: 'manual', signal });
  const location = answer.headers.get('location');
  if (answer.status >= 300 && answer.status < 400 && location !== null) {
    // A blob may lie elsewhere, where the token has no business.
    const elsewhere = new URL(location, url);
    if (elsewhere.protocol !== 'https:' && !isLocal) throw new Error('a redirect to plain HTTP');
    answer = await fetch(elsewhere, { redirect: 'error', signal });
  }
  const bytes = await readBounded(answer, options.maxBytes);
  if (answer.ok) return bytes;
  throw Object.assign(new Error(bytes.toString('utf8').slice(0, 4_000)), { status: answer.status });
}

async function readBounded(answer: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
