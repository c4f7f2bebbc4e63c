/**
 * The registry over HTTP, for `docker`, `crane`, `skopeo` and whoever else speaks OCI distribution.
 * In: requests below `/v2/`. Out: blobs and manifests, or errors in the specification's JSON.
 *
 * A path carries no host, names in the sandbox do: `/v2/demo-project/trainyard/digits` means
 * `us-central1-docker.pkg.dev/demo-project/trainyard/digits`.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { guard } from '../guard.ts';
import { keepAliveTimeout } from '../keep-alive.ts';
import { isDigest, isRepositoryPath, isTag } from './image-reference.ts';
import { maxManifestBytes } from './manifest.ts';
import { RegistryError } from './registry-error.ts';
import type { Registry } from './registry.ts';
import { Uploads } from './uploads.ts';

interface RegistryServerOptions {
  readonly registry: Registry;
  /** 0 takes any free one. */
  readonly port: number;
  /** What stands before the paths; default `us-central1-docker.pkg.dev`. */
  readonly host?: string;
}

export interface RegistryServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): Promise<void>;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly registry: Registry;
  readonly uploads: Uploads;
  readonly query: URLSearchParams;
  /** As in the URL. */
  readonly path: string;
  /** With its host, as the registry stores it. */
  readonly name: string;
}

