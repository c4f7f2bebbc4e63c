/** The plumbing of requests and answers that all services share. */
import { createWriteStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { ApiError, invalidArgument } from './wire/api-error.ts';
import type { Json } from './wire/json.ts';

/** One request, taken apart once. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly verb: string;
  /** As sent: still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** `http://127.0.0.1:PORT`, for links in answers. */
  readonly origin: string;
}

/** @see https://cloud.google.com/endpoints/docs/grpc/transcoding (Google's own front end takes 10 MB and more) */
const maxJsonBytes = 10 * 1024 * 1024;

export async function readBytes(
  request: IncomingMessage,
  maxBytes = maxJsonBytes,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) {
      throw invalidArgument(`Request payload size exceeds the limit: ${maxBytes} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Undefined when there is no body. @throws ApiError 400 for what is no JSON or not declared as such. */
export async function readJson(request: IncomingMessage): Promise<Json | undefined> {
  const bytes = await readBytes(request);
  if (bytes.length === 0) return undefined;
  const type = request.headers['content-type'] ?? '';
  // A web page cannot send this type to another site without asking first; every real client sends it.
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw invalidArgument(
      `The content type must be application/json, not ${JSON.stringify(type)}.`,
    );
  }
  return parseJson(bytes);
}

export function parseJson(bytes: Buffer): Json {
  try {
    return JSON.parse(bytes.toString('utf8')) as Json;
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'not JSON';
    throw new ApiError('INVALID_ARGUMENT', `Invalid JSON payload received. ${reason}`);
  }
}

/** Appends the body to a file; what arrived before a broken connection stays there. */
export async function spool(request: IncomingMessage, path: string): Promise<void> {
  await pipeline(request, createWriteStream(path, { flags: 'a', mode: 0o644 }));
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: object | Json,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(`${JSON.stringify(body, null, 2)}\n`);
  response.writeHead(status, {
    ...headers,
    'content-type': 'application/json; charset=UTF-8',
    'content-length': bytes.length,
  });
  response.end(bytes);
}

export function sendEmpty(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...headers, 'content-length': 0 });
  response.end();
}
