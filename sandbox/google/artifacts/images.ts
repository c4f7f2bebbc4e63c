/** What is in a repository: images, packages, versions and tags, as the sandbox's registry has them. */
import type { ImageRecord } from '../../registry/registry.ts';
import { emptyResponse } from '../state/operations.ts';
import { ApiError, notFound } from '../wire/api-error.ts';
import { textAt, type JsonObject } from '../wire/json.ts';
import {
  findRepository,
  listed,
  operationMetadata,
  type ArtifactPorts,
  type FoundRepository,
} from './repositories.ts';

export async function listDockerImages(
  ports: ArtifactPorts,
  request: JsonObject,
): Promise<JsonObject> {
  const repository = findRepository(ports, textAt(request, 'parent'));
  const images = await ports.registry.listImages(repository.prefix);
  const resources = images.map((image) => toDockerImage(repository, image));
  return listed('dockerImages', resources, request);
}

export async function getDockerImage(ports: ArtifactPorts, name: string): Promise<JsonObject> {
  const repository = findRepository(ports, name);
  const [image = '', digest = ''] = decodeURIComponent(repository.rest[1] ?? '').split('@');
  const images = await ports.registry.listImages(`${repository.prefix}/${image}`);
  const found = images.find(
    (record) => record.name === `${repository.prefix}/${image}` && record.digest === digest,
  );
  if (found === undefined) throw notFound('Requested entity was not found.');
  return toDockerImage(repository, found);
}

/** @see https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.dockerImages */
function toDockerImage({ name, prefix }: FoundRepository, image: ImageRecord): JsonObject {
  const path = image.name.slice(prefix.length + 1);
  return {
    name: `${name}/dockerImages/${encodeURIComponent(path)}@${image.digest}`,
    uri: `${image.name}@${image.digest}`,
    ...(image.tags.length > 0 ? { tags: image.tags } : {}),
    imageSizeBytes: String(image.sizeBytes),
    mediaType: image.mediaType,
    uploadTime: image.uploadedAt,
    updateTime: image.updatedAt,
  };
}

async function packagesOf(
  ports: ArtifactPorts,
  { name, prefix }: FoundRepository,
): Promise<JsonObject[]> {
  const images = await ports.registry.listImages(prefix);
  const byName = Map.groupBy(images, (image) => image.name.slice(prefix.length + 1));
  return [...byName].map(([path, versions]) => ({
    name: `${name}/packages/${encodeURIComponent(path)}`,
    createTime: versions.map(({ uploadedAt }) => uploadedAt).sort()[0],
    updateTime: versions
      .map(({ updatedAt }) => updatedAt)
      .sort()
      .at(-1),
  }));
}

export async function listPackages(ports: ArtifactPorts, request: JsonObject): Promise<JsonObject> {
  const repository = findRepository(ports, textAt(request, 'parent'));
  return listed('packages', await packagesOf(ports, repository), request);
}

export async function getPackage(ports: ArtifactPorts, name: string): Promise<JsonObject> {
  const repository = findRepository(ports, name);
  const wanted = `${repository.name}/${repository.rest.join('/')}`;
  const all = await packagesOf(ports, repository);
  const found = all.find((item) => textAt(item, 'name') === wanted);
  if (found === undefined) throw notFound('Requested entity was not found.');
  return found;
}

export async function listTags(ports: ArtifactPorts, request: JsonObject): Promise<JsonObject> {
  const repository = findRepository(ports, textAt(request, 'parent'));
  const path = decodeURIComponent(repository.rest[1] ?? '');
  const tags = (await ports.registry.listTags(`${repository.prefix}/${path}`)) ?? [];
  const all = await Promise.all(tags.map((tag) => toTag(ports, repository, path, tag)));
  return listed(
    'tags',
    all.filter((tag) => tag !== undefined),
    request,
  );
}

export async function getTag(ports: ArtifactPorts, name: string): Promise<JsonObject> {
  const repository = findRepository(ports, name);
  const [, path = '', , tag = ''] = repository.rest;
  const found = await toTag(ports, repository, decodeURIComponent(path), tag);
  if (found === undefined) throw notFound('Requested entity was not found.');
  return found;
}

