/** Triggers that somebody runs: which revision is built, with what, and what cannot be run. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commit, octo } from './fake-sources.ts';
import {
  type Trigger,
  at,
  linked,
  build,
  account,
  manual,
  withPull,
  createAt,
  onPush,
  onRepository,
} from './octo-triggers.ts';
import { project, startWorld, until, type Answer, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld(octo);
});
afterAll(() => world.close());

const create = (trigger: object, location?: string): Promise<Trigger> =>
  createAt(world, trigger, location);

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
