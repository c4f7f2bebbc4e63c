/** What a trigger builds: the commit's files as a clone has them, its template, and what goes into it. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digits, files as seeded } from '../github/world.ts';
import { project, until } from './world.ts';
import { repository, startTriggerWorld, type Build, type TriggerWorld } from './trigger-world.ts';

let world: TriggerWorld;
beforeAll(async () => {
  world = await startTriggerWorld();
});
afterAll(() => world.close());

let count = 0;
/** Each case is of a branch of its own, which only its trigger hears of. */
function ownBranch(): string {
  return `case-${++count}`;
}

async function buildOf(
  trigger: object,
  files: Readonly<Record<string, string>>,
): Promise<{ readonly build: Build; readonly sha: string; readonly id: string }> {
  const branch = ownBranch();
  const github = { owner: 'acme', name: 'digits', push: { branch: `^${branch}$` } };
  const id = await world.create({ name: branch, github, ...trigger });
  const sha = await world.push(branch, files);
  return { build: await ended(id), sha, id };
}

async function ended(id: string, location = 'global'): Promise<Build> {
  return until(
    async () => (await world.builds(id, 1, location))[0]!,
    ({ status }) => !['QUEUED', 'WORKING'].includes(status),
  );
}

const yaml = 'steps: [{name: ubuntu, args: [echo, "${_WHO} at ${SHORT_SHA}"]}]\n';

it('builds the files of the commit, all of them and as they are', async () => {
  const own = {
    'cloudbuild.yaml': yaml,
    // What git's own archives would leave out, and write something else into.
    '.gitattributes': 'secret.txt export-ignore\nversion.txt export-subst\n',
    'secret.txt': 'here\n',
    'version.txt': '$Format:%H$\n',
  };
  const { build } = await buildOf({ filename: 'cloudbuild.yaml' }, own);
  expect(build.status).toBe('SUCCESS');
  expect(world.executions.get(build.id)?.files).toEqual({ ...seeded, ...own });
});

it('reads the template from the commit, and replaces what its author and its trigger say', async () => {
  const template = `${yaml}substitutions: {_WHO: somebody, _UNUSED: x}\ntags: [from-file]\ntimeout: 60s\n`;
  const { build, sha, id } = await buildOf(
    { filename: 'ci/build.yaml', substitutions: { _WHO: 'olivia of ${REPO_NAME}' } },
    { 'ci/build.yaml': template },
  );
  expect(build).toMatchObject({
    ...{ status: 'SUCCESS', timeout: '60s', buildTriggerId: id },
    steps: [{ name: 'ubuntu', args: ['echo', `olivia of digits at ${sha.slice(0, 7)}`] }],
    tags: ['from-file', `trigger-${id}`],
    source: { gitSource: { url: 'https://github.com/acme/digits.git', revision: sha } },
    substitutions: { _UNUSED: 'x', TRIGGER_BUILD_CONFIG_PATH: 'ci/build.yaml' },
  });
});

it('has the substitutions of a push', async () => {
  const { build, sha } = await buildOf({ build: { steps: [{ name: 'ubuntu' }] } }, { x: '1' });
  const branch = `case-${count}`;
  expect(build.substitutions).toEqual({
    ...{ TRIGGER_NAME: branch, BRANCH_NAME: branch, REF_NAME: branch },
    ...{ COMMIT_SHA: sha, REVISION_ID: sha, SHORT_SHA: sha.slice(0, 7) },
    ...{ REPO_NAME: 'digits', REPO_FULL_NAME: 'acme/digits' },
  });
});

