/**
 * Pulling an image. In: a reference and an empty directory. Out: the image's files in that directory and its
 * configuration, or undefined when the registry has no such image.
 */
import { mkdir } from 'node:fs/promises';
import { parseImageReference } from '../registry/image-reference.ts';
import { mediaTypes, parseImageManifest, readReferences } from '../registry/manifest.ts';
import type { Registry, StoredManifest } from '../registry/registry.ts';
import { parseRunConfig, type RunConfig } from './image-config.ts';
import { unpack } from './unpack.ts';

/** @throws ArchiveError | RegistryError when the image is damaged */
export async function pullImage(
  registry: Registry,
  image: string,
  directory: string,
  signal: AbortSignal,
): Promise<RunConfig | undefined> {
  const stored = await findManifest(registry, image);
  if (stored === undefined) return undefined;
  const manifest = parseImageManifest(stored.bytes);
  const config = await registry.getBlob(manifest.config.digest);
  if (config === undefined) return undefined;
  await mkdir(directory, { recursive: true });
  for (const layer of manifest.layers) {
    await unpack(registry.openBlob(layer.digest), directory, { kind: 'layer', signal });
  }
  return parseRunConfig(config);
}

async function findManifest(
  registry: Registry,
  image: string,
): Promise<StoredManifest | undefined> {
  const reference = parseImageReference(image);
  if (reference === undefined) return undefined;
  const wanted = reference.digest ?? reference.tag ?? 'latest';
  const found = await registry.getManifest(reference.name, wanted);
  const isList =
    found?.mediaType === mediaTypes.index || found?.mediaType === mediaTypes.dockerList;
  if (found === undefined || !isList) return found;
  // Of an image for several platforms the first is the one that was built for servers, by convention.
  const [first] = readReferences(found.bytes, found.mediaType).manifests;
  return first && (await registry.getManifest(reference.name, first.digest));
}
