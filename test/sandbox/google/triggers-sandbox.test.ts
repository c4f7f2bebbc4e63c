/** The sandbox as people start it: a push to acme/digits really builds, by a trigger of either generation. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { pushTo } from '../../acceptance/git-user.ts';
import {
  startTemporarySandbox,
  type TemporarySandbox,
} from '../../acceptance/temporary-sandbox.ts';

let sandbox: TemporarySandbox;
beforeAll(async () => {
  sandbox = await startTemporarySandbox();
});
afterAll(() => sandbox.close());

const project = 'demo-project';
const github = { owner: 'acme', name: 'digits' };
const repository = `projects/${project}/locations/us-central1/connections/github/repositories/acme-digits`;

async function call<T>(path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${sandbox.description.google.endpoint}/${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(await response.text());
  return (await response.json()) as T;
}

interface Build {
  readonly id: string;
  readonly status: string;
  readonly results?: {
    readonly images: readonly { readonly name: string; readonly digest: string }[];
  };
}

async function builtBy(triggerId: string, location: string): Promise<Build> {
  const filter = encodeURIComponent(`trigger_id="${triggerId}"`);
  const deadline = Date.now() + 150_000;
  for (;;) {
    const path = `v1/projects/${project}/locations/${location}/builds?filter=${filter}`;
    const [build] = (await call<{ builds?: Build[] }>(path)).builds ?? [];
    if (build !== undefined && !['QUEUED', 'WORKING'].includes(build.status)) return build;
    if (Date.now() > deadline)
      throw new Error(`no build of ${triggerId}: ${JSON.stringify(build)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it.each([
  [
    'its own build configuration, 1st generation',
    'global',
    { github: { ...github, push: { branch: '^try/file$' } }, filename: 'cloudbuild.yaml' },
    'try/file',
    /^us-central1-docker\.pkg\.dev\/demo-project\/trainyard\/digits:/,
  ],
  [
    'the same, 2nd generation',
    'us-central1',
    {
      repositoryEventConfig: { repository, push: { branch: '^try/linked$' } },
      filename: 'cloudbuild.yaml',
    },
    'try/linked',
    /^us-central1-docker\.pkg\.dev\/demo-project\/trainyard\/digits:/,
  ],
  [
    'a Dockerfile as gcloud describes one',
    'global',
    {
      github: { ...github, push: { branch: '^try/docker$' } },
      build: {
        steps: [
          {
            name: 'gcr.io/cloud-builders/docker',
            args: ['build', '-t', `gcr.io/${project}/digits:$COMMIT_SHA`, '-f', 'Dockerfile', '.'],
            dir: '/',
          },
        ],
        images: [`gcr.io/${project}/digits:$COMMIT_SHA`],
      },
    },
    'try/docker',
    /^gcr\.io\/demo-project\/digits:[0-9a-f]{40}$/,
  ],
] as const)('builds %s', async (_what, location, trigger, branch, name) => {
  const path = `v1/projects/${project}/locations/${location}/triggers`;
  const { id } = await call<{ id: string }>(path, trigger);
  await pushTo(sandbox, { 'NOTES.md': `${branch}\n` }, branch);
  expect(await builtBy(id, location)).toMatchObject({
    status: 'SUCCESS',
    results: {
      images: [
        {
          name: expect.stringMatching(name),
          digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        },
      ],
    },
  });
});
