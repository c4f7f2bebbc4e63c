/** Two replicas of the App on one PostgreSQL: each command happens once, and a run outlives its replica. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningApp } from '../../app/start-app.ts';
import { AppUnderTest } from './app-under-test.ts';
import { commentCreated, deliver } from './deliveries.ts';
import { findPostgres, startPostgres, type PostgresServer } from './store/postgres-server.ts';

const programs = findPostgres();
if (programs === undefined) {
  process.stderr.write('Skipped: replicas are tested where PostgreSQL is installed.\n');
}

(programs === undefined ? describe.skip : describe)('two replicas on one PostgreSQL', () => {
  let postgres: PostgresServer;
  let app: AppUnderTest;
  let other: RunningApp | undefined;

  beforeAll(async () => {
    postgres = await startPostgres(programs ?? '');
    app = await AppUnderTest.prepare(postgres.createDatabase('replicas'));
    // Together, as a rollout starts them: both find an empty database.
    [other] = await Promise.all([app.startReplica(), app.start()]);
  });
  afterAll(async () => {
    await other?.stop();
    await app.close();
    await postgres.stop();
  });

  it('run a command once that both are told of, and finish it when one goes away', async () => {
    const comment = app.github.comment('/train gpu=T4', 'olivia', app.world.now);
    const told = [app.url, other?.url ?? ''].map((url) => deliver(url, commentCreated(comment)));
    expect(await Promise.all(told)).toEqual([202, 202]);
    const check = await app.until('the check', () => app.github.checks[0]);
    await app.until('the build', () => app.world.builds[0]);
    await other?.stop();
    other = undefined;
    await app.until('the end', () => (check.status === 'completed' ? true : undefined), 500);
    await app.until('the last card', () =>
      app.answersTo(comment)[0]?.includes('**Trained**') === true ? true : undefined,
    );
    expect(check.conclusion).toBe('success');
    expect(app.answersTo(comment)).toHaveLength(1);
    expect(app.github.checks).toHaveLength(1);
    expect(app.world.builds).toHaveLength(1);
    expect(app.world.jobs).toHaveLength(1);
  });
});
