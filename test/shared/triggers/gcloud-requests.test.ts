/** Declared triggers against what gcloud sends for the same ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { parseRepoConfig } from '../../../shared/config/repo-config.ts';
import { toTriggerRequest } from '../../../shared/triggers/to-trigger-request.ts';

interface Captured {
  readonly command: string;
  /** JSON is YAML. */
  readonly declaration: { readonly region?: string; readonly connection?: string };
  readonly requests: readonly {
    readonly method: string;
    readonly path: string;
    readonly body: unknown;
  }[];
}

const captured = JSON.parse(
  readFileSync(join(import.meta.dirname, 'gcloud-requests/create.json'), 'utf8'),
) as Readonly<Record<string, Captured>>;

it.each(Object.entries(captured))('%s becomes the trigger that gcloud creates', (_, one) => {
  const { declaration, requests } = one;
  const config = parseRepoConfig(JSON.stringify({ triggers: [declaration] }), 'trainyard.yml');
  if (!config.ok) throw new Error(JSON.stringify(config.problems));
  const [declared] = config.value.triggers?.triggers ?? [];
  if (declared === undefined) throw new Error('nothing was declared');
  const region = declaration.region ?? 'global';
  const { project, ...request } = toTriggerRequest(declared, {
    project: 'demo-project',
    region: 'global',
    repository: { owner: 'octo', repo: 'repo' },
    connected: {
      gh: `projects/demo-project/locations/${region}/connections/gh/repositories/octo-repo`,
    },
  });
  const path = `/v1/projects/${project}/locations/${request.region}/triggers`;
  expect({ method: 'POST', path, body: request.trigger }).toEqual({
    method: requests[0]?.method,
    path: requests[0]?.path,
    body: requests[0]?.body,
  });
  expect(requests).toHaveLength(1);
});
