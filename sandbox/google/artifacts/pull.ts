/**
 * Artifact Registry's Docker API, as far as those need it who only read what is in an image: a manifest or a
 * config by its digest. A path carries no host here, so every location that has the repository is looked through.
 * @see https://cloud.google.com/artifact-registry/docs/reference/docker-api
 */
import type { Registry } from '../../registry/registry.ts';
import { RegistryError } from '../../registry/registry-error.ts';
import { sendJson, type Exchange } from '../http.ts';
import type { Documents } from '../state/documents.ts';
import { textAt, type JsonObject } from '../wire/json.ts';

export interface PullPorts {
  readonly repositories: Documents<JsonObject>;
  readonly registry: Pick<Registry, 'getManifest' | 'getBlob'>;
}

const path = /^\/v2\/(.+)\/(manifests|blobs)\/(sha256:[0-9a-f]{64})$/;

/** @returns true when the request was for this API and has been answered */
export async function servePull(ports: PullPorts, exchange: Exchange): Promise<boolean> {
  const [, name = '', kind, digest = ''] = path.exec(exchange.path) ?? [];
  if (kind === undefined || exchange.verb !== 'GET') return false;
  exchange.request.resume();
  const found = await find(ports, name, digest, kind === 'blobs');
  const { response } = exchange;
  if (found === undefined) {
    const code = kind === 'blobs' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN';
    const error = new RegistryError(code, `Failed to fetch "${digest}"`);
    sendJson(response, 404, { errors: [{ code: error.code, message: error.message }] });
    return true;
  }
  const headers = { 'content-type': found.mediaType, 'docker-content-digest': digest };
  response.writeHead(200, { ...headers, 'content-length': found.bytes.length });
  response.end(found.bytes);
  return true;
}

async function find(
  { repositories, registry }: PullPorts,
  name: string,
  digest: string,
  isBlob: boolean,
): Promise<{ readonly mediaType: string; readonly bytes: Buffer } | undefined> {
  const [project = '', repository = ''] = name.split('/');
  const ending = `/repositories/${repository}`;
  for (const { uri, resource } of repositories.values().map((each) => ({
    uri: textAt(each, 'registryUri'),
    resource: textAt(each, 'name'),
  }))) {
    if (!resource.startsWith(`projects/${project}/`) || !resource.endsWith(ending)) continue;
    if (isBlob) {
      const bytes = await registry.getBlob(digest);
      return bytes && { mediaType: 'application/octet-stream', bytes };
    }
    const manifest = await registry.getManifest(
      `${uri}/${name.slice(project.length + repository.length + 2)}`,
      digest,
    );
    if (manifest !== undefined) {
      return { mediaType: manifest.mediaType, bytes: Buffer.from(manifest.bytes) };
    }
  }
  return undefined;
}