export async function startRegistry(options: RegistryServerOptions): Promise<RegistryServer> {
  const { registry, host = 'us-central1-docker.pkg.dev' } = options;
  const directory = await mkdtemp(join(tmpdir(), 'trainyard-uploads-'));
  const uploads = await Uploads.open(directory);
  let port = options.port;
  const server = createServer({ keepAliveTimeout }, (request, response) => {
    if (guard(request, response, port)) return;
    answer(request, response, { registry, uploads, host }).catch((error: unknown) => {
      sendError(response, error);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the registry has no port');
  port = address.port;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  at: { readonly registry: Registry; readonly uploads: Uploads; readonly host: string },
): Promise<void> {
  response.setHeader('docker-distribution-api-version', 'registry/2.0');
  const url = new URL(request.url ?? '/', 'http://registry');
  if (url.pathname === '/v2/' || url.pathname === '/v2') {
    sendJson(response, 200, {});
    return;
  }
  const match =
    /^\/v2\/(?<path>.+)\/(?:(?<kind>manifests|blobs)\/(?<reference>[^/]+)|blobs\/uploads\/(?<upload>[^/]*)|(?<tags>tags\/list))$/.exec(
      url.pathname,
    )?.groups;
  if (match === undefined) {
    sendJson(response, 404, { errors: [{ code: 'UNSUPPORTED', message: 'no such route' }] });
    return;
  }
  const path = match['path'] ?? '';
  if (!isRepositoryPath(path)) throw new RegistryError('NAME_INVALID', `invalid name: ${path}`);
  const exchange: Exchange = {
    request,
    response,
    registry: at.registry,
    uploads: at.uploads,
    query: url.searchParams,
    path,
    name: `${at.host}/${path}`,
  };
  const reference = decode(match['reference'] ?? '');
  if (match['tags'] !== undefined) await listTags(exchange);
  else if (match['upload'] !== undefined) await upload(exchange, match['upload']);
  else if (match['kind'] === 'manifests') await manifest(exchange, reference);
  // `…/blobs/uploads` without the last slash is how some clients begin an upload.
  else if (reference === 'uploads') await upload(exchange, '');
  else await blob(exchange, reference);
}

async function listTags({
  request,
  response,
  registry,
  query,
  path,
  name,
}: Exchange): Promise<void> {
  allow(request, 'GET');
  const tags = await registry.listTags(name);
  if (tags === undefined) throw new RegistryError('NAME_UNKNOWN', `no such repository: ${path}`);
  const last = query.get('last') ?? '';
  const limit = Math.max(0, Number.parseInt(query.get('n') ?? '1000', 10) || 0);
  const rest = tags.filter((tag) => tag > last);
  const page = rest.slice(0, limit);
  const end = page.at(-1);
  if (end !== undefined && rest.length > page.length) {
    response.setHeader('link', `</v2/${path}/tags/list?n=${limit}&last=${end}>; rel="next"`);
  }
  sendJson(response, 200, { name: path, tags: page });
}

async function manifest(exchange: Exchange, reference: string): Promise<void> {
  const { request, response, registry, name, path } = exchange;
  if (!isTag(reference) && !isDigest(reference)) {
    const code = reference.includes(':') ? 'DIGEST_INVALID' : 'TAG_INVALID';
    throw new RegistryError(code, `invalid reference: ${reference}`);
  }
  allow(request, 'GET', 'HEAD', 'PUT');
  if (request.method === 'PUT') {
    const bytes = await readBody(request, maxManifestBytes);
    const mediaType = (request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
    const digest = await registry.putManifest(name, reference, bytes, mediaType);
    response.setHeader('location', `/v2/${path}/manifests/${digest}`);
    response.setHeader('docker-content-digest', digest);
    response.writeHead(201).end();
    return;
  }
  const found = await registry.getManifest(name, reference);
  if (found === undefined) {
    throw new RegistryError('MANIFEST_UNKNOWN', `no such manifest: ${reference}`);
  }
  response.setHeader('docker-content-digest', found.digest);
  response.setHeader('content-type', found.mediaType);
  response.setHeader('content-length', found.bytes.byteLength);
  response.writeHead(200).end(request.method === 'HEAD' ? undefined : found.bytes);
}

async function blob(exchange: Exchange, digest: string): Promise<void> {
  const { request, response, registry } = exchange;
  if (!isDigest(digest)) throw new RegistryError('DIGEST_INVALID', `invalid digest: ${digest}`);
  allow(request, 'GET', 'HEAD');
  const size = await registry.blobSize(digest);
  if (size === undefined) throw new RegistryError('BLOB_UNKNOWN', `no such blob: ${digest}`);
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': size,
    'docker-content-digest': digest,
  });
  if (request.method === 'HEAD') response.end();
  else await pipeline(registry.openBlob(digest), response);
}

async function upload(exchange: Exchange, id: string): Promise<void> {
  const { request, response, uploads, path, name } = exchange;
  if (id === '') {
    allow(request, 'POST');
    await beginUpload(exchange);
    return;
  }
  allow(request, 'GET', 'PATCH', 'PUT', 'DELETE');
  switch (request.method) {
    case 'PATCH': {
      const size = await uploads.append(id, name, request, rangeStart(request));
      sendUpload(response, 202, { path, id, size });
      return;
    }
    case 'PUT': {
      const digest = requiredDigest(exchange);
      await uploads.append(id, name, request, rangeStart(request));
      await store(exchange, uploads.read(id, name), digest);
      await uploads.end(id);
      return;
    }
    case 'DELETE':
      uploads.size(id, name);
      await uploads.end(id);
      response.writeHead(204).end();
      return;
    default:
      sendUpload(response, 204, { path, id, size: uploads.size(id, name) });
  }
}

/** A whole blob at once (`digest`), a blob of another repository (`mount`), or a new upload. */
async function beginUpload(exchange: Exchange): Promise<void> {
  const { request, response, registry, uploads, query, path, name } = exchange;
  if (query.has('digest')) {
    await store(exchange, request, requiredDigest(exchange));
    return;
  }
  const mounted = query.get('mount');
  if (mounted !== null && isDigest(mounted) && (await registry.blobSize(mounted)) !== undefined) {
    sendStored(exchange, mounted);
    return;
  }
  sendUpload(response, 202, { path, id: await uploads.begin(name), size: 0 });
}

async function store(
  exchange: Exchange,
  content: AsyncIterable<Uint8Array>,
  digest: string,
): Promise<void> {
  await exchange.registry.putBlob(content, digest);
  sendStored(exchange, digest);
}

function sendStored({ response, path }: Exchange, digest: string): void {
  response.setHeader('location', `/v2/${path}/blobs/${digest}`);
  response.setHeader('docker-content-digest', digest);
  response.writeHead(201).end();
}

function sendUpload(
  response: ServerResponse,
  status: number,
  { path, id, size }: { readonly path: string; readonly id: string; readonly size: number },
): void {
  response.setHeader('location', `/v2/${path}/blobs/uploads/${id}`);
  response.setHeader('docker-upload-uuid', id);
  response.setHeader('range', `0-${Math.max(0, size - 1)}`);
  response.writeHead(status).end();
}

function requiredDigest({ query }: Exchange): string {
  const digest = query.get('digest') ?? '';
  if (!isDigest(digest)) throw new RegistryError('DIGEST_INVALID', `invalid digest: ${digest}`);
  return digest;
}

function rangeStart(request: IncomingMessage): number | undefined {
  const range = request.headers['content-range'];
  if (range === undefined) return undefined;
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(range);
  if (match === null) throw new RegistryError('RANGE_INVALID', `invalid range: ${range}`);
  return Number(match[1]);
}

async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > limit) throw new RegistryError('SIZE_INVALID', `more than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function allow(request: IncomingMessage, ...methods: string[]): void {
  if (!methods.includes(request.method ?? '')) {
    throw new RegistryError('UNSUPPORTED', `${request.method ?? ''} is not supported here`);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new RegistryError('TAG_INVALID', `invalid reference: ${text}`, { cause });
  }
}

function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  // A body that was refused half-way is still on its way: do not wait for it.
  response.setHeader('connection', 'close');
  if (error instanceof RegistryError) {
    const { code, message, status } = error;
    sendJson(response, status, { errors: [{ code, message, detail: null }] });
    return;
  }
  sendJson(response, 500, { errors: [{ code: 'UNKNOWN', message: 'unknown error' }] });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
