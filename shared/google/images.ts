/** The `Images` port over Artifact Registry's API; never the registry's own protocol, whose realm leads anywhere. */
import type { ArtifactRegistryClient } from '@google-cloud/artifact-registry/build/src/v1/artifact_registry_client.js';
import { CloudError } from '../errors.ts';
import type { Images } from '../ports.ts';
import { fromTimestamp } from './from-wire.ts';
import { callOptions, type Sender } from './requests.ts';
import * as names from './resource-names.ts';

export function createImages(
  client: () => Promise<ArtifactRegistryClient>,
  sender: Sender,
): Images {
  const get = async (image: string) => {
    const name = names.dockerImageName(image);
    const registry = await client();
    return orUndefined(async () => {
      const [found] = await sender.read('dockerImages.get', () =>
        registry.getDockerImage({ name }, callOptions),
      );
      return found;
    });
  };
  return {
    exists: async (image) => (await get(image)) !== undefined,
    resolve: async (image) => {
      const name = names.dockerTagName(image);
      const registry = await client();
      const tag = await orUndefined(async () => {
        const [found] = await sender.read('tags.get', () => registry.getTag({ name }, callOptions));
        return found;
      });
      const digest = /\/versions\/(sha256:[0-9a-f]{64})$/.exec(tag?.version ?? '')?.[1];
      if (digest === undefined) return undefined;
      const found = await get(`${image.slice(0, image.lastIndexOf(':'))}@${digest}`);
      return found && { digest, uploadedAt: fromTimestamp(found.uploadTime) };
    },
  };
}

async function orUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof CloudError && error.status === 404) return undefined;
    throw error;
  }
}
