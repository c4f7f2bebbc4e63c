/** The installed gcloud as the named reference: an isolated configuration that talks to a local server only. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const services = ['aiplatform', 'artifactregistry', 'cloudbuild', 'logging', 'storage'];

/** Undefined where gcloud is not installed. */
export function findGcloud(): string | undefined {
  try {
    return execFileSync('which', ['gcloud'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

/**
 * @param directory its home, kept from one command to the next
 * @param endpoint where everything goes, without credentials
 */
export function gcloudEnvironment(
  directory: string,
  endpoint: string,
): Readonly<Record<string, string>> {
  const config = join(directory, 'gcloud');
  mkdirSync(config, { recursive: true });
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: directory,
    CLOUDSDK_CONFIG: config,
    CLOUDSDK_CORE_PROJECT: 'demo-project',
    CLOUDSDK_CORE_DISABLE_PROMPTS: 'true',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: 'true',
    CLOUDSDK_CORE_CHECK_GCE_METADATA: 'false',
    CLOUDSDK_AUTH_DISABLE_CREDENTIALS: 'true',
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: 'true',
    CLOUDSDK_SURVEY_DISABLE_PROMPTS: 'true',
    ...Object.fromEntries(
      services.map((name) => [
        `CLOUDSDK_API_ENDPOINT_OVERRIDES_${name.toUpperCase()}`,
        `${endpoint}/`,
      ]),
    ),
  };
}
