/**
 * The sandbox's image registry: blobs and manifests on disk, found by what they contain.
 * In: bytes. Out: `sha256:…` digests, and the same bytes again. The HTTP face is in server.ts.
 *
 * Names carry their host (`us-central1-docker.pkg.dev/demo-project/trainyard/digits`), because that is
 * how builds and jobs write them.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { openBlobs, type BlobStore } from './blobs.ts';
import { isDigest, isRepositoryName, isTag } from './image-reference.ts';
import { readReferences } from './manifest.ts';
import { RegistryError } from './registry-error.ts';

export interface Descriptor {
  /** `sha256:<64 hex>`. */
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** One manifest of one repository, as Artifact Registry lists it. */
export interface ImageRecord {
  readonly name: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly tags: readonly string[];
  /** Config and layers, in bytes, compressed. */
  readonly sizeBytes: number;
  /** ISO 8601, first upload. */
  readonly uploadedAt: string;
  /** ISO 8601, last upload or tag change. */
  readonly updatedAt: string;
}

export interface Registry {
  /** @throws RegistryError `DIGEST_INVALID` when the content is not what `expectedDigest` says; nothing is kept then. */
  putBlob(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    expectedDigest?: string,
  ): Promise<Descriptor>;
  /** The blob's size, or undefined when there is none. */
  blobSize(digest: string): Promise<number | undefined>;
  /** The whole blob; for configs and tests, not for layers. */
  getBlob(digest: string): Promise<Buffer | undefined>;
  openBlob(digest: string): NodeJS.ReadableStream;
  /** Stores the manifest and, when `reference` is a tag, moves the tag. Returns the digest. */
  putManifest(
    name: string,
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
  ): Promise<string>;
  getManifest(name: string, reference: string): Promise<StoredManifest | undefined>;
  /** Undefined when the repository does not exist. Sorted. */
  listTags(name: string): Promise<readonly string[] | undefined>;
  /** All images whose name is the prefix or lies below it, newest upload first. */
  listImages(prefix: string): Promise<readonly ImageRecord[]>;
  /** False when there was no such tag. */
  deleteTag(name: string, tag: string): Promise<boolean>;
  /** With the tags that point to it; blobs stay, others may use them. False when there was no such image. */
  deleteImage(name: string, digest: string): Promise<boolean>;
}

const storedRepository = z.object({
  name: z.string().refine(isRepositoryName),
  manifests: z.array(
    z.object({
      digest: z.string().refine(isDigest),
      mediaType: z.string(),
      sizeBytes: z.number(),
      uploadedAt: z.string(),
      updatedAt: z.string(),
    }),
  ),
  tags: z.array(z.object({ tag: z.string().refine(isTag), digest: z.string().refine(isDigest) })),
});

type StoredImage = z.infer<typeof storedRepository>['manifests'][number];

/** Maps, not objects: a tag may well be called `constructor`. */
interface Repository {
  readonly name: string;
  /** By digest. */
  readonly manifests: Map<string, StoredImage>;
  /** Tag → digest. */
  readonly tags: Map<string, string>;
}

/** Opens the registry below `dataDir`, which it makes and finds again at the next start. */
export async function openRegistry(options: {
  readonly dataDir: string;
  /** Asked before an image is stored under a name, which it refuses by throwing; without, every name is taken. */
  readonly admit?: (name: string) => Promise<void>;
  /** For tests. */
  readonly now?: () => Date;
}): Promise<Registry> {
  const blobs = await openBlobs(join(options.dataDir, 'blobs'));
  const index = await RepositoryIndex.open(join(options.dataDir, 'repositories'));
  const { now = () => new Date(), admit = () => Promise.resolve() } = options;
  return new DiskRegistry(blobs, index, now, admit);
}

class DiskRegistry implements Registry {
  readonly #blobs: BlobStore;
  readonly #index: RepositoryIndex;
  readonly #now: () => Date;
  readonly #admit: (name: string) => Promise<void>;

  constructor(
    blobs: BlobStore,
    index: RepositoryIndex,
    now: () => Date,
    admit: (name: string) => Promise<void>,
  ) {
    this.#blobs = blobs;
    this.#index = index;
    this.#now = now;
    this.#admit = admit;
  }

  putBlob(
    content: Uint8Array | AsyncIterable<Uint8Array>,
    expectedDigest?: string,
  ): Promise<Descriptor> {
    return this.#blobs.put(content, expectedDigest);
  }

  blobSize(digest: string): Promise<number | undefined> {
    return this.#blobs.size(digest);
  }

  getBlob(digest: string): Promise<Buffer | undefined> {
    return this.#blobs.read(digest);
  }

  openBlob(digest: string): NodeJS.ReadableStream {
    return this.#blobs.open(digest);
  }

