/**
 * Which fields buckets and objects take: the discovery document's, since Cloud Storage has no protos for
 * its JSON API. In: a body. Out: the fields that a client may set; anything unknown is refused.
 * @see https://cloud.google.com/storage/docs/json_api/v1/buckets#resource
 * @see https://cloud.google.com/storage/docs/json_api/v1/objects#resource
 */
import { isJsonObject, type Json, type JsonObject } from '../wire/json.ts';
import { StorageError } from './storage-error.ts';

/** `int` may be a number or decimal text. `any` is not looked into. `[T]` is a list, `{'*': T}` a map. */
type Shape = 'string' | 'bool' | 'int' | 'any' | 'ignored' | readonly [Shape] | ShapeObject;
interface ShapeObject {
  readonly [name: string]: Shape;
}

const strings: Shape = ['string'];

/** Given by the service; clients send them back, and they have no effect. */
const outputs = (...names: readonly string[]): Readonly<Record<string, Shape>> =>
  Object.fromEntries(names.map((name) => [name, 'ignored'] as const));

export const bucketShape: ShapeObject = {
  ...outputs('kind', 'id', 'selfLink', 'projectNumber', 'metageneration', 'etag', 'generation'),
  ...outputs('timeCreated', 'updated', 'locationType', 'satisfiesPZS', 'satisfiesPZI'),
  ...outputs('softDeleteTime', 'hardDeleteTime', 'owner'),
  name: 'string',
  location: 'string',
  storageClass: 'string',
  rpo: 'string',
  labels: { '*': 'string' },
  acl: ['any'],
  defaultObjectAcl: ['any'],
  defaultEventBasedHold: 'bool',
  versioning: { enabled: 'bool' },
  autoclass: {
    enabled: 'bool',
    toggleTime: 'ignored',
    terminalStorageClass: 'string',
    terminalStorageClassUpdateTime: 'ignored',
  },
  billing: { requesterPays: 'bool' },
  cors: [{ maxAgeSeconds: 'int', method: strings, origin: strings, responseHeader: strings }],
  customPlacementConfig: { dataLocations: strings },
  encryption: 'any',
  hierarchicalNamespace: { enabled: 'bool' },
  iamConfiguration: {
    publicAccessPrevention: 'string',
    uniformBucketLevelAccess: { enabled: 'bool', lockedTime: 'ignored' },
    bucketPolicyOnly: { enabled: 'bool', lockedTime: 'ignored' },
  },
  ipFilter: 'any',
  lifecycle: {
    rule: [
      {
        action: { type: 'string', storageClass: 'string' },
        condition: {
          age: 'int',
          createdBefore: 'string',
          customTimeBefore: 'string',
          daysSinceCustomTime: 'int',
          daysSinceNoncurrentTime: 'int',
          isLive: 'bool',
          matchesPattern: 'string',
          matchesPrefix: strings,
          matchesSuffix: strings,
          matchesStorageClass: strings,
          noncurrentTimeBefore: 'string',
          numNewerVersions: 'int',
        },
      },
    ],
  },
  logging: { logBucket: 'string', logObjectPrefix: 'string' },
  objectRetention: { mode: 'string' },
  retentionPolicy: { retentionPeriod: 'int', effectiveTime: 'ignored', isLocked: 'ignored' },
  softDeletePolicy: { retentionDurationSeconds: 'int', effectiveTime: 'ignored' },
  website: { mainPageSuffix: 'string', notFoundPage: 'string' },
};

export const objectShape: ShapeObject = {
  ...outputs('kind', 'id', 'selfLink', 'mediaLink', 'bucket', 'generation', 'metageneration'),
  ...outputs('etag', 'size', 'timeCreated', 'updated', 'timeDeleted', 'timeFinalized', 'owner'),
  ...outputs('timeStorageClassUpdated', 'componentCount', 'softDeleteTime', 'hardDeleteTime'),
  ...outputs('retentionExpirationTime', 'customerEncryption', 'kmsKeyName', 'restoreToken'),
  // Checked against the content where they come in.
  name: 'string',
  md5Hash: 'string',
  crc32c: 'string',
  contentType: 'string',
  contentEncoding: 'string',
  contentDisposition: 'string',
  contentLanguage: 'string',
  cacheControl: 'string',
  customTime: 'string',
  storageClass: 'string',
  metadata: { '*': 'string' },
  acl: ['any'],
  contexts: 'any',
  eventBasedHold: 'bool',
  temporaryHold: 'bool',
  retention: { mode: 'string', retainUntilTime: 'string' },
};

/** @see https://cloud.google.com/storage/docs/json_api/v1/objects/compose#request-body */
export const composeShape: ShapeObject = {
  kind: 'ignored',
  destination: objectShape,
  sourceObjects: [
    { name: 'string', generation: 'int', objectPreconditions: { ifGenerationMatch: 'int' } },
  ],
};

/** The body without ignored fields; nulls are kept, because a patch removes with them. @throws StorageError 400 */
export function readFields(shape: ShapeObject, body: Json | undefined, what: string): JsonObject {
  const read = check(shape, body ?? {}, what);
  return isJsonObject(read) ? read : {};
}

function check(shape: Shape, value: Json, path: string): Json | undefined {
  if (shape === 'ignored') return undefined;
  if (value === null || shape === 'any') return value;
  if (typeof shape === 'string') return checkScalar(shape, value, path);
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) throw wrongType(path, 'a list', value);
    const of = (shape as readonly [Shape])[0];
    return (value as readonly Json[]).map((item, i) => check(of, item, `${path}[${i}]`) ?? null);
  }
  if (!isJsonObject(value)) throw wrongType(path, 'an object', value);
  return checkObject(shape as ShapeObject, value, path);
}

function checkObject(shape: ShapeObject, value: JsonObject, path: string): JsonObject {
  const entries = Object.entries(value).flatMap(([name, item]) => {
    const inner = shape['*'] ?? (Object.hasOwn(shape, name) ? shape[name] : undefined);
    if (inner === undefined) {
      throw new StorageError(
        400,
        'invalid',
        `Invalid JSON payload received. Unknown name ${JSON.stringify(name)} at '${path}': Cannot find field.`,
      );
    }
    const read = check(inner, item ?? null, `${path}.${name}`);
    return read === undefined ? [] : [[name, read] as const];
  });
  return Object.fromEntries(entries);
}

function checkScalar(shape: 'string' | 'bool' | 'int', value: Json, path: string): Json {
  switch (shape) {
    case 'string':
      if (typeof value === 'string') return value;
      break;
    case 'bool':
      if (typeof value === 'boolean') return value;
      break;
    case 'int':
      if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
      if (typeof value === 'string' && /^-?\d{1,19}$/.test(value)) return value;
      break;
  }
  throw wrongType(path, shape, value);
}

function wrongType(path: string, wanted: string, value: Json): StorageError {
  return new StorageError(
    400,
    'invalid',
    `Invalid value at '${path}' (${wanted}), ${JSON.stringify(value)}`,
  );
}

/** RFC 7396: null removes, objects merge, everything else replaces. */
export function mergePatch(current: JsonObject, patch: JsonObject): Record<string, Json> {
  const merged = new Map<string, Json>();
  for (const [name, value] of Object.entries(current)) {
    if (value !== undefined) merged.set(name, value);
  }
  for (const [name, value] of Object.entries(patch)) {
    const before = merged.get(name);
    if (value === null || value === undefined) merged.delete(name);
    else if (isJsonObject(value)) {
      merged.set(name, mergePatch(isJsonObject(before) ? before : {}, value));
    } else merged.set(name, value);
  }
  return Object.fromEntries(merged);
}
