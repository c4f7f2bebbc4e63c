/**
 * The Cloud Storage JSON API (and the XML API's plain GET): an HTTP exchange in, true out when it was one
 * of ours and has been answered.
 * @see https://cloud.google.com/storage/docs/json_api/v1
 */
import { readJson, sendEmpty, sendJson, type Exchange } from '../http.ts';
import { checkProject, type Project } from '../state/project.ts';
import { ApiError } from '../wire/api-error.ts';
import type { JsonObject } from '../wire/json.ts';
import { composeObject } from './compose.ts';
import { isTrue, listObjects, readLimit } from './list-objects.ts';
import { sendMedia } from './media.ts';
import { toObjectResource, type ObjectRecord } from './object-record.ts';
import { checkMetageneration, checkPreconditions, readPreconditions } from './preconditions.ts';
import { mergePatch, objectShape, readFields } from './resource-fields.ts';
import { invalid, noSuchObject, StorageError } from './storage-error.ts';
import { checkObjectName, upload, type UploadPorts } from './uploads.ts';

export interface StoragePorts extends UploadPorts {
  readonly project: Project;
}

type Handler = (
  ports: StoragePorts,
  exchange: Exchange,
  parts: readonly string[],
) => Promise<void> | void;

const api = '(?:/storage/v1)';
const bucketPath = `${api}/b/([^/]+)`;
const objectPath = `(?:/storage/v1|/download/storage/v1)/b/([^/]+)/o/([^/]+)`;

const routes: readonly (readonly [verb: string, path: string, handler: Handler])[] = [
  ['GET', `${api}/b`, listBuckets],
  ['POST', `${api}/b`, createBucket],
  ['GET', bucketPath, getBucket],
  ['PATCH', bucketPath, patchBucket],
  ['DELETE', bucketPath, deleteBucket],
  ['GET', `${bucketPath}/storageLayout`, getStorageLayout],
  ['GET', `${bucketPath}/managedFolders`, getManagedFolders],
  ['GET', `${bucketPath}/o`, getObjects],
  ['GET', objectPath, getObject],
  ['HEAD', objectPath, getObject],
  ['PATCH', objectPath, patchObject],
  ['PUT', objectPath, patchObject],
  ['DELETE', objectPath, deleteObject],
  ['POST', `${objectPath}/compose`, composeObject],
  ['POST', `${objectPath}/(copyTo|rewriteTo)/b/([^/]+)/o/([^/]+)`, copyObject],
  ...['POST', 'PUT', 'DELETE'].map(
    (verb) =>
      [
        verb,
        '(?:/resumable)?/upload/storage/v1/b/([^/]+)/o',
        (ports: StoragePorts, exchange: Exchange, [bucket = '']: readonly string[]) =>
          upload(ports, exchange, bucket),
      ] as const,
  ),
];
const compiled = routes.map(
  ([verb, path, handler]) => ({ verb, path: new RegExp(`^${path}$`), handler }) as const,
);

/** False when the path is none of Cloud Storage's. */
export async function serveStorage(ports: StoragePorts, exchange: Exchange): Promise<boolean> {
  for (const { verb, path, handler } of compiled) {
    const match = verb === exchange.verb ? path.exec(exchange.path) : null;
    if (match === null) continue;
    await answer(exchange, 'json', async () => {
      await handler(ports, exchange, match.slice(1).map(decode));
    });
    return true;
  }
  return serveXml(ports, exchange);
}

/** `GET /bucket/object`: gcloud follows a build's log this way. */
async function serveXml(ports: StoragePorts, exchange: Exchange): Promise<boolean> {
  const match = /^\/([^/]+)\/(.+)$/.exec(exchange.path);
  const bucket = match?.[1] === undefined ? undefined : ports.buckets.find(tryDecode(match[1]));
  if (bucket === undefined || !['GET', 'HEAD'].includes(exchange.verb)) return false;
  await answer(exchange, 'xml', async () => {
    const name = decode(match?.[2] ?? '');
    const record = await ports.objects.find(bucket.name, name);
    if (record === undefined)
      throw new StorageError(404, 'notFound', 'The specified key does not exist.');
    await sendMedia(ports.objects, exchange, record);
  });
  return true;
}

