/** The Artifact Registry service: request messages in, response messages out. */
import { multiRegions, regions } from '../state/regions.ts';
import { parseProject } from '../state/project.ts';
import { textAt, type JsonObject } from '../wire/json.ts';
import { compileTemplate } from '../wire/path-template.ts';
import type { Route, RpcHandler } from '../wire/rpc-api.ts';
import {
  deleteTag,
  deleteVersion,
  getDockerImage,
  getPackage,
  getTag,
  getVersion,
  listDockerImages,
  listPackages,
  listTags,
  listVersions,
} from './images.ts';
import {
  createRepository,
  deleteRepository,
  findRepository,
  listRepositories,
  updateRepository,
  type ArtifactPorts,
} from './repositories.ts';

export function artifactHandlers(ports: ArtifactPorts): Readonly<Record<string, RpcHandler>> {
  return {
    CreateRepository: (request) => createRepository(ports, request),
    GetRepository: (request) => findRepository(ports, textAt(request, 'name')).resource,
    ListRepositories: (request) => listRepositories(ports, request),
    UpdateRepository: (request) => updateRepository(ports, request),
    DeleteRepository: (request) => deleteRepository(ports, request),
    ListDockerImages: (request) => listDockerImages(ports, request),
    GetDockerImage: (request) => getDockerImage(ports, textAt(request, 'name')),
    ListPackages: (request) => listPackages(ports, request),
    GetPackage: (request) => getPackage(ports, textAt(request, 'name')),
    ListVersions: (request) => listVersions(ports, request),
    GetVersion: (request) => getVersion(ports, request),
    DeleteVersion: (request) => deleteVersion(ports, request),
    ListTags: (request) => listTags(ports, request),
    GetTag: (request) => getTag(ports, textAt(request, 'name')),
    DeleteTag: (request) => deleteTag(ports, textAt(request, 'name')),
  };
}

/** gcloud asks for all locations before it lists repositories of all of them. */
export function artifactLocations({ project }: ArtifactPorts): Route[] {
  return ['v1', 'v1beta2'].map((version) => ({
    verb: 'GET',
    path: compileTemplate(`/${version}/{name=projects/*}/locations`),
    answer: ({ pathFields }): Promise<JsonObject> => {
      const name = parseProject(project, pathFields['name'] ?? '');
      const locations = [...multiRegions, ...regions].map((locationId) => ({
        name: `${name}/locations/${locationId}`,
        locationId,
      }));
      return Promise.resolve({ locations });
    },
  }));
}
