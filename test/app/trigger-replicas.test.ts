/** Two replicas on one PostgreSQL keep one set of triggers, and show each build once. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningApp } from '../../app/start-app.ts';
import { AppUnderTest } from './app-under-test.ts';
import { deliver, repositoryOfDeliveries } from './deliveries.ts';
import { buildOf } from './fake-cloud-build.ts';
import { findPostgres, startPostgres, type PostgresServer } from './store/postgres-server.ts';

const programs = findPostgres();

(programs === undefined ? describe.skip : describe)('two replicas on one PostgreSQL', () => {
  let postgres: PostgresServer;
  let app: AppUnderTest;
  let other: RunningApp;

  beforeAll(async () => {
    postgres = await startPostgres(programs ?? '');
    app = await AppUnderTest.prepare(postgres.createDatabase('triggers'));
    await app.start();
    other = await app.startReplica();
  });
  afterAll(async () => {
    await other.stop();
    await app.close();
    await postgres.stop();
  });

  it('that are both told of a push create each trigger once, and show its build once', async () => {
    const names = ['a', 'b', 'c', 'd'];
    app.github.files['.github/trainyard.yml'] = JSON.stringify({
      triggers: names.map((name) => ({ name, on: 'push', branch: '^main$', config: 'c.yaml' })),
    });
    const push = {
      ref: 'refs/heads/main',
      repository: { ...repositoryOfDeliveries, default_branch: 'main' },
      installation: { id: 31 },
    };
    const urls = Array.from({ length: 6 }, () => [app.url, other.url]).flat();
    const told = urls.map((url) => deliver(url, push, { event: 'push' }));
    expect(new Set(await Promise.all(told))).toEqual(new Set([202]));
    const check = await app.until('the check', () => app.github.checks[0]);
    expect(check).toMatchObject({ name: 'trainyard/triggers', conclusion: 'success' });
    expect(app.cloudBuild.triggers.map(({ name }) => name)).toEqual(names);

    const created = app.world.now.toISOString();
    const builds = app.cloudBuild.triggers.map(({ id }, index) =>
      buildOf({ id: `b-${index}`, triggerId: id, status: 'success', createTime: created }),
    );
    app.cloudBuild.builds.push(...builds);
    await app.until('their checks', () => (app.github.checks.length >= 5 ? true : undefined));
    app.cloudBuild.calls.length = 0;
    const looks = (): boolean => app.cloudBuild.calls.filter((one) => one === 'builds').length > 2;
    await app.until('more looks', () => looks() || undefined);
    expect(app.github.checks.map(({ external_id }) => external_id).sort()).toEqual(
      ['b-0', 'b-1', 'b-2', 'b-3', `triggers/${app.github.mainSha}`].sort(),
    );
    expect(app.cloudBuild.calls.filter((one) => one === 'create')).toEqual([]);
  });
});