async function answer(
  { response, request }: Exchange,
  format: 'json' | 'xml',
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const failure = toStorageError(error);
    if (failure === undefined) throw error;
    // What is left of an upload that is refused must be read, or the client sees a broken connection.
    request.resume();
    if (response.headersSent) return void response.destroy();
    if (failure.status === 304) {
      sendEmpty(response, 304);
      return;
    }
    if (format === 'json') {
      sendJson(response, failure.status, failure.toJson(), failure.headers);
      return;
    }
    response.writeHead(failure.status, {
      ...failure.headers,
      'content-type': 'application/xml; charset=UTF-8',
    });
    response.end(failure.toXml());
  }
}

function toStorageError(error: unknown): StorageError | undefined {
  if (error instanceof StorageError) return error;
  if (!(error instanceof ApiError)) return undefined;
  const reason = error.httpStatus === 403 ? 'forbidden' : 'parseError';
  return new StorageError(error.httpStatus, reason, error.message);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('The path is not percent-encoded UTF-8.');
  }
}

function tryDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function requireProject(ports: StoragePorts, exchange: Exchange): void {
  const project = exchange.query.get('project');
  if (project === null) throw new StorageError(400, 'required', 'Required parameter: project');
  checkProject(ports.project, project);
}

function listBuckets(ports: StoragePorts, exchange: Exchange): void {
  requireProject(ports, exchange);
  const { query, response, origin } = exchange;
  const prefix = query.get('prefix') ?? '';
  const token = query.get('pageToken');
  const after = token === null ? '' : Buffer.from(token, 'base64url').toString('utf8');
  const limit = readLimit(query.get('maxResults'));
  const buckets = ports.buckets
    .list()
    .filter(({ name }) => name.startsWith(prefix) && name > after);
  const items = buckets.slice(0, limit).map((bucket) => ports.buckets.toResource(bucket, origin));
  const last = buckets[limit - 1];
  sendJson(response, 200, {
    kind: 'storage#buckets',
    ...(items.length > 0 ? { items } : {}),
    ...(buckets.length > limit && last !== undefined
      ? { nextPageToken: Buffer.from(last.name).toString('base64url') }
      : {}),
  });
}

async function createBucket(ports: StoragePorts, exchange: Exchange): Promise<void> {
  requireProject(ports, exchange);
  const bucket = await ports.buckets.create(await readJson(exchange.request));
  sendJson(exchange.response, 200, ports.buckets.toResource(bucket, exchange.origin));
}

function getBucket(ports: StoragePorts, exchange: Exchange, [name = '']: readonly string[]): void {
  const bucket = ports.buckets.get(name);
  checkMetageneration(readPreconditions(exchange.query), bucket.metageneration, 'read');
  sendJson(exchange.response, 200, ports.buckets.toResource(bucket, exchange.origin));
}

/** @see https://cloud.google.com/storage/docs/json_api/v1/buckets/getStorageLayout */
function getStorageLayout(
  ports: StoragePorts,
  exchange: Exchange,
  [name = '']: readonly string[],
): void {
  const bucket = ports.buckets.get(name);
  const { location, locationType } = ports.buckets.toResource(bucket, exchange.origin);
  sendJson(exchange.response, 200, {
    kind: 'storage#storageLayout',
    bucket: name,
    location,
    locationType,
    hierarchicalNamespace: { enabled: false },
  });
}

/** There is no way to make one here, so there is none; gcloud asks before it removes a bucket. */
function getManagedFolders(
  ports: StoragePorts,
  { response }: Exchange,
  [name = '']: readonly string[],
): void {
  ports.buckets.get(name);
  sendJson(response, 200, { kind: 'storage#managedFolders' });
}

async function patchBucket(
  ports: StoragePorts,
  exchange: Exchange,
  [name = '']: readonly string[],
): Promise<void> {
  const body = await readJson(exchange.request);
  const { metageneration } = ports.buckets.get(name);
  checkMetageneration(readPreconditions(exchange.query), metageneration, 'write');
  const bucket = await ports.buckets.patch(name, body);
  sendJson(exchange.response, 200, ports.buckets.toResource(bucket, exchange.origin));
}

