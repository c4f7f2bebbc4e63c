/** Threats 1, 7, 8 and 9: whose a resource is, and whether a run may still buy one, is asked at the time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { JobSnapshot } from '../../shared/watch/run.ts';
import { AppUnderTest } from './app-under-test.ts';
import { commentCreated } from './deliveries.ts';
import { repositoryId, type FakeCheck, type FakeComment } from './fake-github.ts';

let app: AppUnderTest;

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  await app.start();
});
afterAll(() => app.close());
beforeEach(() => {
  app.github.permissions['olivia'] = { id: 7, permission: 'admin' };
  app.github.pull.state = 'open';
  app.github.repository = { id: repositoryId, archived: false };
  app.world.jobStates = ['queued', 'pending', 'running', 'succeeded'];
});

/** A run whose build is under way, of a commit's content that no earlier run has built. */
async function building(): Promise<{ comment: FakeComment; check: FakeCheck }> {
  app.github.files['Dockerfile'] = `FROM scratch\nLABEL run=${app.github.checks.length}\n`;
  const { builds } = app.world;
  const before = { checks: app.github.checks.length, builds: builds.length };
  const comment = app.github.comment('/train gpu=T4', 'olivia', app.world.now);
  await app.deliver(commentCreated(comment));
  const check = await app.until('the check', () => app.github.checks[before.checks]);
  await app.until('the build', () => builds[before.builds]);
  return { comment, check };
}

async function end({ comment }: { comment: FakeComment }): Promise<string> {
  return app.until(
    'the end',
    () => app.answersTo(comment).find((text) => /\*\*(Trained|Failed|Cancelled)\*\*/.test(text)),
    500,
  );
}

function passMinutes(minutes: number): void {
  app.world.now = new Date(app.world.now.getTime() + minutes * 60_000);
}

/** A forgery as like the real one as one can make it who reads our labels, but has no key. */
function plant(check: FakeCheck): JobSnapshot {
  const forged: JobSnapshot = {
    name: `projects/demo-project/locations/us-central1/customJobs/forged${app.world.jobs.length}`,
    ...{ id: 'forged', state: 'queued' },
    // Whenever it is looked at: within what is forgiven to a clock, and before ours.
    get createTime() {
      return new Date(app.world.now.getTime() - 45_000).toISOString();
    },
    labels: {
      'trainyard-owner': 'test',
      'trainyard-run': check.external_id,
      'trainyard-attempt': '1',
      'trainyard-repository': String(repositoryId),
      'trainyard-mac': '0'.repeat(40),
    },
    images: [`us-central1-docker.pkg.dev/demo-project/trainyard/digits@sha256:${'b'.repeat(64)}`],
  };
  app.world.jobs.push(forged);
  return forged;
}

describe('a job that somebody planted with our labels', () => {
  it('is not adopted when our own creation was not answered, and not cancelled', async () => {
    const started = await building();
    const forged = plant(started.check);
    // The next effect in the world is the creation of the job.
    app.world.fuse = { at: app.world.effects + 1, when: 'after', as: 'ambiguous' };
    const card = await end(started);
    app.world.fuse = undefined;
    expect(card).toContain('**Trained**');
    const ours = app.world.jobs.filter(
      ({ labels, name }) =>
        labels['trainyard-run'] === started.check.external_id && name !== forged.name,
    );
    expect(ours).toHaveLength(1);
    expect(ours[0]?.labels['trainyard-mac']).toMatch(/^[0-9a-f]{40}$/);
    // Had the other been adopted, ours would have been its extra.
    for (const { name } of [forged, ...ours]) expect(app.world.cancelled).not.toContain(name);
  });
});