it('has those of a pull request, too, and builds its head', async () => {
  const head = ownBranch();
  const id = await world.create(
    {
      ...{ name: head, filename: 'cloudbuild.yaml' },
      repositoryEventConfig: { repository, pullRequest: { branch: '^main$' } },
    },
    'us-central1',
  );
  const sha = await world.push(head, { 'cloudbuild.yaml': yaml, 'only-here.txt': '1\n' });
  const pulls = world.github.as('owner').rest.pulls;
  const { data } = await pulls.create({ ...digits, title: 'Mine', head, base: 'main' });
  const build = await ended(id, 'us-central1');
  expect(build).toMatchObject({
    name: expect.stringContaining('/locations/us-central1/'),
    status: 'SUCCESS',
    source: { connectedRepository: { repository, revision: sha } },
    substitutions: {
      ...{ BRANCH_NAME: head, REF_NAME: head, COMMIT_SHA: sha },
      ...{ _HEAD_BRANCH: head, _BASE_BRANCH: 'main', _PR_NUMBER: String(data.number) },
      _HEAD_REPO_URL: 'https://github.com/acme/digits',
    },
  });
  expect(world.executions.get(build.id)?.files['only-here.txt']).toBe('1\n');
  await world.call('DELETE', `projects/${project}/locations/us-central1/triggers/${id}`);
});

it.each([
  [
    'cloudbuild.yml before others',
    { 'cloudbuild.yml': yaml, 'cloudbuild.json': '{}', Dockerfile: 'x' },
    'ubuntu',
  ],
  ['whatever its case', { 'CloudBuild.json': '{"steps": [{"name": "alpine"}]}' }, 'alpine'],
  ['a Dockerfile', { Dockerfile: 'FROM scratch' }, 'gcr.io/cloud-builders/docker'],
])('finds %s', async (_what, files, name) => {
  const { build, sha } = await buildOf({ autodetect: true }, files);
  expect(build['steps']).toMatchObject([{ name }]);
  const image = `gcr.io/${project}/github.com/acme/digits:${sha}`;
  expect(build['images']).toEqual(name.includes('docker') ? [image] : undefined);
});

it('takes / in a step of its own as the root of the repository, as gcloud means it', async () => {
  const steps = [{ name: 'gcr.io/cloud-builders/docker', args: ['build', '.'], dir: '/' }];
  const { build } = await buildOf({ build: { steps } }, { Dockerfile: 'FROM scratch' });
  expect(world.executions.get(build.id)?.build.steps).toEqual([
    { name: 'gcr.io/cloud-builders/docker', args: ['build', '.'], env: [] },
  ]);
});

it('says in its log what was fetched, and in entries which trigger it was', async () => {
  const { build, sha, id } = await buildOf({ filename: 'c.yaml' }, { 'c.yaml': yaml });
  const lines = await world.logged(
    `resource.type="build" AND resource.labels.build_trigger_id="${id}"`,
  );
  expect(lines).toContain('FETCHSOURCE');
  expect(lines).toContain(`HEAD is now at ${sha.slice(0, 7)} A change`);
  expect(build.status).toBe('SUCCESS');
});