async function deleteBucket(
  ports: StoragePorts,
  exchange: Exchange,
  [name = '']: readonly string[],
): Promise<void> {
  const { metageneration } = ports.buckets.get(name);
  checkMetageneration(readPreconditions(exchange.query), metageneration, 'write');
  await ports.buckets.delete(name);
  sendEmpty(exchange.response, 204);
}

async function getObjects(
  ports: StoragePorts,
  exchange: Exchange,
  [name = '']: readonly string[],
): Promise<void> {
  ports.buckets.get(name);
  const versions = isTrue(exchange.query.get('versions'));
  const records = await ports.objects.list(name, { versions });
  sendJson(exchange.response, 200, listObjects(records, exchange.query, exchange.origin));
}

async function findObject(
  ports: StoragePorts,
  bucket: string,
  name: string,
  generation: string | null,
): Promise<ObjectRecord | undefined> {
  ports.buckets.get(bucket);
  checkObjectName(name);
  return ports.objects.find(bucket, name, generation ?? undefined);
}

async function getObject(
  ports: StoragePorts,
  exchange: Exchange,
  [bucket = '', name = '']: readonly string[],
): Promise<void> {
  const { query, path, response, origin } = exchange;
  const record = await findObject(ports, bucket, name, query.get('generation'));
  if (record === undefined) throw noSuchObject(bucket, name);
  checkPreconditions(readPreconditions(query), record, 'read');
  const media = query.get('alt') === 'media' || path.startsWith('/download/');
  if (media) await sendMedia(ports.objects, exchange, record);
  else sendJson(response, 200, toObjectResource(record, origin));
}

async function patchObject(
  ports: StoragePorts,
  exchange: Exchange,
  [bucket = '', name = '']: readonly string[],
): Promise<void> {
  const { query, request, response, origin, verb } = exchange;
  const body = readFields(objectShape, await readJson(request), 'object');
  const record = await findObject(ports, bucket, name, query.get('generation'));
  if (record === undefined) throw noSuchObject(bucket, name);
  const { name: _, md5Hash: __, crc32c: ___, ...patch } = body;
  const fields = mergePatch(verb === 'PATCH' ? record.fields : {}, patch);
  const updated = await ports.objects.update(record, fields, readPreconditions(query));
  sendJson(response, 200, toObjectResource(updated, origin));
}

async function deleteObject(
  ports: StoragePorts,
  exchange: Exchange,
  [bucket = '', name = '']: readonly string[],
): Promise<void> {
  const { query } = exchange;
  const record = await findObject(ports, bucket, name, query.get('generation'));
  if (record === undefined) throw noSuchObject(bucket, name);
  const versioning =
    ports.buckets.isVersioned(ports.buckets.get(bucket)) && query.get('generation') === null;
  await ports.objects.delete(record, { versioning, preconditions: readPreconditions(query) });
  sendEmpty(exchange.response, 204);
}

/** A copy within the sandbox is never too long for one request, so a rewrite is done at once. */
async function copyObject(
  ports: StoragePorts,
  exchange: Exchange,
  [bucket = '', name = '', method, toBucket = '', toName = '']: readonly string[],
): Promise<void> {
  const { query, request, response, origin } = exchange;
  const body = readFields(objectShape, await readJson(request), 'object');
  const source = await findObject(ports, bucket, name, query.get('sourceGeneration'));
  if (source === undefined) throw noSuchObject(bucket, name);
  checkPreconditions(readPreconditions(query, 'ifSource'), source, 'write');
  checkObjectName(toName);
  const target = ports.buckets.get(toBucket);
  const path = ports.objects.incomingPath();
  if (!(await ports.objects.exportTo(source, path))) throw noSuchObject(bucket, name);
  const { name: _, md5Hash: __, crc32c: ___, ...patch } = body;
  const record = await ports.objects.put(
    {
      bucket: toBucket,
      name: toName,
      fields: mergePatch(source.fields, patch),
      preconditions: readPreconditions(query),
      versioning: ports.buckets.isVersioned(target),
    },
    path,
  );
  const resource = toObjectResource(record, origin);
  const size = String(record.size);
  const rewrite: JsonObject = {
    kind: 'storage#rewriteResponse',
    totalBytesRewritten: size,
    objectSize: size,
    done: true,
    resource,
  };
  sendJson(response, 200, method === 'copyTo' ? resource : rewrite);
}
