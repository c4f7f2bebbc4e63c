/** The JSON body of a request from the page, or the status and sentence to refuse it with. */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { CsrfTokens, Session } from './session.ts';

interface Refused {
  readonly status: number;
  readonly message: string;
}

/** A comment has at most 65,536 characters; this many bytes hold them even if all need escaping. */
const maxBytes = 512 * 1024;

/**
 * Only JSON is taken, which no foreign form can send without asking first, and only with the token that
 * was on the page.
 */
export async function readJsonBody<T>(
  request: IncomingMessage,
  schema: z.ZodType<T>,
  session: Session,
  csrf: CsrfTokens,
): Promise<{ readonly value: T } | { readonly refused: Refused }> {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/json') {
    return refuse(415, 'Send application/json.');
  }
  const token = request.headers['x-csrf-token'];
  if (!csrf.isValid(session, typeof token === 'string' ? token : undefined)) {
    return refuse(
      403,
      'This page is from before the sandbox was started. Reload it and try again.',
    );
  }
  try {
    const text = await readText(request);
    if (text === undefined) return refuse(413, 'The comment is too long.');
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return { value: parsed.data };
    return refuse(422, `The request lacks ${parsed.error.issues[0]?.path.join('.') ?? 'a field'}.`);
  } catch {
    // Also a client that went away in the middle: then nobody reads the answer.
    return refuse(400, 'The request is not JSON.');
  }
}

/** Undefined when there is too much of it. It is read to the end all the same, or no answer would arrive. */
async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
  }
  return bytes > maxBytes ? undefined : Buffer.concat(chunks).toString('utf8');
}

function refuse(status: number, message: string): { refused: Refused } {
  return { refused: { status, message } };
}
