/** Cloud Build's triggers as resources: what is taken, what is refused and how, and what comes back. */
import { CloudBuildClient, v2 } from '@google-cloud/cloudbuild';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PassThroughClient, type GoogleAuth } from 'google-auth-library';
import { commit, octo } from './fake-sources.ts';
import { project, startWorld, until, type Answer, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld(octo);
});
afterAll(() => world.close());

const at = (location: string): string => `/v1/projects/${project}/locations/${location}/triggers`;
const linked = `projects/${project}/locations/us-central1/connections/gh/repositories/octo-repo`;
const github = { owner: 'octo', name: 'repo', push: { branch: '^main$' } };
const build = { steps: [{ name: 'ubuntu' }] };
const account = `projects/${project}/serviceAccounts/cb@${project}.iam.gserviceaccount.com`;
const onPush = { filename: 'cloudbuild.yaml', github };
const onRepository = {
  filename: 'cloudbuild.yaml',
  repositoryEventConfig: { repository: linked, push: { branch: '^main$' } },
};
const manual = {
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
const withPush = (push: object): object => ({ ...onPush, github: { ...github, push } });
const withPull = (pullRequest: object): object => ({
  ...onPush,
  github: { owner: 'octo', name: 'repo', pullRequest },
});

interface Trigger {
  readonly id: string;
  readonly name: string;
  readonly [field: string]: unknown;
}
async function create(trigger: object, location = 'global'): Promise<Trigger> {
  const answer = await world.call('POST', at(location), trigger);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body as Trigger;
}

describe('a trigger', () => {
  it('comes back as it was sent, with an id, a name of its resource and a time', async () => {
    const sent = {
      name: 'all-fields',
      description: 'Everything at once.',
      tags: ['a', 'b'],
      github: { ...github, push: { tag: '^v', invertRegex: true } },
      filename: 'ci/cloudbuild.yaml',
      substitutions: { _A: '1' },
      includedFiles: ['src/**'],
      ignoredFiles: ['**/*.md'],
      serviceAccount: account,
      disabled: true,
      includeBuildLogs: 'INCLUDE_BUILD_LOGS_WITH_STATUS',
      approvalConfig: { approvalRequired: true },
      eventType: 'REPO',
    };
    const made = await create(sent);
    expect(made).toEqual({
      ...sent,
      id: expect.stringMatching(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      resourceName: `projects/${project}/locations/global/triggers/${made.id}`,
      createTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    for (const name of [made.id, 'all-fields']) {
      expect((await world.call('GET', `${at('global')}/${name}`)).body).toEqual(made);
      const unlocated = await world.call('GET', `/v1/projects/${project}/triggers/${name}`);
      expect(unlocated.body).toEqual(made);
    }
  });

  it('has no field that has its default, as all of proto3', async () => {
    const made = await create({
      ...withPull({ branch: 'main', commentControl: 'COMMENTS_DISABLED', invertRegex: false }),
      ...{ name: 'defaults', disabled: false, tags: [], description: '', substitutions: {} },
      includeBuildLogs: 'INCLUDE_BUILD_LOGS_UNSPECIFIED',
    });
    expect(Object.keys(made).sort()).toEqual(
      ['createTime', 'filename', 'github', 'id', 'name', 'resourceName'].sort(),
    );
    expect(made['github']).toEqual({
      ...{ owner: 'octo', name: 'repo', pullRequest: { branch: 'main' } },
    });
  });

  it.each([
    ['of a file', onPush, 'global'],
    ['in a region', onPush, 'us-central1'],
    ['of a build', { build, github }, 'global'],
    ['of what is found', { autodetect: true, github }, 'global'],
    ['of the 2nd generation', onRepository, 'us-central1'],
    ['of pull requests', withPull({ branch: '.*', commentControl: 'COMMENTS_ENABLED' }), 'global'],
    ['run by hand, with a source', manual, 'global'],
    ['run by hand, without one', { build }, 'global'],
    [
      'with the path of a file at another revision',
      { gitFileSource: { path: 'c.yaml' }, github },
      'global',
    ],
    [
      'whose repository is written in capitals',
      { build, github: { ...github, owner: 'OCTO' } },
      'global',
    ],
  ])('can be %s', async (what, trigger, location) => {
    const name = `can-be-${what.replaceAll(/[^a-z0-9]+/gi, '-')}`;
    expect(await create({ name, ...trigger }, location)).toMatchObject({ name });
  });

  it('has a name of its own when none is given, and any that fits', async () => {
    expect((await create(onPush)).name).toBe('trigger');
    expect((await create(onPush)).name).toBe('trigger-1');
    for (const name of ['a', 'A-1', 'x'.repeat(64)]) await create({ ...onPush, name });
  });

  it('has a name that no other has in its location', async () => {
    await create({ ...onPush, name: 'taken' });
    await create({ ...onPush, name: 'taken' }, 'us-central1');
    const answer = await world.call('POST', at('global'), { ...onPush, name: 'taken' });
    expect(answer.status).toBe(409);
    expect(answer.body).toEqual({
      error: {
        code: 409,
        status: 'ALREADY_EXISTS',
        message: 'trigger (123456789012, taken) already exists',
      },
    });
    const { id } = await create({ ...onPush, name: 'other' });
    const renamed = await world.call('PATCH', `${at('global')}/${id}?updateMask=name`, {
      name: 'taken',
    });
    expect(renamed.status).toBe(409);
  });
});

describe('is refused', () => {
  const second = (more: object): object => ({
    ...onRepository,
    repositoryEventConfig: { ...onRepository.repositoryEventConfig, ...more },
  });
  it.each([
    ['a name that ends with a dash', { ...onPush, name: 'a-' }, /'trigger.name': "a-" must be/],
    ['a name with a dot', { ...onPush, name: 'a.b' }, /'trigger.name'/],
    ['a name of 65 characters', { ...onPush, name: 'x'.repeat(65) }, /'trigger.name'/],
    ['no template', { github }, /'trigger.build_template': one of/],
    ['two templates', { ...onPush, build }, /oneof field 'build_template' is already set/],
    ['a build without steps', { github, build: {} }, /must have at least one step/],
    [
      'a build without a place for its log, with an account',
      { github, build, serviceAccount: account },
      /if 'build.service_account' is specified, the build must/,
    ],
    ['a path out of the repository', { ...onPush, filename: '../c.yaml' }, /'trigger.filename'/],
    ['an absolute path', { ...onPush, filename: '/c.yaml' }, /'trigger.filename'/],
    ['no event and no source', { filename: 'c.yaml' }, /'trigger.filename': it is for triggers of/],
    ['a file from nowhere', { gitFileSource: { path: 'c.yaml' } }, /'trigger.git_file_source'/],
    [
      'two events',
      { ...onPush, ...onRepository },
      /'trigger.event': only one of github, repositoryEventConfig/,
    ],
    [
      'an event without a filter',
      { ...onPush, github: { owner: 'octo', name: 'repo' } },
      /one of push, pull_request/,
    ],
    [
      'two filters',
      { ...onPush, github: { ...github, pullRequest: { branch: 'x' } } },
      /oneof field 'event' is already set/,
    ],
    [
      'a branch and a tag',
      withPush({ branch: 'a', tag: 'b' }),
      /oneof field 'git_ref' is already set/,
    ],
    ['an empty pattern', withPush({ branch: '' }), /'trigger.github.push.branch': a pattern must/],
    ['no pattern', withPull({}), /'trigger.github.pull_request.branch': a pattern must/],
    [
      'looking ahead',
      withPush({ branch: '^(?!main)' }),
      /'trigger.github.push.branch': error parsing regexp: invalid or unsupported Perl syntax: `\(\?!`/,
    ],
    ['a reference back', withPush({ tag: '(v)\\1' }), /invalid escape sequence: `\\1`/],
    [
      'a tag of a pull request',
      withPull({ tag: 'v' }),
      /Unknown name "tag" at 'trigger.github.pull_request'/,
    ],
    [
      'an unknown comment control',
      withPull({ branch: 'x', commentControl: 'ON' }),
      /comment_control/,
    ],
    [
      'a key of a substitution without an underscore',
      { ...onPush, substitutions: { A: '1' } },
      /key in the substitution data "A" must match "\^_\[A-Z0-9_\]\+\$"/,
    ],
    [
      'a glob that does not end',
      { ...onPush, includedFiles: ['src/[a'] },
      /'trigger.included_files'/,
    ],
    [
      'an account by its address alone',
      { ...onPush, serviceAccount: 'cb@x' },
      /'trigger.service_account'/,
    ],
    ['a tag with a space', { ...onPush, tags: ['a b'] }, /'trigger.tags'/],
    ['an event type of another event', { ...onPush, eventType: 'MANUAL' }, /'trigger.event_type'/],
    [
      'logs on GitHub for a manual one',
      { build, includeBuildLogs: 'INCLUDE_BUILD_LOGS_WITH_STATUS' },
      /include_build_logs/,
    ],
    [
      'a source for a push',
      { ...onPush, sourceToBuild: manual.sourceToBuild },
      /'trigger.source_to_build'/,
    ],
    [
      'a ref without refs/',
      { ...manual, sourceToBuild: { ...manual.sourceToBuild, ref: 'main' } },
      /must start with "refs\/"/,
    ],
    [
      'an unknown name',
      { ...onPush, brnach: 'x' },
      /Unknown name "brnach" at 'trigger': Cannot find field\./,
    ],
    [
      'a repository of the 2nd generation, in global',
      onRepository,
      /a trigger in global cannot use a repository in us-central1/,
    ],
    [
      'no repository of the 2nd generation',
      second({ repository: 'octo/repo' }),
      /is not projects\/P\/locations/,
    ],
  ] as [string, object, RegExp][])('%s', async (_what, trigger, message) => {
    const answer = await world.call('POST', at('global'), { name: 'refused', ...trigger });
    expect(answer.body).toMatchObject({
      error: { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringMatching(message) },
    });
  });

  it.each([
    ['another repository', { ...github, name: 'other' }, 'global'],
    ['a region where it is not', github, 'europe-west1'],
  ])('a repository that is not connected: %s', async (_what, other, location) => {
    const answer = await world.call('POST', at(location), { ...onPush, github: other });
    expect(answer.body).toMatchObject({
      error: {
        code: 400,
        status: 'FAILED_PRECONDITION',
        message: `Repository mapping does not exist. Please visit https://console.cloud.google.com/cloud-build/triggers;region=${location}/connect?project=123456789012 to connect a repository to your project`,
      },
    });
  });

  it('a resource of the 2nd generation that is not there', async () => {
    const repository = linked.replace('octo-repo', 'other');
    const trigger = {
      ...onPush,
      github: undefined,
      repositoryEventConfig: { repository, push: { branch: 'x' } },
    };
    expect(await world.call('POST', at('us-central1'), trigger)).toMatchObject({ status: 404 });
  });
});

describe('an update', () => {
  const patch = (id: string, mask: string, body: object): Promise<Answer> =>
    world.call('PATCH', `${at('global')}/${id}?updateMask=${mask}`, body);

  it.each([
    [
      'one field',
      'description',
      { description: 'b', disabled: true },
      { description: 'b', tags: ['t'] },
    ],
    [
      'in the other spelling',
      'ignored_files',
      { ignoredFiles: ['x'] },
      { description: 'a', ignoredFiles: ['x'], tags: ['t'] },
    ],
    [
      'an inner field',
      'github.push.branch',
      { github: { push: { branch: 'dev' } } },
      {
        ...{ description: 'a', tags: ['t'] },
        github: { ...github, push: { branch: 'dev' } },
      },
    ],
    [
      'another member of a oneof',
      'build',
      { build },
      { description: 'a', tags: ['t'], filename: undefined, build },
    ],
    [
      'another event',
      'github.pullRequest',
      { github: { pullRequest: { branch: 'm' } } },
      {
        ...{ description: 'a', tags: ['t'] },
        github: { owner: 'octo', name: 'repo', pullRequest: { branch: 'm' } },
      },
    ],
    [
      'a key of a map',
      'substitutions._B',
      { substitutions: { _B: '2' } },
      {
        ...{ description: 'a', tags: ['t'], substitutions: { _B: '2' } },
      },
    ],
    ['away what is not sent', 'tags,description', {}, {}],
    ['everything without a mask', '', { ...onPush, disabled: true }, { disabled: true }],
  ])('changes %s', async (what, mask, body, after) => {
    const name = `changes-${what.replaceAll(/\W+/g, '-')}`;
    const made = await create({ ...onPush, name, description: 'a', tags: ['t'] });
    const { id, resourceName, createTime } = made;
    const answer = await patch(name, mask, body);
    const expected = { ...onPush, id, resourceName, createTime, name, ...after };
    expect(answer.body).toEqual(JSON.parse(JSON.stringify(expected)));
    expect((await world.call('GET', `${at('global')}/${id}`)).body).toEqual(answer.body);
  });

  it.each([
    ['a field that there is not', 'colour', {}, 400],
    ['a field below text', 'name.first', {}, 400],
    [
      'what is refused in a new one',
      'github.push.branch',
      { github: { push: { branch: '(' } } },
      400,
    ],
    ['its only template away', 'filename', {}, 400],
  ])('refuses %s', async (what, mask, body, status) => {
    const name = `refuses-${what.replaceAll(/\W+/g, '-')}`;
    const made = await create({ ...onPush, name });
    expect((await patch(made.id, mask, body)).status).toBe(status);
    expect((await world.call('GET', `${at('global')}/${made.id}`)).body).toEqual(made);
  });
});

it('lists the triggers of a location by pages, the oldest first', async () => {
  const own = await startWorld(octo);
  try {
    for (const name of ['a', 'b', 'c']) await own.call('POST', at('global'), { ...onPush, name });
    await own.call('POST', at('us-central1'), { ...onPush, name: 'd' });
    const names: string[][] = [];
    let token = '';
    do {
      const path = `/v1/projects/${project}/triggers?pageSize=2&pageToken=${token}`;
      const { body } = await own.call('GET', path);
      const page = body as { triggers: Trigger[]; nextPageToken?: string };
      names.push(page.triggers.map(({ name }) => name));
      token = page.nextPageToken ?? '';
    } while (token !== '');
    expect(names).toEqual([['a', 'b'], ['c']]);
    const elsewhere = await own.call('GET', at('europe-west1'));
    expect(elsewhere.body).toEqual({});
    const before = await own.call('GET', at('global'));
    const again = await own.restart();
    expect((await again.call('GET', at('global'))).body).toEqual(before.body);
    await again.close();
  } catch (error) {
    await own.close();
    throw error;
  }
});

it('deletes a trigger for good', async () => {
  const { id } = await create({ ...onPush, name: 'short-lived' });
  const path = `${at('global')}/short-lived`;
  expect(await world.call('DELETE', `${path}?triggerId=short-lived`)).toMatchObject({
    ...{ status: 200, body: {} },
  });
  for (const verb of ['GET', 'DELETE']) {
    expect((await world.call(verb, path)).status).toBe(404);
    expect((await world.call(verb, `${at('global')}/${id}`)).status).toBe(404);
  }
});

describe('a run', () => {
  const run = (name: string, body: object): Promise<Answer> =>
    world.call('POST', `${at('global')}/${name}:run`, body);
  const buildOf = ({ body, text }: Answer): Record<string, unknown> => {
    const found = (body as { metadata?: { build: Record<string, unknown> } }).metadata?.build;
    if (found === undefined) throw new Error(text);
    return found;
  };

  it('builds the revision that is asked for, with the substitutions of it all', async () => {
    const { id } = await create({
      ...onPush,
      name: 'by-hand',
      substitutions: { _A: '1', _B: '2' },
    });
    const build = buildOf(
      await run('by-hand', { source: { branchName: 'main', substitutions: { _B: '3' } } }),
    );
    expect(build).toMatchObject({
      buildTriggerId: id,
      status: 'QUEUED',
      source: { gitSource: { url: 'https://github.com/octo/repo.git', revision: commit } },
      sourceProvenance: {
        resolvedGitSource: { url: 'https://github.com/octo/repo.git', revision: commit },
      },
      steps: [{ name: 'ubuntu', args: ['echo', '1'] }],
      options: { dynamicSubstitutions: true, substitutionOption: 'ALLOW_LOOSE' },
      tags: [`trigger-${id}`],
      substitutions: {
        ...{ _A: '1', _B: '3', BRANCH_NAME: 'main', REF_NAME: 'main', COMMIT_SHA: commit },
        ...{ REVISION_ID: commit, SHORT_SHA: commit.slice(0, 7), REPO_NAME: 'repo' },
        ...{ REPO_FULL_NAME: 'octo/repo', TRIGGER_NAME: 'by-hand' },
        TRIGGER_BUILD_CONFIG_PATH: 'cloudbuild.yaml',
      },
    });
    const listed = await world.call(
      'GET',
      `/v1/projects/${project}/builds?filter=${encodeURIComponent(`build_trigger_id="${id}"`)}`,
    );
    expect((listed.body as { builds: { id: string }[] }).builds.map((one) => one.id)).toEqual([
      build['id'],
    ]);
  });

  it('of the 2nd generation names the connected repository', async () => {
    await create({ ...onRepository, name: 'linked' }, 'us-central1');
    const answer = await world.call('POST', `${at('us-central1')}/linked:run`, {
      source: { tagName: 'v1' },
    });
    const source = { repository: linked, revision: commit };
    expect(buildOf(answer)).toMatchObject({
      name: expect.stringContaining('/locations/us-central1/'),
      source: { connectedRepository: source },
      sourceProvenance: { resolvedConnectedRepository: source },
      substitutions: { TAG_NAME: 'v1', REF_NAME: 'v1' },
    });
  });

  it('goes through the older address, whose body is the source', async () => {
    await create({ ...onPush, name: 'older' });
    const answer = await world.call('POST', `/v1/projects/${project}/triggers/older:run`, {
      commitSha: commit,
    });
    expect(buildOf(answer)).toMatchObject({ substitutions: { COMMIT_SHA: commit } });
  });

  it('of a manual trigger takes its own source, or none', async () => {
    await create({ ...manual, name: 'manual' });
    expect(buildOf(await run('manual', {}))).toMatchObject({
      source: { gitSource: { revision: commit } },
      substitutions: { BRANCH_NAME: 'main' },
    });
    await create({ build, name: 'bare' });
    expect(buildOf(await run('bare', {}))).not.toHaveProperty('source');
  });

  it('says who builds, when that is not the default', async () => {
    await create({ ...onPush, name: 'accounted', serviceAccount: account });
    expect(buildOf(await run('accounted', { source: { branchName: 'main' } }))).toMatchObject({
      serviceAccount: account,
      substitutions: {
        SERVICE_ACCOUNT: account,
        SERVICE_ACCOUNT_EMAIL: `cb@${project}.iam.gserviceaccount.com`,
      },
    });
  });

  it('that needs an approval waits for it', async () => {
    await create({ ...onPush, name: 'gated', approvalConfig: { approvalRequired: true } });
    const waiting = async (): Promise<string> => {
      const build = buildOf(await run('gated', { source: { branchName: 'main' } }));
      expect(build).toMatchObject({ status: 'PENDING', approval: { state: 'PENDING' } });
      return String(build['id']);
    };
    const builds = `/v1/projects/${project}/builds`;
    const decide = (id: string, decision: string): Promise<Answer> =>
      world.call('POST', `${builds}/${id}:approve`, {
        approvalResult: { decision, comment: 'ok' },
      });
    const [approved, rejected, cancelled] = [await waiting(), await waiting(), await waiting()];
    expect((await decide(approved, 'MAYBE')).status).toBe(400);
    expect((await decide(approved, 'APPROVED')).status).toBe(200);
    const end = await until(
      () => world.call('GET', `${builds}/${approved}`),
      ({ body }) => (body as { status: string }).status === 'SUCCESS',
    );
    expect(end.body).toMatchObject({
      approval: { state: 'APPROVED', result: { decision: 'APPROVED', comment: 'ok' } },
    });
    expect((await decide(approved, 'REJECTED')).status).toBe(400);
    await decide(rejected, 'REJECTED');
    await world.call('POST', `${builds}/${cancelled}:cancel`, {});
    for (const [id, state] of [
      [rejected, 'REJECTED'],
      [cancelled, 'CANCELLED'],
    ] as const) {
      const { body } = await world.call('GET', `${builds}/${id}`);
      expect(body).toMatchObject({ status: 'CANCELLED', approval: { state } });
    }
  });

  it.each([
    ['no trigger', 'nobody', { branchName: 'main' }, 404, /Requested entity was not found/],
    ['no revision', 'for-runs', {}, 400, /source.revision must be specified to run this trigger/],
    [
      'a branch that is not there',
      'for-runs',
      { branchName: 'gone' },
      404,
      /gone is not in the repository/,
    ],
    ['a branch as a commit', 'for-runs', { commitSha: 'main' }, 400, /"main" is no commit's/],
    ['a directory', 'for-runs', { branchName: 'main', dir: 'a' }, 400, /leave source.dir out/],
    [
      'two revisions',
      'for-runs',
      { branchName: 'main', tagName: 'v1' },
      400,
      /oneof field 'revision'/,
    ],
    [
      'a file that is not there',
      'no-file',
      { branchName: 'main' },
      404,
      /ci.yaml is not in commit/,
    ],
    [
      'a pull request',
      'for-pulls',
      { branchName: 'main' },
      400,
      /RunTrigger is not supported for GitHub PullRequest Triggers/,
    ],
  ])('is refused: %s', async (what, name, source, status, message) => {
    const trigger = {
      ...{ 'no-file': { ...onPush, filename: 'ci.yaml' }, 'for-pulls': withPull({ branch: 'x' }) }[
        name
      ],
    };
    if (name !== 'nobody') {
      await world.call('POST', at('global'), { ...onPush, ...trigger, name });
    }
    const answer = await run(name, { source });
    expect([what, answer.status]).toEqual([what, status]);
    expect((answer.body as { error: { message: string } }).error.message).toMatch(message);
  });
});

describe('the official clients', () => {
  const options = (): ConstructorParameters<typeof CloudBuildClient>[0] => ({
    ...{ fallback: true, protocol: 'http', apiEndpoint: '127.0.0.1', port: world.port },
    projectId: project,
    auth: new PassThroughClient() as unknown as GoogleAuth,
  });

  it('make, change, run and delete a trigger', async () => {
    const client = new CloudBuildClient(options());
    const parent = `projects/${project}/locations/global`;
    const [made] = await client.createBuildTrigger({
      parent,
      trigger: {
        ...{ name: 'by-client', filename: 'cloudbuild.yaml' },
        github: { owner: 'octo', name: 'repo', push: { branch: '^main$' } },
      },
    });
    const [changed] = await client.updateBuildTrigger({
      trigger: { ...made, disabled: true },
      updateMask: { paths: ['disabled'] },
    });
    expect(changed).toMatchObject({ id: made.id, disabled: true, filename: 'cloudbuild.yaml' });
    const [all] = await client.listBuildTriggers({ parent });
    expect(all.map(({ name }) => name)).toContain('by-client');
    const name = made.resourceName ?? '';
    const [operation] = await client.runBuildTrigger({ name, source: { branchName: 'main' } });
    expect(operation.metadata).toMatchObject({ build: { buildTriggerId: made.id } });
    await client.deleteBuildTrigger({ name });
    await expect(client.getBuildTrigger({ name })).rejects.toThrow(/not found/);
  });

  it('find the repositories of a connection', async () => {
    const client = new v2.RepositoryManagerClient(options());
    const parent = `projects/${project}/locations/us-central1`;
    const [connections] = await client.listConnections({ parent });
    expect(connections).toMatchObject([
      { name: `${parent}/connections/gh`, installationState: { stage: 'COMPLETE' } },
    ]);
    const [repositories] = await client.listRepositories({ parent: `${parent}/connections/gh` });
    expect(repositories).toMatchObject([
      { name: linked, remoteUri: 'https://github.com/octo/repo.git' },
    ]);
    const [repository] = await client.getRepository({ name: linked });
    expect(repository).toEqual(repositories[0]);
    const other = `${parent}/connections/other`;
    await expect(client.listRepositories({ parent: other })).rejects.toThrow(/was not found/);
    const [elsewhere] = await client.listConnections({
      parent: `projects/${project}/locations/europe-west1`,
    });
    expect(elsewhere).toEqual([]);
  });
});
