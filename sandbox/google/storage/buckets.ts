/** The buckets of the project: what the JSON API's bucket methods do, on documents. */
import { z } from 'zod';
import type { SandboxClock } from '../state/clock.ts';
import { Documents } from '../state/documents.ts';
import type { Project } from '../state/project.ts';
import { jsonSchema, objectAt, textAt, type Json, type JsonObject } from '../wire/json.ts';
import type { ObjectStore } from './object-store.ts';
import { bucketShape, mergePatch, readFields } from './resource-fields.ts';
import { invalid, noSuchBucket, StorageError } from './storage-error.ts';

const bucketSchema = z.object({
  name: z.string(),
  timeCreated: z.string(),
  updated: z.string(),
  metageneration: z.number(),
  /** The client's own fields. */
  fields: z.record(z.string(), jsonSchema),
  /** Buckets that a Google service owns are used, and not listed. */
  hidden: z.boolean(),
});
export type Bucket = z.infer<typeof bucketSchema>;

export class Buckets {
  readonly #documents: Documents<Bucket>;
  readonly #objects: ObjectStore;
  readonly #project: Project;
  readonly #clock: SandboxClock;

  private constructor(
    documents: Documents<Bucket>,
    objects: ObjectStore,
    project: Project,
    clock: SandboxClock,
  ) {
    this.#documents = documents;
    this.#objects = objects;
    this.#project = project;
    this.#clock = clock;
  }

  static async open(
    directory: string,
    objects: ObjectStore,
    project: Project,
    clock: SandboxClock,
  ): Promise<Buckets> {
    const documents = await Documents.open(directory, (value) => bucketSchema.parse(value));
    for (const { name } of documents.values()) await objects.createBucket(name);
    return new Buckets(documents, objects, project, clock);
  }

  find(name: string): Bucket | undefined {
    return this.#documents.get(name);
  }

  /** Such as `us-central1` or `us`; undefined where there is no such bucket. */
  locationOf(name: string): string | undefined {
    const bucket = this.find(name);
    return bucket && locationOf(bucket).location.toLowerCase();
  }

  /** @throws StorageError 404 */
  get(name: string): Bucket {
    const bucket = this.find(name);
    if (bucket === undefined) throw noSuchBucket();
    return bucket;
  }

  list(): Bucket[] {
    return this.#documents
      .values()
      .filter(({ hidden }) => !hidden)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Everything that a job of this project may see: bucket → directory. */
  mounts(): Record<string, string> {
    return Object.fromEntries(
      this.list().map(({ name }) => [name, this.#objects.mountOf(name)] as const),
    );
  }

  /** @throws StorageError 400, 409 */
  async create(body: Json | undefined, hidden = false): Promise<Bucket> {
    const { name, ...fields } = mergePatch({}, readFields(bucketShape, body, 'bucket'));
    if (typeof name !== 'string' || !isBucketName(name)) {
      throw invalid(`Invalid bucket name: ${JSON.stringify(name ?? '')}`);
    }
    if (this.find(name) !== undefined) {
      throw new StorageError(
        409,
        'conflict',
        'Your previous request to create the named bucket succeeded and you already own it.',
      );
    }
    const now = this.#clock.now().toISOString();
    const bucket = { name, timeCreated: now, updated: now, metageneration: 1, fields, hidden };
    // The document first, so that of two creates at once only one succeeds.
    const written = this.#documents.put(name, bucket);
    await this.#objects.createBucket(name);
    await written;
    return bucket;
  }

  /** @throws StorageError 400, 404 */
  async patch(name: string, body: Json | undefined): Promise<Bucket> {
    const bucket = this.get(name);
    const { name: given, location, ...patch } = readFields(bucketShape, body, 'bucket');
    if (given !== undefined && given !== name) throw invalid('A bucket cannot be renamed.');
    if (location !== undefined && location !== null && !sameLocation(bucket, location)) {
      throw invalid("A bucket's location cannot be changed.");
    }
    const next = {
      ...bucket,
      fields: mergePatch(bucket.fields, patch),
      metageneration: bucket.metageneration + 1,
      updated: this.#clock.now().toISOString(),
    };
    await this.#documents.put(name, next);
    return next;
  }

  /** @throws StorageError 404, 409 */
  async delete(name: string): Promise<void> {
    this.get(name);
    if ((await this.#objects.list(name, { versions: true })).length > 0) {
      throw new StorageError(409, 'conflict', 'The bucket you tried to delete is not empty.');
    }
    await this.#documents.delete(name);
    await this.#objects.deleteBucket(name);
  }

  isVersioned(bucket: Bucket): boolean {
    return objectAt(bucket.fields, 'versioning')['enabled'] === true;
  }

  /** @see https://cloud.google.com/storage/docs/json_api/v1/buckets#resource */
  toResource(bucket: Bucket, origin: string): JsonObject {
    return {
      kind: 'storage#bucket',
      id: bucket.name,
      name: bucket.name,
      selfLink: `${origin}/storage/v1/b/${bucket.name}`,
      projectNumber: this.#project.number,
      metageneration: String(bucket.metageneration),
      etag: Buffer.from(String(bucket.metageneration)).toString('base64'),
      timeCreated: bucket.timeCreated,
      updated: bucket.updated,
      storageClass: 'STANDARD',
      iamConfiguration: {
        bucketPolicyOnly: { enabled: false },
        uniformBucketLevelAccess: { enabled: false },
        publicAccessPrevention: 'inherited',
      },
      softDeletePolicy: {
        retentionDurationSeconds: '604800',
        effectiveTime: bucket.timeCreated,
      },
      ...bucket.fields,
      ...locationOf(bucket),
    };
  }
}

const multiRegions: ReadonlySet<string> = new Set(['US', 'EU', 'ASIA']);

function locationOf(bucket: Bucket): { readonly location: string; readonly locationType: string } {
  const location = (textAt(bucket.fields, 'location') || 'US').toUpperCase();
  return { location, locationType: multiRegions.has(location) ? 'multi-region' : 'region' };
}

function sameLocation(bucket: Bucket, location: Json): boolean {
  return typeof location === 'string' && location.toUpperCase() === locationOf(bucket).location;
}

/** @see https://cloud.google.com/storage/docs/buckets#naming */
function isBucketName(name: string): boolean {
  const shape = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(name);
  const parts = name.split('.');
  return (
    shape &&
    parts.every((part) => part !== '' && part.length <= 63) &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !name.startsWith('goog')
  );
}
