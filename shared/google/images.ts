/** The `Images` port over Artifact Registry's API; never the registry's own protocol, whose realm leads anywhere. */
import type { ArtifactRegistryClient } from '@google-cloud/artifact-registry/build/src/v1/artifact_registry_client.js';
import { CloudError } from '../errors.ts';
import type { Images } from '../ports.ts';
import { callOptions, type Sender } from './requests.ts';
import * as names from './resource-names.ts';

export function createImages(
  client: () => Promise<ArtifactRegistryClient>,
  sender: Sender,
): Images {
  return {
    exists: async (image) => {
      const name = names.dockerImageName(image);
      const registry = await client();
      try {
        await sender.read('dockerImages.get', () => registry.getDockerImage({ name }, callOptions));
        return true;
      } catch (error) {
        if (error instanceof CloudError && error.status === 404) return false;
        throw error;
      }
    },
  };
}
