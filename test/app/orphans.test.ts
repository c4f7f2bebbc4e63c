/** What no open run sees to: ended when it is ours, left alone when it is not, whatever it says. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openStore } from '../../app/store/open-store.ts';
import { deriveResourceMac } from '../../shared/launch/resource-mac.ts';
import type { JobSnapshot } from '../../shared/watch/run.ts';
import { AppUnderTest, log } from './app-under-test.ts';
import { commentCreated } from './deliveries.ts';
import { head, repositoryId } from './fake-github.ts';

let app: AppUnderTest;

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  app.world.jobStates = ['queued', 'running'];
  await app.start();
});
afterAll(() => app.close());

const images = ['us-central1-docker.pkg.dev/demo-project/trainyard/digits@sha256:0'];

/** A job with all of our labels, as this installation would make them, or somebody without its key. */
function planted(
  runId: string,
  { isForged = false, hoursAgo = 1, attempt = '1', id = runId } = {},
): JobSnapshot {
  const mac = deriveResourceMac(app.settings.privateKey);
  const facts = { what: 'job', owner: 'test', runId, repositoryId, headSha: head } as const;
  const job: JobSnapshot = {
    name: `projects/demo-project/locations/us-central1/customJobs/${id}`,
    ...{ id, state: 'running', images, timeoutSeconds: 3_600 },
    createTime: new Date(app.world.now.getTime() - hoursAgo * 3_600_000).toISOString(),
    labels: {
      'trainyard-owner': 'test',
      'trainyard-run': runId,
      'trainyard-repository': String(repositoryId),
      'trainyard-sha': head,
      'trainyard-attempt': attempt,
      'trainyard-mac': isForged ? 'f'.repeat(40) : mac({ ...facts, attempt, images }),
    },
  };
  app.world.jobs.push(job);
  return job;
}

/** Starts anew, which sweeps, and reads the audit trail. */
async function sweep(): Promise<string[]> {
  await app.restart();
  await app.stop();
  const store = await openStore({ databaseUrl: undefined, dataDir: app.dataDir }, log);
  const events = await store.db.selectFrom('events').selectAll().orderBy('id').execute();
  await store.close();
  await app.start();
  return events.flatMap(({ kind, detail }) => {
    const name = String(detail['name']).split('/').at(-1);
    const why = typeof detail['why'] === 'string' ? ` ${detail['why']}` : '';
    return /orphan|foreign/.test(kind) ? [`${kind} ${name}${why}`] : [];
  });
}

describe('the sweep', () => {
  it('ends what is ours and of a run that is over or was lost too long ago, and nothing else', async () => {
    const jobs = app.world.jobs.length;
    const comment = app.github.comment('/train gpu=T4', 'olivia', app.world.now);
    await app.deliver(commentCreated(comment));
    const running = await app.until('the job', () => app.world.jobs[jobs], 500);
    const runId = running.labels['trainyard-run'] ?? '';
    await app.until('its name on record', () => (app.world.effects > 2 ? true : undefined));

    const extra = planted(runId, { id: 'extra' });
    const fresh = planted(runId, { id: 'fresh', hoursAgo: 0 });
    const forged = planted(runId, { id: 'forged', isForged: true });
    const lost = planted('aaaaaaaa');
    const expired = planted('bbbbbbbb', { hoursAgo: 26 });
    const others = planted('cccccccc', { isForged: true, hoursAgo: 200 });
    const stranger = { ...planted('dddddddd', { hoursAgo: 200 }) };
    app.world.jobs.pop();
    stranger.labels = { ...stranger.labels, 'trainyard-owner': 'another' };
    app.world.jobs.push(stranger);

    expect(await sweep()).toEqual([
      'orphan_ended extra extra',
      'foreign_resource forged',
      'orphan_found aaaaaaaa',
      'orphan_ended bbbbbbbb expired',
      'foreign_resource cccccccc',
    ]);
    expect([...app.world.cancelled].sort()).toEqual([expired.name, extra.name].sort());
    const alone = [running, fresh, forged, lost, others, stranger];
    for (const { name } of alone) expect(app.world.cancelled).not.toContain(name);

    // What may not be ended now is tried again with the next sweep, and does not keep others alive.
    const stuck = planted('eeeeeeee', { hoursAgo: 26 });
    planted('ffffffff', { hoursAgo: 26 });
    app.world.uncancellable.set(stuck.name, 403);
    expect((await sweep()).slice(5)).toEqual(['orphan_ended ffffffff expired']);
    app.world.uncancellable.clear();
    expect((await sweep()).slice(6)).toEqual(['orphan_ended eeeeeeee expired']);

    // The next time there is nothing new to say.
    expect(await sweep()).toHaveLength(7);

    await app.deliver(commentCreated(app.github.comment('/cancel', 'olivia', app.world.now)));
    await app.until(
      'the end',
      () => app.answersTo(comment)[0]?.includes('**Cancelled**') || undefined,
      500,
    );
    // One that came after all, of a run that is over.
    planted(runId, { id: 'late', hoursAgo: 0 });
    expect((await sweep()).slice(7)).toEqual([
      'orphan_ended fresh run_over',
      'orphan_ended late run_over',
    ]);
  });
});
