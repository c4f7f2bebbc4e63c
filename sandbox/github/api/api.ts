/**
 * The REST API: an HTTP request below `/api/v3` in, GitHub's answer out. In order: credentials, operation,
 * input, permission, handler; state is on disk before the answer leaves.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { apiRoot, type Hub } from '../hub.ts';
import type { Repository } from '../state/model.ts';
import { authenticate, type Caller } from './authenticate.ts';
import { authorize, refuseArchived } from './authorize.ts';
import { Call } from './call.ts';
import { handlers } from './handlers.ts';
import { checkInput, documentationOf, matchOperation, type Match } from './openapi.ts';
import { byId, movedTo } from './moved.ts';
import { operations } from './operations.ts';
import { RateLimits } from './rate-limits.ts';
import { ApiError, MalformedRequest, notFound, type Reply } from './reply.ts';

/** A request that GitHub would have refused as malformed: somebody has a bug. */
export interface Violation {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  /** Undefined when there is no such operation. */
  readonly operation: string | undefined;
  readonly status: number;
  readonly message: string;
  readonly errors: readonly unknown[];
}

/** Above GitHub's limits for any field, and too little to hurt. */
const maxBodyBytes = 25 * 1024 ** 2;

export class Api {
  readonly violations: Violation[] = [];
  private readonly limits = new RateLimits();
  private readonly hub: Hub;

  constructor(hub: Hub) {
    this.hub = hub;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.hub.web);
    // HEAD is answered like GET; node leaves the body out.
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
    let match: Match | undefined;
    let caller: Caller | undefined;
    try {
      const body = await readBody(request);
      caller = authenticate(this.hub, request.headers.authorization);
      match = matchOperation(method, byId(this.hub, url.pathname.slice(apiRoot.length)));
      const reply = await this.perform(match, { caller, url, body, request });
      await send(
        request,
        response,
        reply,
        this.limits.headersFor(caller, request.headers.authorization),
      );
    } catch (error) {
      const failure = error instanceof ApiError ? error : bug(error);
      if (failure instanceof MalformedRequest) this.record(method, url, match, failure);
      if (response.headersSent) return void response.destroy();
      const limits = this.limits.headersFor(
        caller ?? { kind: 'anonymous' },
        request.headers.authorization,
      );
      await send(request, response, toReply(failure, match), limits);
    }
  }

  private async perform(
    match: Match,
    from: {
      readonly caller: Caller;
      readonly url: URL;
      readonly body: Readonly<Record<string, unknown>> | undefined;
      readonly request: IncomingMessage;
    },
  ): Promise<Reply> {
    const { caller, url, body, request } = from;
    const { hub } = this;
    const moved = movedTo(hub, caller, match, url);
    if (moved !== undefined) return moved;
    const repository = this.repositoryOf(match);
    authorize(match.id, caller, repository);
    const input = checkInput(match, url.searchParams, body);
    refuseArchived(match, repository);
    const accept = request.headers.accept ?? '';
    const reply = await handlers[match.id](
      new Call({ hub, caller, input, url, accept, repository }),
    );
    if (request.method !== 'GET' && request.method !== 'HEAD') await hub.store.save();
    return reply;
  }

  /** @throws {ApiError} 404 when the path names a repository that does not exist */
  private repositoryOf(match: Match): Repository | undefined {
    const { owner, repo } = match.pathParameters;
    if (owner === undefined || repo === undefined) return undefined;
    const found = this.hub.store.repositoryNamed(owner, repo);
    if (found === undefined) {
      // Whoever may not know whether it exists learns no more than that.
      const { by } = operations[match.id];
      throw by === 'app' ? new ApiError(404, 'Not Found') : notFound();
    }
    return found;
  }

  private record(
    method: string,
    url: URL,
    match: Match | undefined,
    failure: MalformedRequest,
  ): void {
    this.violations.push({
      at: new Date().toISOString(),
      method,
      path: url.pathname + url.search,
      operation: match?.id,
      status: failure.status,
      message: failure.message,
      errors: failure.errors ?? [],
    });
  }
}

async function readBody(
  request: IncomingMessage,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new MalformedRequest(413, 'The request body is too large');
    chunks.push(chunk);
  }
  if (bytes === 0) return undefined;
  // Of all media types only JSON makes a browser ask first, so no web page can send it unasked.
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new MalformedRequest(415, "Unsupported 'Content-Type': must be 'application/json'.");
  }
  const value = parse(Buffer.concat(chunks).toString('utf8'));
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new MalformedRequest(400, 'Body should be a JSON object');
  }
  return value as Readonly<Record<string, unknown>>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedRequest(400, 'Problems parsing JSON');
  }
}

function bug(error: unknown): ApiError {
  process.stderr.write(
    `sandbox/github: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return new ApiError(500, 'Server Error');
}

function toReply(failure: ApiError, match: Match | undefined): Reply {
  const docs = match === undefined ? 'https://docs.github.com/rest' : documentationOf(match.id);
  return {
    status: failure.status,
    headers: failure.headers,
    json: {
      message: failure.message,
      ...(failure.errors === undefined ? {} : { errors: failure.errors }),
      documentation_url: docs,
      status: String(failure.status),
    },
  };
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  limits: Readonly<Record<string, string>>,
): Promise<void> {
  const { status, json, raw, headers } = reply;
  const common = {
    ...limits,
    'x-github-media-type': 'github.v3; format=json',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
    'x-github-request-id': randomBytes(10).toString('hex').toUpperCase(),
  };
  if (raw !== undefined) {
    response.writeHead(status, { ...common, 'content-type': raw.type, ...headers });
    if (Buffer.isBuffer(raw.content)) response.end(raw.content);
    else await pipeline(raw.content, response);
    return;
  }
  if (json === undefined) {
    response.writeHead(status, { ...common, ...headers });
    response.end();
    return;
  }
  const text = JSON.stringify(json);
  const isRead = status === 200 && (request.method === 'GET' || request.method === 'HEAD');
  const etag = isRead ? `W/"${createHash('sha256').update(text).digest('hex')}"` : undefined;
  const full = { ...common, ...(etag === undefined ? {} : { etag }), ...headers };
  if (etag !== undefined && request.headers['if-none-match'] === etag) {
    response.writeHead(304, full).end();
    return;
  }
  response.writeHead(status, { ...full, 'content-type': 'application/json; charset=utf-8' });
  response.end(text);
}