describe('a launch long after its command', () => {
  it.each<[string, () => void, RegExp]>([
    [
      'whose author lost the permission',
      () => (app.github.permissions['olivia'] = { id: 7, permission: 'read' }),
      /olivia, who asked for the run, may no longer start runs here/,
    ],
    [
      'whose author’s login is somebody else’s now',
      () => (app.github.permissions['olivia'] = { id: 70, permission: 'admin' }),
      /may no longer start runs here/,
    ],
    [
      'of a pull request that was closed',
      () => (app.github.pull.state = 'closed'),
      /the pull request was closed meanwhile/,
    ],
    [
      'of a repository that was archived',
      () => (app.github.repository = { id: repositoryId, archived: true }),
      /the repository was archived/,
    ],
    [
      'of a repository that is not shown any more',
      () => (app.github.repository = undefined),
      /no longer shows this repository/,
    ],
    [
      'of a name that another repository has now',
      () => (app.github.repository = { id: 666, archived: false }),
      /no longer shows this repository/,
    ],
  ])('%s does not happen', async (_what, change, message) => {
    const started = await building();
    const jobs = app.world.jobs.length;
    change();
    passMinutes(11);
    const card = await end(started);
    expect(card).toMatch(message);
    expect(app.world.jobs).toHaveLength(jobs);
    await app.until('the check', () => started.check.conclusion);
    expect(started.check.conclusion).toBe('failure');
  });

  it('does not happen for whoever has left the team that may', async () => {
    const settings = app.repositories.get(repositoryId);
    if (settings === undefined) throw new Error('the repository is not served');
    const members = { teams: ['ml'], users: [] };
    app.repositories.set(repositoryId, { ...settings, policy: { ...settings.policy, members } });
    app.github.teams = { ml: ['olivia'] };
    await app.restart();
    try {
      const started = await building();
      app.github.teams = {};
      passMinutes(11);
      expect(await end(started)).toMatch(/olivia, who asked for the run, may no longer start/);
    } finally {
      app.github.teams = {};
      app.repositories.set(repositoryId, settings);
      await app.restart();
    }
  });

  it('happens when nothing has changed', async () => {
    const started = await building();
    passMinutes(11);
    expect(await end(started)).toContain('**Trained**');
  });

  it('waits for GitHub when it does not answer', async () => {
    const started = await building();
    app.github.faults.push({ route: /^GET \/repos\/acme\/digits$/, when: 'before' });
    passMinutes(11);
    expect(await end(started)).toContain('**Trained**');
    expect(app.github.faults).toEqual([]);
  });

  it('soon after it asks nothing again', async () => {
    const started = await building();
    app.github.repository = undefined;
    expect(await end(started)).toContain('**Trained**');
  });
});

describe('a job that runs', () => {
  async function running() {
    app.world.jobStates = ['queued', 'running'];
    const started = await building();
    const before = app.world.jobs.length;
    const job = await app.until('the job', () => app.world.jobs[before], 500);
    return { ...started, job };
  }

  it('goes on when its author loses the permission', async () => {
    const started = await running();
    app.github.permissions['olivia'] = { id: 7, permission: 'none' };
    passMinutes(11);
    app.world.jobStates = ['queued', 'running', 'succeeded'];
    expect(await end(started)).toContain('**Trained**');
  });

  it('is cancelled when the operator takes its repository out of the configuration', async () => {
    const started = await running();
    const settings = app.repositories.get(repositoryId)!;
    app.repositories.delete(repositoryId);
    // Another one of the same project stays, as whose launcher the App can cancel.
    const launcherServiceAccount = 'launcher@demo-project.iam.gserviceaccount.com';
    app.repositories.set(2002, { ...settings, launcherServiceAccount });
    await app.restart();
    // Soon after its command it may be of a newer configuration, which another replica has.
    const looks = app.world.now.getTime();
    await app.until(
      'a few looks',
      () => (app.world.now.getTime() > looks + 30_000 ? true : undefined),
      1_000,
    );
    expect(app.world.cancelled).not.toContain(started.job.name);
    passMinutes(11);
    expect(await end(started)).toMatch(/no longer serves this repository/);
    expect(app.world.cancelled).toContain(started.job.name);
    expect(app.launchers.at(-1)).toBe(launcherServiceAccount);
    app.repositories.delete(2002);
    app.repositories.set(repositoryId, settings);
    await app.restart();
  });
});
