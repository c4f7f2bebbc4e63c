/**
 * Whether Artifact Registry takes an image under a name: `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE` needs a
 * repository that was made before. Names of other hosts are none of its, and are taken.
 * @see https://cloud.google.com/artifact-registry/docs/docker/troubleshoot#push
 */
import { RegistryError } from '../../registry/registry-error.ts';
import type { Documents } from '../state/documents.ts';
import type { JsonObject } from '../wire/json.ts';

const host = /^([a-z0-9-]+)-docker\.pkg\.dev\//;

/**
 * @param name with its host, without a tag
 * @throws RegistryError
 */
export function checkRepository(
  repositories: Pick<Documents<JsonObject>, 'get'>,
  name: string,
): void {
  const location = host.exec(name)?.[1];
  if (location === undefined) return;
  const [, project = '', repository = '', image] = name.split('/');
  if (image === undefined) {
    throw new RegistryError('NAME_INVALID', `Invalid image name: ${name}`);
  }
  const resource = `projects/${project}/locations/${location}/repositories/${repository}`;
  if (repositories.get(resource) !== undefined) return;
  throw new RegistryError('NAME_UNKNOWN', `Repository "${repository}" not found`);
}
