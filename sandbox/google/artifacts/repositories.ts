/** Artifact Registry's repositories: documents; what is in them is in images.ts. */
import type { Registry } from '../../registry/registry.ts';
import type { SandboxClock } from '../state/clock.ts';
import type { Documents } from '../state/documents.ts';
import { emptyResponse, type Operations } from '../state/operations.ts';
import { pageOf } from '../state/pages.ts';
import { parseName, type Project } from '../state/project.ts';
import { checkLocation, multiRegions } from '../state/regions.ts';
import { ApiError, badRequest, invalidArgument, notFound } from '../wire/api-error.ts';
import { objectAt, textAt, type Json, type JsonObject } from '../wire/json.ts';

export interface ArtifactPorts {
  readonly project: Project;
  /** By full name, with the project's id, as this service writes it. */
  readonly repositories: Documents<JsonObject>;
  readonly registry: Pick<
    Registry,
    'listImages' | 'listTags' | 'getManifest' | 'deleteTag' | 'deleteImage'
  >;
  readonly operations: Operations;
  readonly clock: SandboxClock;
}

export interface FoundRepository {
  /** `projects/ID/locations/L/repositories/R` */
  readonly name: string;
  /** `L-docker.pkg.dev/ID/R` */
  readonly prefix: string;
  readonly resource: JsonObject;
  /** What comes after the repository in the name that was asked for. */
  readonly rest: readonly string[];
}

export async function createRepository(
  ports: ArtifactPorts,
  request: JsonObject,
): Promise<JsonObject> {
  const { location } = parseName(ports.project, textAt(request, 'parent'));
  checkLocation(location, multiRegions);
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
  return ports.operations.done(parent, operationMetadata, {
    '@type': 'type.googleapis.com/google.devtools.artifactregistry.v1.Repository',
    ...resource,
  });
}

export const operationMetadata: JsonObject = {
  '@type': 'type.googleapis.com/google.devtools.artifactregistry.v1.OperationMetadata',
};

const fixedFields: ReadonlySet<string> = new Set(['name', 'format', 'mode', 'kmsKeyName']);

/** @see https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories/patch */
export async function updateRepository(
  ports: ArtifactPorts,
  request: JsonObject,
): Promise<JsonObject> {
  const { name, resource } = findRepository(ports, textAt(request, 'repository.name'));
  const body = objectAt(request, 'repository');
  const mask = textAt(request, 'updateMask')
    .split(',')
    .filter((path) => path !== '');
  const paths = mask.length > 0 ? mask : Object.keys(body);
  const changed: Record<string, Json> = {};
  for (const path of paths) {
    const field = (path.split('.')[0] ?? '').replace(/_([a-z])/g, (_, c: string) =>
      c.toUpperCase(),
    );
    if (field === 'name') continue;
    if (fixedFields.has(field)) throw invalidArgument(`The field '${field}' cannot be updated.`);
    changed[field] = body[field] ?? {};
  }
  const next = { ...resource, ...changed, updateTime: ports.clock.now().toISOString() };
  await ports.repositories.put(name, next);
  return next;
}

/** With all images in it. */
export async function deleteRepository(
  ports: ArtifactPorts,
  request: JsonObject,
): Promise<JsonObject> {
  const { name, prefix } = findRepository(ports, textAt(request, 'name'));
  await ports.repositories.delete(name);
  for (const image of await ports.registry.listImages(prefix)) {
    await ports.registry.deleteImage(image.name, image.digest);
  }
  const parent = name.slice(0, name.indexOf('/repositories/'));
  return ports.operations.done(parent, operationMetadata, emptyResponse);
}

export function findRepository(ports: ArtifactPorts, text: string): FoundRepository {
  const { location, rest } = parseName(ports.project, text);
  const [kind, id = '', ...inner] = rest;
  const name = `projects/${ports.project.id}/locations/${location}/repositories/${id}`;
  const resource = kind === 'repositories' ? ports.repositories.get(name) : undefined;
  if (resource === undefined) throw notFound('Requested entity was not found.');
  const prefix = `${location}-docker.pkg.dev/${ports.project.id}/${id}`;
  return { name, prefix, resource, rest: inner };
}

export function listRepositories(ports: ArtifactPorts, request: JsonObject): JsonObject {
  const { location } = parseName(ports.project, textAt(request, 'parent'));
  const parent = `projects/${ports.project.id}/locations/${location}/`;
  const all = ports.repositories
    .values()
    .filter((repository) => textAt(repository, 'name').startsWith(parent))
    .sort((a, b) => (textAt(a, 'name') < textAt(b, 'name') ? -1 : 1));
  return listed('repositories', all, request);
}

const sizes = { byDefault: 100, max: 1_000 };

/** One page of a list of this service. */
export function listed(
  field: string,
  items: readonly JsonObject[],
  request: JsonObject,
): JsonObject {
  const page = pageOf(items, request, sizes, (item) => textAt(item, 'name'));
  return {
    ...(page.items.length > 0 ? { [field]: page.items } : {}),
    ...(page.nextPageToken === undefined ? {} : { nextPageToken: page.nextPageToken }),
  };
}
