/**
 * `…/o/DESTINATION/compose`: up to 32 objects of one bucket in, one object with their contents one after
 * the other out. gcloud uploads large files this way, in parts.
 * @see https://cloud.google.com/storage/docs/json_api/v1/objects/compose
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { readJson, sendJson, type Exchange } from '../http.ts';
import { objectAt, objectsAt, textAt, type JsonObject } from '../wire/json.ts';
import { toObjectResource, type ObjectRecord } from './object-record.ts';
import { checkPreconditions, readPreconditions } from './preconditions.ts';
import { composeShape, mergePatch, readFields } from './resource-fields.ts';
import { invalid, noSuchObject } from './storage-error.ts';
import { checkObjectName, type UploadPorts } from './uploads.ts';

const maxSources = 32;

export async function composeObject(
  ports: UploadPorts,
  exchange: Exchange,
  [bucketName = '', name = '']: readonly string[],
): Promise<void> {
  const { query, request, response, origin } = exchange;
  const body = readFields(composeShape, await readJson(request), 'compose');
  const bucket = ports.buckets.get(bucketName);
  checkObjectName(name);
  const sources = await findSources(ports, bucketName, objectsAt(body, 'sourceObjects'));
  const path = ports.objects.incomingPath();
  await writeFile(path, '', { mode: 0o644 });
  for (const source of sources) await append(ports, source, path);
  const { name: _, md5Hash: __, crc32c: ___, ...fields } = objectAt(body, 'destination');
  const record = await ports.objects.put(
    {
      bucket: bucketName,
      name,
      fields: mergePatch({ contentType: contentTypeOf(sources) }, fields),
      preconditions: readPreconditions(query),
      versioning: ports.buckets.isVersioned(bucket),
    },
    path,
  );
  sendJson(response, 200, toObjectResource(record, origin));
}

async function findSources(
  ports: UploadPorts,
  bucket: string,
  given: readonly JsonObject[],
): Promise<ObjectRecord[]> {
  if (given.length === 0 || given.length > maxSources) {
    throw invalid(`The number of source components must be between 1 and ${maxSources}.`);
  }
  const sources: ObjectRecord[] = [];
  for (const source of given) {
    const name = textAt(source, 'name');
    const generation = decimalAt(source, 'generation');
    checkObjectName(name);
    const found = await ports.objects.find(
      bucket,
      name,
      generation === '' ? undefined : generation,
    );
    if (found === undefined) throw noSuchObject(bucket, name);
    const wanted = decimalAt(objectAt(source, 'objectPreconditions'), 'ifGenerationMatch');
    if (wanted !== '') checkPreconditions({ generationMatch: wanted }, found, 'write');
    sources.push(found);
  }
  return sources;
}

/** Generations come as numbers or as text; empty when there is none. */
function decimalAt(object: JsonObject, name: string): string {
  const value = object[name];
  return typeof value === 'number' || typeof value === 'string' ? String(value) : '';
}

async function append(ports: UploadPorts, source: ObjectRecord, path: string): Promise<void> {
  const part = ports.objects.incomingPath();
  try {
    if (!(await ports.objects.exportTo(source, part))) {
      throw noSuchObject(source.bucket, source.name);
    }
    await pipeline(createReadStream(part), createWriteStream(path, { flags: 'a' }));
  } finally {
    await rm(part, { force: true });
  }
}

function contentTypeOf([first]: readonly ObjectRecord[]): string {
  return textAt(first?.fields ?? {}, 'contentType') || 'application/octet-stream';
}
