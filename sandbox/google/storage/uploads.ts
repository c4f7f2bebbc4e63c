/**
 * `/upload/…/o`: objects on their way in, in all three ways (media, multipart, resumable). A request in, an
 * object resource or a session out.
 * @see https://cloud.google.com/storage/docs/uploads-downloads#uploads
 */
import { rename, rm, writeFile } from 'node:fs/promises';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parseJson, readJson, sendEmpty, sendJson, spool, type Exchange } from '../http.ts';
import type { SandboxClock } from '../state/clock.ts';
import { textAt, type JsonObject } from '../wire/json.ts';
import type { Bucket, Buckets } from './buckets.ts';
import { ContentHasher, type ContentHashes } from './hashes.ts';
import { readMultipart } from './multipart.ts';
import { toObjectResource, type ObjectRecord } from './object-record.ts';
import type { NewObject, ObjectStore } from './object-store.ts';
import { checkPreconditions, readPreconditions } from './preconditions.ts';
import { mergePatch, objectShape, readFields } from './resource-fields.ts';
import type { UploadSession, UploadSessions } from './resumable.ts';
import { invalid, noSuchObject } from './storage-error.ts';

export interface UploadPorts {
  readonly buckets: Buckets;
  readonly objects: ObjectStore;
  readonly sessions: UploadSessions;
  readonly clock: SandboxClock;
}

/** What the client says the content's hashes are. */
interface Expected {
  readonly md5Hash?: string;
  readonly crc32c?: string;
}

export async function upload(
  ports: UploadPorts,
  exchange: Exchange,
  bucket: string,
): Promise<void> {
  const { query, verb } = exchange;
  const id = query.get('upload_id');
  if (id !== null) return continueSession(ports, exchange, ports.sessions.get(id));
  const found = ports.buckets.get(bucket);
  if (verb !== 'POST') throw invalid('An upload begins with POST.');
  switch (query.get('uploadType')) {
    case 'resumable':
      return beginSession(ports, exchange, found);
    case 'multipart':
      return uploadMultipart(ports, exchange, found);
    case 'media':
      return uploadMedia(ports, exchange, found);
    default:
      throw invalid('Upload requests must include an uploadType URL parameter.');
  }
}

async function uploadMedia(ports: UploadPorts, exchange: Exchange, bucket: Bucket): Promise<void> {
  const path = ports.objects.incomingPath();
  await spool(exchange.request, path);
  const metadata = withContentType({}, exchange.request.headers['content-type']);
  await finish(ports, exchange, newObject(ports, bucket, exchange, metadata), path, {});
}

async function uploadMultipart(
  ports: UploadPorts,
  exchange: Exchange,
  bucket: Bucket,
): Promise<void> {
  const whole = ports.objects.incomingPath();
  await spool(exchange.request, whole);
  const parts = await readMultipart(whole, exchange.request.headers['content-type'] ?? '');
  const metadata = readFields(objectShape, parseJson(parts.metadata), 'object');
  const path = ports.objects.incomingPath();
  await cut(whole, parts.start, parts.end, path);
  const { md5Hash, crc32c } = metadata;
  const object = newObject(ports, bucket, exchange, withContentType(metadata, parts.contentType));
  await finish(ports, exchange, object, path, {
    ...(typeof md5Hash === 'string' ? { md5Hash } : {}),
    ...(typeof crc32c === 'string' ? { crc32c } : {}),
  });
}

/** Makes `path` the bytes `start` to `end` (exclusive) of the file, which goes away. */
async function cut(whole: string, start: number, end: number, path: string): Promise<void> {
  await rename(whole, `${path}.whole`);
  if (end > start) {
    await pipeline(
      createReadStream(`${path}.whole`, { start, end: end - 1 }),
      createWriteStream(path, { mode: 0o644 }),
    );
  } else {
    await writeFile(path, '', { mode: 0o644 });
  }
  await rm(`${path}.whole`);
}

async function beginSession(ports: UploadPorts, exchange: Exchange, bucket: Bucket): Promise<void> {
  const { request, origin } = exchange;
  const body = readFields(objectShape, await readJson(request), 'object');
  const type = request.headers['x-upload-content-type'];
  const metadata = withContentType(body, typeof type === 'string' ? type : undefined);
  const { name, fields, preconditions = {} } = newObject(ports, bucket, exchange, metadata);
  // Now and again at the end: who cannot win sends nothing.
  checkPreconditions(preconditions, await ports.objects.find(bucket.name, name), 'write');
  const { md5Hash, crc32c } = body;
  const session = await ports.sessions.begin(
    {
      bucket: bucket.name,
      name,
      fields,
      preconditions,
      expected: {
        ...(typeof md5Hash === 'string' ? { md5Hash } : {}),
        ...(typeof crc32c === 'string' ? { crc32c } : {}),
      },
    },
    ports.clock.now().getTime(),
  );
  const location = new URL(`/upload/storage/v1/b/${bucket.name}/o`, origin);
  location.searchParams.set('uploadType', 'resumable');
  location.searchParams.set('name', name);
  location.searchParams.set('upload_id', session.id);
  sendEmpty(exchange.response, 200, {
    location: location.href,
    'x-guploader-uploadid': session.id,
  });
}

