/** Artifact Registry: repositories as documents; images, packages and tags as the sandbox's registry has them. */
import type { ImageRecord, Registry } from '../../registry/registry.ts';
import type { SandboxClock } from '../state/clock.ts';
import type { Documents } from '../state/documents.ts';
import type { Operations } from '../state/operations.ts';
import { pageOf } from '../state/pages.ts';
import { parseName, type Project } from '../state/project.ts';
import { ApiError, badRequest, invalidArgument, notFound } from '../wire/api-error.ts';
import { objectAt, textAt, type JsonObject } from '../wire/json.ts';
import type { RpcHandler } from '../wire/rpc-api.ts';

export interface ArtifactPorts {
  readonly project: Project;
  /** By full name, with the project's id, as this service writes it. */
  readonly repositories: Documents<JsonObject>;
  readonly registry: Pick<Registry, 'listImages' | 'listTags' | 'getManifest'>;
  readonly operations: Operations;
  readonly clock: SandboxClock;
}

const sizes = { byDefault: 100, max: 1_000 };

export function artifactHandlers(ports: ArtifactPorts): Readonly<Record<string, RpcHandler>> {
  return {
    CreateRepository: (request) => createRepository(ports, request),
    GetRepository: (request) => findRepository(ports, textAt(request, 'name')).resource,
    ListRepositories: (request) => listRepositories(ports, request),
    ListDockerImages: (request) => listDockerImages(ports, request),
    GetDockerImage: (request) => getDockerImage(ports, textAt(request, 'name')),
    ListPackages: (request) => listPackages(ports, request),
    GetPackage: (request) => getPackage(ports, textAt(request, 'name')),
    ListTags: (request) => listTags(ports, request),
    GetTag: (request) => getTag(ports, textAt(request, 'name')),
  };
}

interface FoundRepository {
  /** `projects/ID/locations/L/repositories/R` */
  readonly name: string;
  /** `L-docker.pkg.dev/ID/R` */
  readonly prefix: string;
  readonly resource: JsonObject;
  /** What comes after the repository in the name that was asked for. */
  readonly rest: readonly string[];
}

async function createRepository(ports: ArtifactPorts, request: JsonObject): Promise<JsonObject> {
  const { location } = parseName(ports.project, textAt(request, 'parent'));
  const id = textAt(request, 'repositoryId');
  const body = objectAt(request, 'repository');
  if (!/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(id)) {
    throw badRequest([{ field: 'repository_id', description: `Invalid repository id: "${id}"` }]);
  }
  if (textAt(body, 'format') !== 'DOCKER') {
    throw invalidArgument('The sandbox has repositories of the format DOCKER only.');
  }
  const parent = `projects/${ports.project.id}/locations/${location}`;
  const name = `${parent}/repositories/${id}`;
  if (ports.repositories.get(name) !== undefined) {
    throw new ApiError('ALREADY_EXISTS', 'the repository already exists');
  }
  const now = ports.clock.now().toISOString();
  const mode = textAt(body, 'mode');
  const resource = {
    ...body,
    name,
    mode: mode === '' || mode === 'MODE_UNSPECIFIED' ? 'STANDARD_REPOSITORY' : mode,
    createTime: now,
    updateTime: now,
    registryUri: `${location}-docker.pkg.dev/${ports.project.id}/${id}`,
  };
  await ports.repositories.put(name, resource);
  return ports.operations.done(
    parent,
    { '@type': 'type.googleapis.com/google.devtools.artifactregistry.v1.OperationMetadata' },
    { '@type': 'type.googleapis.com/google.devtools.artifactregistry.v1.Repository', ...resource },
  );
}

function findRepository(ports: ArtifactPorts, text: string): FoundRepository {
  const { location, rest } = parseName(ports.project, text);
  const [kind, id = '', ...inner] = rest;
  const name = `projects/${ports.project.id}/locations/${location}/repositories/${id}`;
  const resource = kind === 'repositories' ? ports.repositories.get(name) : undefined;
  if (resource === undefined) throw notFound('Requested entity was not found.');
  const prefix = `${location}-docker.pkg.dev/${ports.project.id}/${id}`;
  return { name, prefix, resource, rest: inner };
}

function listRepositories(ports: ArtifactPorts, request: JsonObject): JsonObject {
  const { location } = parseName(ports.project, textAt(request, 'parent'));
  const parent = `projects/${ports.project.id}/locations/${location}/`;
  const all = ports.repositories
    .values()
    .filter((repository) => textAt(repository, 'name').startsWith(parent))
    .sort((a, b) => (textAt(a, 'name') < textAt(b, 'name') ? -1 : 1));
  return listed('repositories', all, request);
}

async function listDockerImages(ports: ArtifactPorts, request: JsonObject): Promise<JsonObject> {
  const repository = findRepository(ports, textAt(request, 'parent'));
  const images = await ports.registry.listImages(repository.prefix);
  const resources = images.map((image) => toDockerImage(repository, image));
  return listed('dockerImages', resources, request);
}

async function getDockerImage(ports: ArtifactPorts, name: string): Promise<JsonObject> {
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

async function listPackages(ports: ArtifactPorts, request: JsonObject): Promise<JsonObject> {
  const repository = findRepository(ports, textAt(request, 'parent'));
  return listed('packages', await packagesOf(ports, repository), request);
}

async function getPackage(ports: ArtifactPorts, name: string): Promise<JsonObject> {
  const repository = findRepository(ports, name);
  const wanted = `${repository.name}/${repository.rest.join('/')}`;
  const all = await packagesOf(ports, repository);
  const found = all.find((item) => textAt(item, 'name') === wanted);
  if (found === undefined) throw notFound('Requested entity was not found.');
  return found;
}

async function listTags(ports: ArtifactPorts, request: JsonObject): Promise<JsonObject> {
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

async function getTag(ports: ArtifactPorts, name: string): Promise<JsonObject> {
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

function listed(field: string, items: readonly JsonObject[], request: JsonObject): JsonObject {
  const page = pageOf(items, request, sizes, (item) => textAt(item, 'name'));
  return {
    ...(page.items.length > 0 ? { [field]: page.items } : {}),
    ...(page.nextPageToken === undefined ? {} : { nextPageToken: page.nextPageToken }),
  };
}