describe('a trigger that cannot make its build leaves one that failed', () => {
  const account = `projects/${project}/serviceAccounts/cb@${project}.iam.gserviceaccount.com`;
  it.each([
    ['no file', { filename: 'gone.yaml' }, {}, /gone.yaml is not in commit/],
    [
      'no YAML',
      { filename: 'c.yaml' },
      { 'c.yaml': 'steps: [' },
      /unmarshalling build config c.yaml/,
    ],
    ['a list', { filename: 'c.yaml' }, { 'c.yaml': '- a\n' }, /unmarshalling build config c.yaml/],
    [
      'an unknown name',
      { filename: 'c.yaml' },
      { 'c.yaml': 'steps: [{nam: x}]' },
      /Unknown name "nam" at 'steps\[0\]'/,
    ],
    ['no steps', { filename: 'c.yaml' }, { 'c.yaml': 'tags: [a]' }, /must have at least one step/],
    [
      'aliases without end',
      { filename: 'c.yaml' },
      {
        'c.yaml': `a: &a [x]\n${Array.from('bcdefgh', (name, i) => `${name}: &${name} [${`*${'abcdefg'.charAt(i)},`.repeat(9)}]`).join('\n')}\n`,
      },
      /Excessive alias count/,
    ],
    [
      'depth without end',
      { filename: 'c.yaml' },
      { 'c.yaml': '['.repeat(200_000) },
      /unmarshalling build config c.yaml/,
    ],
    [
      'substitutions that grow without end',
      {
        filename: 'c.yaml',
        substitutions: Object.fromEntries(
          Array.from({ length: 30 }, (_, i) => [
            `_V${i}`,
            i === 29 ? 'x' : `$_V${i + 1}$_V${i + 1}`,
          ]),
        ),
      },
      { 'c.yaml': 'steps: [{name: ubuntu, args: [$_V0]}]' },
      /the value of "_V\d+" is longer than 4000 bytes/,
    ],
    [
      'more text than a build has',
      { filename: 'c.yaml', substitutions: { _X: 'x'.repeat(4_000) } },
      { 'c.yaml': `steps: [{name: ubuntu, args: ["${'$_X'.repeat(3_000)}"]}]` },
      /the build becomes too large by them/,
    ],
    [
      'nothing to detect',
      { autodetect: true },
      {},
      /Neither a build configuration nor a Dockerfile/,
    ],
    [
      'no place for the log of an account',
      { filename: 'c.yaml', serviceAccount: account },
      { 'c.yaml': yaml },
      /if 'build.service_account' is specified, the build must/,
    ],
  ])('%s', async (_what, trigger, files, message) => {
    const { build, sha, id } = await buildOf(trigger, { ...files, 'x.txt': String(count) });
    expect(build).toMatchObject({
      status: 'FAILURE',
      statusDetail: expect.stringMatching(/^Failed to trigger build: /),
      finishTime: expect.any(String),
      buildTriggerId: id,
      substitutions: { COMMIT_SHA: sha },
      tags: [`trigger-${id}`],
    });
    expect(build['statusDetail']).toMatch(message);
    expect(world.executions.has(build.id)).toBe(false);
  });
});

it('says which step failed', async () => {
  const steps = ['first', 'second', 'third'].map((id) => ({ id, name: 'ubuntu' }));
  world.outcome = {
    ...{ status: 'FAILURE', images: [], failedStep: 1 },
    failure: { type: 'USER_BUILD_STEP', detail: 'build step 1 "ubuntu" failed' },
  };
  const { build } = await buildOf({ build: { steps } }, { x: 'failing' });
  expect(build['steps']).toMatchObject([
    { id: 'first', status: 'SUCCESS' },
    { id: 'second', status: 'FAILURE' },
    { id: 'third', status: 'QUEUED' },
  ]);
  world.outcome = undefined;
});

it('triggers are there after a restart, and fire', async () => {
  const branch = ownBranch();
  const github = { owner: 'acme', name: 'digits', push: { branch: `^${branch}$` } };
  const id = await world.create({ name: branch, github, filename: 'c.yaml' });
  await world.restart();
  await world.push(branch, { 'c.yaml': yaml });
  expect((await ended(id)).status).toBe('SUCCESS');
});

it('a build that waits for an approval still does after a restart', async () => {
  const branch = ownBranch();
  const github = { owner: 'acme', name: 'digits', push: { branch: `^${branch}$` } };
  const approvalConfig = { approvalRequired: true };
  const id = await world.create({ name: branch, github, filename: 'c.yaml', approvalConfig });
  await world.push(branch, { 'c.yaml': yaml });
  const [waiting] = await world.builds(id, 1);
  await world.restart();
  const path = `projects/${project}/builds/${waiting!.id}`;
  expect(await world.call('GET', path)).toMatchObject({ status: 'PENDING' });
  await world.call('POST', `${path}:approve`, { approvalResult: { decision: 'APPROVED' } });
  const build = await until(
    () => world.call<Build>('GET', path),
    ({ status }) => status !== 'QUEUED' && status !== 'WORKING',
  );
  expect(build).toMatchObject({ status: 'SUCCESS', approval: { state: 'APPROVED' } });
});