async function continueSession(
  ports: UploadPorts,
  exchange: Exchange,
  session: UploadSession,
): Promise<void> {
  const { request, response, verb } = exchange;
  if (verb === 'DELETE') {
    await ports.sessions.end(session.id);
    // "Client closed request": what the service answers to a cancelled session.
    sendEmpty(response, 499);
    return;
  }
  if (session.generation !== undefined) return repeatAnswer(ports, exchange, session);
  const outcome = await ports.sessions.receive(session, request);
  if (outcome.kind === 'incomplete') {
    const { receivedBytes } = outcome;
    sendEmpty(response, 308, {
      'x-guploader-uploadid': session.id,
      ...(receivedBytes === 0 ? {} : { range: `bytes=0-${receivedBytes - 1}` }),
    });
    return;
  }
  const bucket = ports.buckets.get(session.bucket);
  const path = ports.objects.incomingPath();
  await rename(outcome.path, path);
  const object: NewObject = {
    bucket: bucket.name,
    name: session.name,
    fields: session.fields,
    preconditions: withoutUndefined(session.preconditions),
    versioning: ports.buckets.isVersioned(bucket),
  };
  const expected = { ...withoutUndefined(session.expected), ...expectedOf(exchange) };
  const record = await store(ports, exchange, object, path, expected).catch(
    async (error: unknown) => {
      // The content is refused and gone; only a new session can bring it again.
      await ports.sessions.end(session.id);
      throw error;
    },
  );
  await ports.sessions.finish(session, record.generation);
  sendJson(response, 200, toObjectResource(record, exchange.origin));
}

/** The session is done already: what its last answer said, for a client that did not get it. */
async function repeatAnswer(
  { objects }: UploadPorts,
  { request, response, origin }: Exchange,
  { bucket, name, generation }: UploadSession,
): Promise<void> {
  request.resume();
  const record = await objects.find(bucket, name, generation);
  if (record === undefined) throw noSuchObject(bucket, name);
  sendJson(response, 200, toObjectResource(record, origin));
}

async function finish(
  ports: UploadPorts,
  exchange: Exchange,
  object: NewObject,
  path: string,
  expected: Expected,
): Promise<void> {
  const record = await store(ports, exchange, object, path, expected);
  sendJson(exchange.response, 200, toObjectResource(record, exchange.origin));
}

/** Takes the file at `path` as the object's content, if its hashes are what the client says they are. */
async function store(
  ports: UploadPorts,
  exchange: Exchange,
  object: NewObject,
  path: string,
  expected: Expected,
): Promise<ObjectRecord> {
  const hashes = await hashesOf(path);
  try {
    checkHashes(hashes, { ...expectedOf(exchange), ...expected });
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return ports.objects.put(object, path, hashes);
}

function newObject(
  ports: UploadPorts,
  bucket: Bucket,
  exchange: Exchange,
  metadata: JsonObject,
): NewObject {
  const name = exchange.query.get('name') ?? textAt(metadata, 'name');
  checkObjectName(name);
  const { name: _, md5Hash: __, crc32c: ___, ...fields } = mergePatch({}, metadata);
  return {
    bucket: bucket.name,
    name,
    fields,
    preconditions: readPreconditions(exchange.query),
    versioning: ports.buckets.isVersioned(bucket),
  };
}

/** @see https://cloud.google.com/storage/docs/objects#naming @throws StorageError 400 */
export function checkObjectName(name: string): void {
  if (name === '') throw invalid('Required');
  const allowed =
    Buffer.byteLength(name) <= 1_024 &&
    !/[\r\n\0]/.test(name) &&
    name !== '.' &&
    name !== '..' &&
    !name.startsWith('.well-known/acme-challenge/');
  if (!allowed) throw invalid(`Invalid object name: ${JSON.stringify(name.slice(0, 80))}`);
}

function withContentType(metadata: JsonObject, contentType: string | undefined): JsonObject {
  if (typeof metadata['contentType'] === 'string') return metadata;
  return { ...metadata, contentType: contentType ?? 'application/octet-stream' };
}

/** `x-goog-hash: crc32c=…,md5=…` on the request that completes an upload. */
function expectedOf(exchange: Exchange): Expected {
  const header = String(exchange.request.headers['x-goog-hash'] ?? '');
  const md5Hash = /(?:^|[,\s])md5=([A-Za-z0-9+/=]+)/.exec(header)?.[1];
  const crc32c = /(?:^|[,\s])crc32c=([A-Za-z0-9+/=]+)/.exec(header)?.[1];
  return {
    ...(md5Hash === undefined ? {} : { md5Hash }),
    ...(crc32c === undefined ? {} : { crc32c }),
  };
}

function checkHashes(actual: ContentHashes, expected: Expected): void {
  for (const name of ['md5Hash', 'crc32c'] as const) {
    const wanted = expected[name];
    if (wanted === undefined || wanted === actual[name]) continue;
    const word = name === 'md5Hash' ? 'MD5 hash' : 'CRC32C';
    throw invalid(
      `Provided ${word} "${wanted}" doesn't match calculated ${word} "${actual[name]}".`,
    );
  }
}

async function hashesOf(path: string): Promise<ContentHashes> {
  const hasher = new ContentHasher();
  const chunks = createReadStream(path) as AsyncIterable<Buffer>;
  for await (const chunk of chunks) hasher.update(chunk);
  return hasher.finish();
}

function withoutUndefined<T extends object>(
  value: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  // Object.entries forgets which keys it came from; only undefined values have been dropped.
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
