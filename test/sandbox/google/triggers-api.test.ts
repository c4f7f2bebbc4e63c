/** Cloud Build's triggers as resources: what is taken, changed, listed and deleted, also by the official clients. */
import { CloudBuildClient, v2 } from '@google-cloud/cloudbuild';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PassThroughClient, type GoogleAuth } from 'google-auth-library';
import { octo } from './fake-sources.ts';
import {
  at,
  linked,
  github,
  build,
  account,
  onPush,
  onRepository,
  manual,
  withPull,
  type Trigger,
  createAt,
} from './octo-triggers.ts';
import { project, startWorld, type Answer, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld(octo);
});
afterAll(() => world.close());

const create = (trigger: object, location?: string): Promise<Trigger> =>
  createAt(world, trigger, location);

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