async function toTag(
  { registry }: ArtifactPorts,
  { name, prefix }: FoundRepository,
  path: string,
  tag: string,
): Promise<JsonObject | undefined> {
  const manifest = await registry.getManifest(`${prefix}/${path}`, tag);
  if (manifest === undefined) return undefined;
  const parent = `${name}/packages/${encodeURIComponent(path)}`;
  return { name: `${parent}/tags/${tag}`, version: `${parent}/versions/${manifest.digest}` };
}

export async function deleteTag(ports: ArtifactPorts, name: string): Promise<JsonObject> {
  const repository = findRepository(ports, name);
  const [, path = '', , tag = ''] = repository.rest;
  const image = `${repository.prefix}/${decodeURIComponent(path)}`;
  if (!(await ports.registry.deleteTag(image, tag))) {
    throw notFound('Requested entity was not found.');
  }
  return {};
}

export async function listVersions(ports: ArtifactPorts, request: JsonObject): Promise<JsonObject> {
  const repository = findRepository(ports, textAt(request, 'parent'));
  const path = decodeURIComponent(repository.rest[1] ?? '');
  const images = await imagesOf(ports, repository, path);
  const isFull = textAt(request, 'view') === 'FULL';
  const versions = images.map((image) => toVersion(repository, path, image, isFull));
  return listed('versions', versions, request);
}

export async function getVersion(ports: ArtifactPorts, request: JsonObject): Promise<JsonObject> {
  const { repository, path, image } = await findVersion(ports, textAt(request, 'name'));
  return toVersion(repository, path, image, textAt(request, 'view') === 'FULL');
}

/** @see https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.packages.versions/delete */
export async function deleteVersion(
  ports: ArtifactPorts,
  request: JsonObject,
): Promise<JsonObject> {
  const { repository, image } = await findVersion(ports, textAt(request, 'name'));
  if (image.tags.length > 0 && request['force'] !== true) {
    throw new ApiError(
      'FAILED_PRECONDITION',
      'Tag reference exists for version; delete the tags first, or use force.',
    );
  }
  await ports.registry.deleteImage(image.name, image.digest);
  const parent = repository.name.slice(0, repository.name.indexOf('/repositories/'));
  return ports.operations.done(parent, operationMetadata, emptyResponse);
}

async function imagesOf(
  { registry }: ArtifactPorts,
  { prefix }: FoundRepository,
  path: string,
): Promise<ImageRecord[]> {
  const name = `${prefix}/${path}`;
  return (await registry.listImages(name)).filter((image) => image.name === name);
}

async function findVersion(
  ports: ArtifactPorts,
  name: string,
): Promise<{ repository: FoundRepository; path: string; image: ImageRecord }> {
  const repository = findRepository(ports, name);
  const path = decodeURIComponent(repository.rest[1] ?? '');
  const images = await imagesOf(ports, repository, path);
  const image = images.find(({ digest }) => digest === repository.rest[3]);
  if (image === undefined) throw notFound('Requested entity was not found.');
  return { repository, path, image };
}

function toVersion(
  repository: FoundRepository,
  path: string,
  image: ImageRecord,
  isFull: boolean,
): JsonObject {
  const parent = `${repository.name}/packages/${encodeURIComponent(path)}`;
  const name = `${parent}/versions/${image.digest}`;
  const relatedTags = image.tags.map((tag) => ({ name: `${parent}/tags/${tag}`, version: name }));
  const metadata = {
    name: `${repository.name}/dockerImages/${encodeURIComponent(path)}@${image.digest}`,
    imageSizeBytes: String(image.sizeBytes),
    mediaType: image.mediaType,
    buildTime: image.uploadedAt,
  };
  return {
    name,
    createTime: image.uploadedAt,
    updateTime: image.updatedAt,
    ...(isFull && relatedTags.length > 0 ? { relatedTags } : {}),
    metadata,
  };
}
