/** The real gcloud makes, finds, changes, runs and deletes triggers. Skipped where there is no gcloud. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commit, octo } from './fake-sources.ts';
import { configureGcloud, hasGcloud, type Gcloud } from './gcloud-cli.ts';
import { project, startWorld, until, type World } from './world.ts';

if (!hasGcloud) console.warn('skipped: gcloud is not installed');
const region = '--region=us-central1';
const linked = `projects/${project}/locations/us-central1/connections/gh/repositories/octo-repo`;

(hasGcloud ? describe : describe.skip)('gcloud builds', () => {
  let world: World;
  let gcloud: Gcloud;
  const triggers = (...args: string[]): Promise<string> =>
    gcloud.output(['builds', 'triggers', ...args]);
  const beta = (...args: string[]): Promise<string> =>
    gcloud.output(['beta', 'builds', 'triggers', ...args]);
  const describeAsJson = async (...args: string[]): Promise<Record<string, unknown>> =>
    JSON.parse(await triggers('describe', ...args, '--format=json')) as Record<string, unknown>;

  beforeAll(async () => {
    world = await startWorld(octo);
    gcloud = await configureGcloud(world.endpoint, project);
  });
  afterAll(async () => {
    await world.close();
    await rm(gcloud.directory, { recursive: true, force: true });
  });

  it('makes a trigger of the 1st generation, lists, describes, changes, runs and deletes it', async () => {
    await triggers(
      ...['create', 'github', '--name=push-main', '--repo-owner=octo', '--repo-name=repo'],
      ...['--branch-pattern=^main$', '--build-config=cloudbuild.yaml', '--substitutions=_A=1'],
      ...['--included-files=src/**,Dockerfile', '--include-logs-with-status'],
    );
    expect(await triggers('list', '--format=value(name,filename)')).toBe(
      'push-main\tcloudbuild.yaml\n',
    );
    const made = await describeAsJson('push-main');
    expect(made).toMatchObject({
      github: { owner: 'octo', name: 'repo', push: { branch: '^main$' } },
      includedFiles: ['src/**', 'Dockerfile'],
      includeBuildLogs: 'INCLUDE_BUILD_LOGS_WITH_STATUS',
    });
    await triggers('update', 'github', 'push-main', '--branch-pattern=^dev$', '--description=d');
    expect(await describeAsJson('push-main')).toEqual({
      ...made,
      ...{ description: 'd', github: { owner: 'octo', name: 'repo', push: { branch: '^dev$' } } },
    });
    const run = JSON.parse(
      await triggers('run', 'push-main', '--branch=main', '--substitutions=_A=2', '--format=json'),
    ) as { metadata: { build: { id: string } } };
    const { id } = run.metadata.build;
    await until(
      () => world.call('GET', `/v1/projects/${project}/builds/${id}`),
      ({ body }) => (body as { status: string }).status === 'SUCCESS',
    );
    const filter = `--filter=buildTriggerId=${String(made['id'])}`;
    const listed = [
      'builds',
      'list',
      filter,
      '--format=value(id,substitutions._A,substitutions.COMMIT_SHA)',
    ];
    expect(await gcloud.output(listed)).toBe(`${id}\t2\t${commit}\n`);
    await triggers('delete', 'push-main');
    const gone = await gcloud.run(['builds', 'triggers', 'describe', 'push-main']);
    expect(gone).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('NOT_FOUND') });
  });

  it('finds connected repositories and makes a trigger of the 2nd generation in their region', async () => {
    const connections = [
      'builds',
      'connections',
      'list',
      region,
      '--format=value(name.basename(),installationState.stage)',
    ];
    expect(await gcloud.output(connections)).toBe('gh\tCOMPLETE\n');
    const repositories = ['builds', 'repositories', 'list', '--connection=gh', region];
    expect(await gcloud.output([...repositories, '--format=value(name,remoteUri)'])).toBe(
      'octo-repo\thttps://github.com/octo/repo.git\n',
    );
    await triggers(
      ...['create', 'github', '--name=pr', region, `--repository=${linked}`],
      ...['--pull-request-pattern=^main$', '--comment-control=COMMENTS_ENABLED'],
      '--build-config=cloudbuild.yaml',
    );
    expect(await describeAsJson('pr', region)).toMatchObject({
      repositoryEventConfig: {
        repository: linked,
        pullRequest: { branch: '^main$', commentControl: 'COMMENTS_ENABLED' },
      },
    });
    const run = await gcloud.run(['builds', 'triggers', 'run', 'pr', region, '--branch=main']);
    expect(run).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('RunTrigger is not supported'),
    });
  });

  it('makes and runs a manual trigger, and one of a Dockerfile', async () => {
    await triggers(
      ...['create', 'manual', '--name=by-hand', '--repo=https://github.com/octo/repo'],
      ...['--repo-type=GITHUB', '--branch=main', '--build-config=cloudbuild.yaml'],
    );
    await triggers(
      ...['create', 'github', '--name=dk', '--repo-owner=octo', '--repo-name=repo'],
      ...['--branch-pattern=.*', '--dockerfile=Dockerfile'],
    );
    for (const args of [['by-hand'], ['dk', '--branch=main']]) {
      const format = '--format=value(metadata.build.source.gitSource.revision)';
      expect((await triggers('run', ...args, format)).trim()).toBe(commit);
    }
  });

  it('exports a trigger, and imports it changed and under another name', async () => {
    const file = join(gcloud.directory, 'trigger.yaml');
    await triggers(
      ...['create', 'github', '--name=moved', '--repo-owner=octo', '--repo-name=repo'],
      ...['--tag-pattern=^v', '--build-config=cloudbuild.yaml'],
    );
    await beta('export', 'moved', `--destination=${file}`);
    const exported = await readFile(file, 'utf8');
    await writeFile(file, exported.replace('^v', '^release-'));
    await beta('import', `--source=${file}`);
    const made = await describeAsJson('moved');
    expect(made).toMatchObject({ github: { push: { tag: '^release-' } } });
    await writeFile(file, exported.replace(/^id: .*\n/m, '').replace('moved', 'copied'));
    await beta('import', `--source=${file}`);
    const copied = await describeAsJson('copied');
    expect(copied).toMatchObject({ github: { push: { tag: '^v' } } });
    expect(copied['id']).not.toBe(made['id']);
  });

  it.each([
    [
      'a pattern that RE2 does not know',
      ['--branch-pattern=^(?!main)', '--repo-name=repo'],
      /INVALID_ARGUMENT[^]*error parsing regexp/,
    ],
    [
      'a repository that is not connected',
      ['--branch-pattern=a', '--repo-name=other'],
      /FAILED_PRECONDITION: Repository mapping does not exist/,
    ],
  ])('shows why %s is refused', async (_what, args, message) => {
    const create = ['builds', 'triggers', 'create', 'github', '--name=x', '--repo-owner=octo'];
    const { exitCode, stderr } = await gcloud.run([...create, '--build-config=c', ...args]);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(message);
  });
});
