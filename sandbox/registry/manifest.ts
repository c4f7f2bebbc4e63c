/**
 * Image manifests. In: bytes that somebody pushed. Out: what they refer to, or a `RegistryError`.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md
 */
import { z } from 'zod';
import { isDigest } from './image-reference.ts';
import { RegistryError } from './registry-error.ts';

export const mediaTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

/** The size that registries promise to take; anything larger is not a manifest. */
export const maxManifestBytes = 4 * 1024 * 1024;

const descriptor = z.object({
  mediaType: z.string().max(200),
  digest: z.string().refine(isDigest, 'is not a sha256 digest'),
  size: z.number().int().nonnegative(),
});

const imageManifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor).max(1_000),
});

const imageIndex = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(descriptor).max(1_000),
});

type ImageManifest = z.infer<typeof imageManifest>;

/** What a manifest needs to be there already. */
interface ManifestReferences {
  readonly blobs: readonly { readonly digest: string; readonly size: number }[];
  readonly manifests: readonly { readonly digest: string }[];
}

/** @throws RegistryError when the bytes are no manifest of that media type. */
export function readReferences(bytes: Uint8Array, mediaType: string): ManifestReferences {
  if (bytes.byteLength > maxManifestBytes) {
    throw new RegistryError('SIZE_INVALID', `a manifest may have ${maxManifestBytes} bytes`);
  }
  switch (mediaType) {
    case mediaTypes.manifest:
    case mediaTypes.dockerManifest: {
      const manifest = check(imageManifest, bytes, mediaType);
      return { blobs: [manifest.config, ...manifest.layers], manifests: [] };
    }
    case mediaTypes.index:
    case mediaTypes.dockerList:
      return { blobs: [], manifests: check(imageIndex, bytes, mediaType).manifests };
    default:
      throw new RegistryError('MANIFEST_INVALID', `media type not supported: ${mediaType}`);
  }
}

/** @throws RegistryError when the bytes are no single image's manifest. */
export function parseImageManifest(bytes: Uint8Array): ImageManifest {
  return check(imageManifest, bytes, undefined);
}

function check<T extends { readonly mediaType?: string | undefined }>(
  schema: z.ZodType<T>,
  bytes: Uint8Array,
  mediaType: string | undefined,
): T {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new RegistryError('MANIFEST_INVALID', 'the manifest is not JSON', { cause });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new RegistryError(
      'MANIFEST_INVALID',
      `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`,
    );
  }
  const declared = parsed.data.mediaType;
  // A manifest that says one thing in its body and another in its header is how images get confused.
  if (mediaType !== undefined && declared !== undefined && declared !== mediaType) {
    throw new RegistryError('MANIFEST_INVALID', `the manifest says it is ${declared}`);
  }
  return parsed.data;
}
