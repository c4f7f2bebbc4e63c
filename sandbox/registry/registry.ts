/**
 * The sandbox's image registry: blobs and manifests on disk, found by what they contain.
 * In: bytes. Out: `sha256:…` digests, and the same bytes again. The HTTP face is in server.ts.
 *
 * Names carry their host (`us-central1-docker.pkg.dev/demo-project/trainyard/digits`), because that is
 * how builds and jobs write them.
 */

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
}

export function openRegistry(options: { readonly dataDir: string }): Promise<Registry> {
  return Promise.reject(new Error(`not ready: ${options.dataDir}`));
}