  async putManifest(
    name: string,
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
  ): Promise<string> {
    checkName(name);
    if (!isTag(reference) && !isDigest(reference)) {
      throw new RegistryError('TAG_INVALID', `neither a tag nor a digest: ${reference}`);
    }
    await this.#admit(name);
    const sizeBytes = await this.#checkReferences(name, bytes, mediaType);
    const { digest } = await this.#blobs.put(bytes, isDigest(reference) ? reference : undefined);
    const now = this.#now().toISOString();
    await this.#index.change(name, (repository) => {
      const uploadedAt = repository.manifests.get(digest)?.uploadedAt ?? now;
      const image = { digest, mediaType, sizeBytes, uploadedAt, updatedAt: now };
      repository.manifests.set(digest, image);
      if (isTag(reference)) repository.tags.set(reference, digest);
    });
    return digest;
  }

  async getManifest(name: string, reference: string): Promise<StoredManifest | undefined> {
    const repository = this.#index.get(name);
    const digest = isDigest(reference) ? reference : repository?.tags.get(reference);
    const entry = digest === undefined ? undefined : repository?.manifests.get(digest);
    if (digest === undefined || entry === undefined) return undefined;
    const bytes = await this.#blobs.read(digest);
    return bytes === undefined ? undefined : { digest, mediaType: entry.mediaType, bytes };
  }

  listTags(name: string): Promise<readonly string[] | undefined> {
    const repository = this.#index.get(name);
    return Promise.resolve(repository && [...repository.tags.keys()].sort());
  }

  listImages(prefix: string): Promise<readonly ImageRecord[]> {
    const below = `${prefix.replace(/\/+$/, '')}/`;
    const images = this.#index
      .all()
      .filter(({ name }) => `${name}/`.startsWith(below))
      .flatMap((repository) => recordsOf(repository))
      .sort((a, b) => b.uploadedAt.localeCompare(a.uploadedAt) || (a.name < b.name ? -1 : 1));
    return Promise.resolve(images);
  }

  async deleteTag(name: string, tag: string): Promise<boolean> {
    if (this.#index.get(name)?.tags.has(tag) !== true) return false;
    await this.#index.change(name, (repository) => repository.tags.delete(tag));
    return true;
  }

  async deleteImage(name: string, digest: string): Promise<boolean> {
    if (this.#index.get(name)?.manifests.has(digest) !== true) return false;
    await this.#index.change(name, (repository) => {
      repository.manifests.delete(digest);
      for (const [tag, of] of repository.tags) if (of === digest) repository.tags.delete(tag);
    });
    return true;
  }

  /** A manifest may only be stored when everything it names is there: then a pull cannot half succeed. */
  async #checkReferences(name: string, bytes: Uint8Array, mediaType: string): Promise<number> {
    const references = readReferences(bytes, mediaType);
    let total = 0;
    for (const blob of references.blobs) {
      const size = await this.#blobs.size(blob.digest);
      if (size === undefined) throw new RegistryError('MANIFEST_BLOB_UNKNOWN', blob.digest);
      if (size !== blob.size) {
        throw new RegistryError('MANIFEST_INVALID', `${blob.digest} has ${size} bytes`);
      }
      total += size;
    }
    for (const { digest } of references.manifests) {
      const child = this.#index.get(name)?.manifests.get(digest);
      if (child === undefined) throw new RegistryError('MANIFEST_BLOB_UNKNOWN', digest);
      total += child.sizeBytes;
    }
    return total;
  }
}

/** Which manifests and tags each repository has; in memory, and in one small file per repository. */
class RepositoryIndex {
  readonly #directory: string;
  readonly #repositories: Map<string, Repository>;
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(directory: string, repositories: Map<string, Repository>) {
    this.#directory = directory;
    this.#repositories = repositories;
  }

  static async open(directory: string): Promise<RepositoryIndex> {
    await mkdir(directory, { recursive: true });
    const repositories = new Map<string, Repository>();
    for (const file of await readdir(directory)) {
      if (!file.endsWith('.json')) continue;
      const text = await readFile(join(directory, file), 'utf8');
      const stored = storedRepository.parse(JSON.parse(text));
      repositories.set(stored.name, {
        name: stored.name,
        manifests: new Map(stored.manifests.map((image) => [image.digest, image])),
        tags: new Map(stored.tags.map(({ tag, digest }) => [tag, digest])),
      });
    }
    return new RepositoryIndex(directory, repositories);
  }

  get(name: string): Repository | undefined {
    return this.#repositories.get(name);
  }

  all(): readonly Repository[] {
    return [...this.#repositories.values()];
  }

  /** Applies the change to a copy, writes it, and only then shows it; one at a time. */
  change(name: string, apply: (repository: Repository) => void): Promise<void> {
    const task = this.#writing.then(async () => {
      const current = this.#repositories.get(name);
      const next = {
        name,
        manifests: new Map(current?.manifests),
        tags: new Map(current?.tags),
      };
      apply(next);
      // Names hold slashes and may be longer than a file name can be; a hash is neither.
      const hash = createHash('sha256').update(name).digest('hex');
      const file = join(this.#directory, `${hash}.json`);
      await writeFile(`${file}.new`, `${JSON.stringify(toStored(next), null, 2)}\n`);
      await rename(`${file}.new`, file);
      this.#repositories.set(name, next);
    });
    // A failed change fails its caller, not everybody after it.
    this.#writing = task.catch(() => undefined);
    return task;
  }
}

function toStored(repository: Repository): z.infer<typeof storedRepository> {
  return {
    name: repository.name,
    manifests: [...repository.manifests.values()],
    tags: [...repository.tags].map(([tag, digest]) => ({ tag, digest })),
  };
}

function recordsOf(repository: Repository): ImageRecord[] {
  return [...repository.manifests.values()].map((image) => ({
    name: repository.name,
    ...image,
    tags: [...repository.tags]
      .filter(([, digest]) => digest === image.digest)
      .map(([tag]) => tag)
      .sort(),
  }));
}

function checkName(name: string): void {
  if (!isRepositoryName(name)) {
    throw new RegistryError('NAME_INVALID', `not a repository name: ${name}`);
  }
}
