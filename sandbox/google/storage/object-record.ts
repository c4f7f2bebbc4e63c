/** What is kept of an object beside its content, and how the JSON API shows it. */
import { z } from 'zod';
import { jsonSchema, type JsonObject } from '../wire/json.ts';

const recordSchema = z.object({
  bucket: z.string(),
  name: z.string(),
  /** Decimal, grows with every write. */
  generation: z.string(),
  metageneration: z.number(),
  size: z.number(),
  md5Hash: z.string(),
  crc32c: z.string(),
  timeCreated: z.string(),
  updated: z.string(),
  /** Set when a newer generation or a delete has made it noncurrent. */
  timeDeleted: z.string().optional(),
  /** The client's own fields: contentType, metadata, cacheControl, … */
  fields: z.record(z.string(), jsonSchema),
  /** `file`: at its name in the bucket's directory, where jobs see it. `kept`: elsewhere. */
  place: z.enum(['file', 'kept']),
  /** What the file looked like when it was hashed; when it looks different, a job has written it. */
  stamp: z.string().optional(),
});

export type ObjectRecord = z.infer<typeof recordSchema>;

export function parseObjectRecord(value: unknown): ObjectRecord {
  return recordSchema.parse(value);
}

/** @see https://cloud.google.com/storage/docs/json_api/v1/objects#resource */
export function toObjectResource(record: ObjectRecord, origin: string): JsonObject {
  const { bucket, name, generation } = record;
  const path = `b/${bucket}/o/${encodeURIComponent(name)}`;
  return {
    kind: 'storage#object',
    id: `${bucket}/${name}/${generation}`,
    selfLink: `${origin}/storage/v1/${path}`,
    mediaLink: `${origin}/download/storage/v1/${path}?generation=${generation}&alt=media`,
    name,
    bucket,
    generation,
    metageneration: String(record.metageneration),
    storageClass: 'STANDARD',
    size: String(record.size),
    md5Hash: record.md5Hash,
    crc32c: record.crc32c,
    etag: Buffer.from(`${generation}/${record.metageneration}`).toString('base64'),
    timeCreated: record.timeCreated,
    updated: record.updated,
    timeStorageClassUpdated: record.timeCreated,
    ...(record.timeDeleted === undefined ? {} : { timeDeleted: record.timeDeleted }),
    ...record.fields,
  };
}
