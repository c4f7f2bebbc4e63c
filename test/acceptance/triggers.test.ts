/**
 * Declared triggers from end to end, in the sandbox as people start it: what the default branch declares is there
 * as gcloud describes it, a push really builds, and the commit has a check that says so.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { BuildTrigger } from '../../shared/triggers/build-trigger.ts';
import { configureGcloud, hasGcloud } from '../sandbox/google/gcloud-cli.ts';
import { pushTo } from './git-user.ts';
import { eventually, personAt, type CheckRun } from './github-user.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

let sandbox: TemporarySandbox;
let example = '';

const file = '.github/trainyard.yml';
const triggers = (pattern: string): string => `triggers:
  - name: on-branch
    description: builds what is tried
    on: push
    branch: ${pattern}
    config: cloudbuild.yaml
    included_files: [NOTES.md]
    run: {allowed: true, head: true}
  - name: linked
    on: pull_request
    branch: ^main$
    connection: github
    config: cloudbuild.yaml
`;

beforeAll(async () => {
  const path = join(import.meta.dirname, '../../examples/digits', file);
  example = await readFile(path, 'utf8');
  sandbox = await startTemporarySandbox({ app: true });
});
afterAll(() => sandbox.close());

function check(sha: string, name: string): Promise<CheckRun> {
  return eventually(`${name} of ${sha}`, async () =>
    (await personAt(sandbox).checks(sha)).find(
      (one) => one.name === name && one.status === 'completed',
    ),
  );
}

const place = (region: string): string =>
  `${sandbox.description.google.endpoint}/v1/projects/${sandbox.description.google.project}/locations/${region}/triggers`;

async function listed(region: string): Promise<readonly BuildTrigger[]> {
  const answer = await fetch(place(region));
  return ((await answer.json()) as { triggers?: BuildTrigger[] }).triggers ?? [];
}

it('creates what is pushed to the default branch', async () => {
  const sha = await pushTo(sandbox, { [file]: example + triggers('^try/.*$') }, 'main');
  const shown = await check(sha, 'trainyard/triggers');
  expect(shown).toMatchObject({ conclusion: 'success', output: { title: '2 created' } });
  const [onBranch] = await listed('global');
  expect(onBranch).toMatchObject({
    name: 'on-branch',
    description: 'builds what is tried',
    github: { owner: 'acme', name: 'digits', push: { branch: '^try/.*$' } },
    filename: 'cloudbuild.yaml',
    includedFiles: ['NOTES.md'],
    tags: [expect.stringMatching(/^trainyard-owner-sandbox-/), 'trainyard-repository-1001'],
  });
  const [linked] = await listed('us-central1');
  expect(linked?.repositoryEventConfig).toMatchObject({
    repository: expect.stringMatching(/\/connections\/github\/repositories\/acme-digits$/),
    pullRequest: { branch: '^main$', commentControl: 'COMMENTS_ENABLED' },
  });
});

(hasGcloud ? it : it.skip)('is what gcloud describes', async () => {
  const { endpoint, project } = sandbox.description.google;
  const gcloud = await configureGcloud(endpoint, project);
  const words = ['builds', 'triggers', 'describe', 'on-branch', '--format=json'];
  const described = JSON.parse(await gcloud.output(words)) as BuildTrigger;
  expect(described.github?.push).toEqual({ branch: '^try/.*$' });
  await rm(gcloud.directory, { recursive: true, force: true });
});

it('builds what is pushed, and says so at the commit', async () => {
  const sha = await pushTo(sandbox, { 'NOTES.md': 'one\n' }, 'try/one');
  const built = await check(sha, 'trainyard/build on-branch');
  expect(built.conclusion).toBe('success');
  expect(built.output.title).toMatch(/^Built after /);
  expect(built.output.summary).toMatch(
    /`us-central1-docker\.pkg\.dev\/demo-project\/trainyard\/digits@sha256:[0-9a-f]{64}`/,
  );
});

it('says which step failed, and how its log ends', async () => {
  const broken = 'steps:\n  - {id: breaks, name: ubuntu, args: [sh, -c, "echo oh no; exit 3"]}\n';
  const changes = { 'NOTES.md': 'two\n', 'cloudbuild.yaml': broken };
  const sha = await pushTo(sandbox, changes, 'try/two');
  const built = await check(sha, 'trainyard/build on-branch');
  expect(built.conclusion).toBe('failure');
  expect(built.output.title).toMatch(/^Failed after .*: breaks$/);
  const { text } = built.output as { text?: string };
  expect(text).toMatch(/^│ ERROR: Build step failure: build step 0 "ubuntu" failed/m);
});

it('shows what merging another declaration would do, and does it then', async () => {
  const olivia = personAt(sandbox);
  const text = example + triggers('^other$');
  const proposed = await pushTo(sandbox, { [file]: text, 'README.md': 'changed\n' });
  const plan = await check(proposed, 'trainyard/triggers');
  expect(plan.output.title).toBe('1 to change');
  expect(plan.output.summary).toMatch(/`github.push.branch` \| `\^try\/\.\*\$` \| `\^other\$`/);
  const [before] = await listed('global');
  expect(before?.github?.push?.branch).toBe('^try/.*$');

  const merged = await pushTo(sandbox, { [file]: text }, 'main');
  expect((await check(merged, 'trainyard/triggers')).output.title).toBe('1 changed');
  const [after] = await listed('global');
  expect(after).toMatchObject({ id: before?.id, github: { push: { branch: '^other$' } } });

  await fetch(`${place('global')}/${before?.id ?? ''}?updateMask=disabled`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ disabled: true }),
  });
  const asked = await olivia.say('/trigger apply dry-run');
  const [answer] = await eventually('an answer', async () => {
    const answers = await olivia.answers(asked);
    return answers.length > 0 ? answers : undefined;
  });
  expect(answer?.body).toMatch(/`disabled` \| `true` \(changed by hand\) \| not set/);
});

it('runs one by comment on the pull request’s commit', async () => {
  const olivia = personAt(sandbox);
  await olivia.say('/trigger apply');
  await eventually('the trigger to be enabled', async () =>
    (await listed('global'))[0]?.['disabled'] === true ? undefined : true,
  );
  const head = await olivia.head();
  await olivia.say('/trigger run on-branch head');
  const built = await check(head, 'trainyard/build on-branch');
  expect(built.conclusion).toBe('success');
});

it('sent nothing that GitHub would have refused as malformed', () => {
  expect(sandbox.violations).toEqual([]);
});
