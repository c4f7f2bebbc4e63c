/** A custom job as another tool creates one, at the sandbox. */
import type { Sandbox } from '../../sandbox/start.ts';

/**
 * @param outputUriPrefix where it writes to, `gs://…/`; nowhere unless given
 * @returns its resource name
 */
export async function createForeignJob(
  sandbox: Sandbox,
  image: string,
  program: string,
  labels: Readonly<Record<string, string>> = {},
  outputUriPrefix?: string,
): Promise<string> {
  const { google } = sandbox.description;
  const path = `/v1/projects/${google.project}/locations/us-central1/customJobs`;
  const response = await fetch(`${google.endpoint}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      displayName: 'nightly',
      labels,
      jobSpec: {
        ...(outputUriPrefix === undefined ? {} : { baseOutputDirectory: { outputUriPrefix } }),
        workerPoolSpecs: [
          {
            machineSpec: { machineType: 'n1-standard-4' },
            replicaCount: '1',
            containerSpec: {
              imageUri: image,
              command: ['python', '-u', '-c'],
              args: [program],
              env: [{ name: 'API_KEY', value: 'not-for-logs' }],
            },
          },
        ],
      },
    }),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return ((await response.json()) as { readonly name: string }).name;
}
