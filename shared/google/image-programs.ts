/**
 * The `ImagePrograms` port over Artifact Registry's Docker API, which alone knows what is in an image: a digest
 * in, the image's own ENTRYPOINT and CMD out. The token goes to a host of `*-docker.pkg.dev` and nowhere else; a
 * realm that the registry names is not asked. What arrives is held against its digest.
 * @see https://cloud.google.com/artifact-registry/docs/reference/docker-api
 * @see https://github.com/opencontainers/image-spec/blob/main/config.md
 */
import { createHash } from 'node:crypto';
import { CloudError } from '../errors.ts';
import type { ImageProgram, ImagePrograms } from '../ports.ts';
import type { Sender } from './requests.ts';
import * as names from './resource-names.ts';
import type { Rest } from './rest.ts';

const manifestTypes = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.index.v1+json',
].join(', ');

/** Manifests and configs are a few kilobytes. */
const maxBytes = 4 * 1024 ** 2;

type Json = Readonly<Record<string, unknown>>;

export function createImagePrograms(rest: Rest, sender: Sender): ImagePrograms {
  const read = async (host: string, path: string, digest: string): Promise<Json> => {
    const bytes = await sender.read('images.pull', () =>
      rest({ host, path, accept: manifestTypes, maxBytes, mayLieElsewhere: true }),
    );
    if (`sha256:${createHash('sha256').update(bytes).digest('hex')}` !== digest) throw damaged();
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    return objectOf(parsed);
  };
  return {
    read: async (image) => {
      const { host, path, digest } = names.registryPath(image);
      const manifestAt = (of: string): Promise<Json> => read(host, `${path}/manifests/${of}`, of);
      let manifest = await manifestAt(digest);
      if (Array.isArray(manifest['manifests'])) {
        manifest = await manifestAt(checkedDigest(forVertex(manifest['manifests'])));
      }
      const config = checkedDigest(manifest['config']);
      return programIn(objectOf((await read(host, `${path}/blobs/${config}`, config))['config']));
    },
  };
}

/** Vertex AI's machines are all of this kind. */
function forVertex(manifests: readonly unknown[]): unknown {
  return manifests.find((entry) => {
    const { os, architecture } = objectOf(objectOf(entry)['platform']);
    return os === 'linux' && architecture === 'amd64';
  });
}

function programIn(config: Json): ImageProgram {
  return { entrypoint: wordsOf(config['Entrypoint']), cmd: wordsOf(config['Cmd']) };
}

function wordsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
}

function checkedDigest(descriptor: unknown): string {
  const { digest } = objectOf(descriptor);
  if (typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  throw damaged();
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function damaged(): CloudError {
  return new CloudError('images.pull', 'the registry gave something that is not the image.', {
    status: 502,
    retryable: false,
    ambiguous: false,
  });
}
