/**
 * Which repositories Cloud Build may use. In production somebody connects them in the console; here the
 * sandbox's options say which are: those of the 1st generation by owner, name and location, those of the
 * 2nd as resources that `connections` and `repositories` (v2) show.
 * @see https://cloud.google.com/build/docs/repositories
 */
import type { SandboxClock } from '../state/clock.ts';
import type { Documents } from '../state/documents.ts';
import { pageOf } from '../state/pages.ts';
import { parseName, type Project } from '../state/project.ts';
import { notFound } from '../wire/api-error.ts';
import { textAt, type JsonObject } from '../wire/json.ts';
import type { RpcHandler } from '../wire/rpc-api.ts';
import { parseRemoteUri, remoteUri } from './source-host.ts';

interface RepositoryName {
  readonly owner: string;
  readonly name: string;
}

export interface ConnectedRepositories {
  /** 1st generation: Cloud Build's GitHub App, connected for each location by itself. */
  readonly byApp: readonly (RepositoryName & { readonly locations: readonly string[] })[];
  /** 2nd generation. */
  readonly connections: readonly {
    /** Never `global`. */
    readonly location: string;
    readonly id: string;
    readonly repositories: readonly (RepositoryName & { readonly id: string })[];
  }[];
}

export interface ConnectionPorts {
  readonly project: Project;
  readonly connected: ConnectedRepositories;
  /** Connections and repositories, by full name with the project's id. */
  readonly documents: Documents<JsonObject>;
}

/** Makes the resources of the 2nd generation, where they are not there from an earlier start. */
export async function seedConnections(ports: ConnectionPorts, clock: SandboxClock): Promise<void> {
  const now = clock.now().toISOString();
  const put = async (name: string, resource: JsonObject): Promise<void> => {
    if (ports.documents.get(name) !== undefined) return;
    await ports.documents.put(name, { name, ...resource, createTime: now, updateTime: now });
  };
  for (const { location, id, repositories } of ports.connected.connections) {
    const connection = `projects/${ports.project.id}/locations/${location}/connections/${id}`;
    await put(connection, {
      githubConfig: { appInstallationId: '7002' },
      installationState: { stage: 'COMPLETE' },
    });
    for (const repository of repositories) {
      await put(`${connection}/repositories/${repository.id}`, {
        remoteUri: remoteUri(repository.owner, repository.name),
      });
    }
  }
}

export function isConnectedByApp(
  { connected }: ConnectionPorts,
  { owner, name }: RepositoryName,
  location: string,
): boolean {
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  return connected.byApp.some(
    (one) => same(one.owner, owner) && same(one.name, name) && one.locations.includes(location),
  );
}

/** The GitHub repository behind a resource of the 2nd generation, and where that is. */
export function linkedRepository(
  ports: ConnectionPorts,
  resourceName: string,
): (RepositoryName & { readonly location: string }) | undefined {
  const { location, rest } = parseName(ports.project, resourceName);
  const resource = ports.documents.get(ownName(ports, resourceName));
  if (rest.length !== 4 || resource === undefined) return undefined;
  const found = parseRemoteUri(textAt(resource, 'remoteUri'));
  return found === undefined ? undefined : { ...found, location };
}

export function connectionHandlers(ports: ConnectionPorts): Readonly<Record<string, RpcHandler>> {
  const list = (request: JsonObject, member: 'connections' | 'repositories'): JsonObject => {
    const parent = ownName(ports, textAt(request, 'parent'));
    if (member === 'repositories') get(ports, parent);
    const pattern = `${parent}/${member}/`;
    const items = ports.documents
      .entries()
      .filter(([name]) => name.startsWith(pattern) && !name.slice(pattern.length).includes('/'))
      .map(([, resource]) => resource);
    const page = pageOf(items, request, { byDefault: 50, max: 1_000 }, (one) =>
      textAt(one, 'name'),
    );
    return {
      ...(page.items.length === 0 ? {} : { [member]: page.items }),
      ...(page.nextPageToken === undefined ? {} : { nextPageToken: page.nextPageToken }),
    };
  };
  return {
    ListConnections: (request) => list(request, 'connections'),
    GetConnection: (request) => get(ports, ownName(ports, textAt(request, 'name'))),
    ListRepositories: (request) => list(request, 'repositories'),
    GetRepository: (request) => get(ports, ownName(ports, textAt(request, 'name'))),
  };
}

function get(ports: ConnectionPorts, name: string): JsonObject {
  const resource = ports.documents.get(name);
  if (resource === undefined) throw notFound(`Resource '${name}' was not found`);
  return resource;
}

/** Our project may be named by its number. @throws ApiError 400 or 403 */
function ownName({ project }: ConnectionPorts, name: string): string {
  const { location, rest } = parseName(project, name);
  return [`projects/${project.id}/locations/${location}`, ...rest].join('/');
}
