/** Triggers as clients send them, of the repository that `octo` has connected. */
import { project, type World } from './world.ts';

export const at = (location: string): string =>
  `/v1/projects/${project}/locations/${location}/triggers`;
export const linked = `projects/${project}/locations/us-central1/connections/gh/repositories/octo-repo`;
export const github = { owner: 'octo', name: 'repo', push: { branch: '^main$' } };
export const build = { steps: [{ name: 'ubuntu' }] };
export const account = `projects/${project}/serviceAccounts/cb@${project}.iam.gserviceaccount.com`;
export const onPush = { filename: 'cloudbuild.yaml', github };
export const onRepository = {
  filename: 'cloudbuild.yaml',
  repositoryEventConfig: { repository: linked, push: { branch: '^main$' } },
};
export const manual = {
  sourceToBuild: {
    uri: 'https://github.com/octo/repo',
    repoType: 'GITHUB',
    ref: 'refs/heads/main',
  },
  gitFileSource: {
    path: 'cloudbuild.yaml',
    uri: 'https://github.com/octo/repo',
    repoType: 'GITHUB',
  },
};
export const withPush = (push: object): object => ({ ...onPush, github: { ...github, push } });
export const withPull = (pullRequest: object): object => ({
  ...onPush,
  github: { owner: 'octo', name: 'repo', pullRequest },
});

export interface Trigger {
  readonly id: string;
  readonly name: string;
  readonly [field: string]: unknown;
}

export async function createAt(
  world: World,
  trigger: object,
  location = 'global',
): Promise<Trigger> {
  const answer = await world.call('POST', at(location), trigger);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body as Trigger;
}
