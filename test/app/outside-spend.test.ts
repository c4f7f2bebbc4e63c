/** What triggers and workflows cost, which the App did not begin: counted once, shown, and refused for. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultSettings } from '../../shared/config/project-settings.ts';
import type { JobDescription } from '../../shared/ports.ts';
import type { JobState } from '../../shared/watch/run.ts';
import { AppUnderTest } from './app-under-test.ts';
import { commentCreated, repositoryOfDeliveries } from './deliveries.ts';
import { buildOf } from './fake-cloud-build.ts';
import { repositoryId } from './fake-github.ts';

let app: AppUnderTest;
let jobs = 0;

const settings = defaultSettings('demo-project', ['us-central1'], {
  policy: { maxUsdPerMonth: 50 },
});
const declaration = JSON.stringify({
  config: 'config.yaml',
  triggers: [
    { name: 'train', on: 'push', branch: '^main$', config: 'ci.yaml', run: { allowed: true } },
  ],
});

beforeAll(async () => {
  app = await AppUnderTest.prepare();
  app.repositories.set(repositoryId, settings);
  // In the middle of a month, so that hours ago is the same one.
  app.world.now = new Date('2026-03-15T12:00:00.000Z');
  await app.start();
});
afterAll(() => app.close());
beforeEach(() => {
  app.workflowJobs.length = 0;
});

const ago = (hours: number): string =>
  new Date(app.world.now.getTime() - hours * 3_600_000).toISOString();

/** A job of a workflow that begins now and runs for that long, which passes: an hour costs $0.866. */
function workflowJob(
  hours: number,
  {
    id = repositoryId,
    state = 'succeeded',
    project = 'demo-project',
  }: { readonly id?: number; readonly state?: JobState; readonly project?: string } = {},
): JobDescription {
  const createTime = app.world.now.toISOString();
  app.world.now = new Date(app.world.now.getTime() + hours * 3_600_000);
  const name = `projects/${project}/locations/us-central1/customJobs/${++jobs}`;
  const job: JobDescription = {
    displayName: 'a job',
    spec: {
      workerPoolSpecs: [
        {
          machineSpec: {
            machineType: 'n1-standard-8',
            acceleratorType: 'NVIDIA_TESLA_T4',
            acceleratorCount: 1,
          },
          replicaCount: '1',
        },
      ],
    },
    snapshot: {
      ...{ name, id: String(jobs), state, createTime, startTime: createTime },
      ...(state === 'running' ? {} : { endTime: app.world.now.toISOString() }),
      labels: { 'trainyard-owner': 'workflow', 'trainyard-repository': String(id) },
    },
  };
  app.workflowJobs.push(job);
  return job;
}

async function say(text: string): Promise<string> {
  const comment = app.github.comment(text, 'olivia', app.world.now);
  await app.deliver(commentCreated(comment));
  return app.until(`an answer to ${text}`, () => app.answersTo(comment)[0]);
}

/** Until a look, which this machine may be slow to come to, has brought what `/cost` then says. */
async function costWith(pattern: RegExp): Promise<string> {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline;) {
    const answer = await say('/cost');
    if (pattern.test(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`/cost never said ${String(pattern)}, but ${await say('/cost')}`);
}

describe('jobs of workflows', () => {
  it('are counted into the month, once, however often they are seen', async () => {
    workflowJob(10);
    // Neither of another project, nor for a repository that is not served, nor without a number.
    workflowJob(9, { project: 'other-project' });
    workflowJob(9, { id: 4711 });
    workflowJob(9, { id: Number.NaN });
    await app.restart();
    expect(await costWith(/workflows/)).toMatch(
      /: est\. \$8\.66, of this month's \$50\.00[^]*- runs: est\. \$0\.00\n- builds of triggers: est\. \$0\.00\n- jobs of workflows: est\. \$8\.66$/m,
    );
    await app.restart();
    await app.restart();
    expect(await costWith(/workflows/)).toContain('- jobs of workflows: est. $8.66');
  });

  it('are asked for from where the last look was left, or from the oldest that had not ended', async () => {
    const running = workflowJob(30, { state: 'running' });
    app.workflowLooks.length = 0;
    await app.restart();
    await costWith(/workflows: est\. \$34\.65/);
    expect(app.workflowLooks[0]).toMatchObject({ region: 'us-central1', owner: 'workflow' });
    app.workflowLooks.length = 0;
    // It goes on, and costs on.
    app.world.now = new Date(app.world.now.getTime() + 3_600_000);
    await app.restart();
    await costWith(/workflows: est\. \$35\.52/);
    const { createTime = '' } = running.snapshot;
    expect(app.workflowLooks.map(({ since }) => since.toISOString())).toEqual([
      new Date(Date.parse(createTime) - 600_000).toISOString(),
    ]);
    const ended = { ...running.snapshot, state: 'succeeded', endTime: ago(0) } as const;
    app.workflowJobs.splice(0, 1, { ...running, snapshot: ended });
    await app.restart();
    await costWith(/workflows: est\. \$35\.52/);
    // What has ended is what it was.
    app.workflowJobs.splice(0, 1, {
      ...running,
      snapshot: { ...ended, endTime: new Date('2027-01-01T00:00:00Z').toISOString() },
    });
    await app.restart();
    expect(await say('/cost')).toContain('workflows: est. $35.52');
  });

  it('leave a run no room when the month is used up by them', async () => {
    workflowJob(20);
    await app.restart();
    await costWith(/workflows: est\. \$52/);
    expect(await say('/train')).toMatch(
      /runs, triggers' builds and workflows have cost or may yet cost \$52\.\d\d of \$50\.00/,
    );
  });

  it('leave a trigger unrun too', async () => {
    app.github.files['.github/trainyard.yml'] = declaration;
    app.github.mainSha = 'd'.repeat(40);
    await app.deliver(
      {
        ...{ ref: 'refs/heads/main', after: app.github.mainSha, deleted: false },
        repository: { ...repositoryOfDeliveries, default_branch: 'main' },
        installation: { id: 31 },
      },
      { event: 'push' },
    );
    await app.until('the trigger', () => app.cloudBuild.triggers[0]);
    expect(await say('/trigger run train')).toMatch(/have cost or may yet cost/);
    expect(app.cloudBuild.runs).toEqual([]);
  });

  it('bind nobody where other repositories use the project: whose they are, only a label says', async () => {
    const launcherServiceAccount = 'launcher@demo-project.iam.gserviceaccount.com';
    const shared = { ...settings, launcherServiceAccount };
    app.repositories.set(repositoryId, shared).set(4711, shared);
    // A month of its own, so that what was counted before says nothing.
    app.world.now = new Date('2026-04-15T12:00:00.000Z');
    workflowJob(100);
    await app.restart();
    expect(await costWith(/workflows: est\. \$86/)).toMatch(
      /: est\. \$0\.00, of this month's \$50\.00[^]*workflows: est\. \$86\.\d\d, \$86\.\d\d of it not counted, since other repositories use its project/,
    );
    expect(await say('/train dry-run')).toMatch(/\*\*Allowed\*\*/);
  });
});

describe('builds of triggers', () => {
  it('are counted by their machines, once, and refused for', async () => {
    app.world.now = new Date('2026-05-15T12:00:00.000Z');
    const [trigger] = app.cloudBuild.triggers;
    const ended = buildOf({
      ...{ id: 'large', triggerId: trigger?.id ?? '', status: 'success' },
      ...{ createTime: ago(1.5), startTime: ago(1), finishTime: ago(0) },
      machine: { machineType: 'E2_HIGHCPU_32' },
    });
    app.cloudBuild.builds.push(ended);
    expect(await costWith(/builds of triggers: est\. \$3/)).toMatch(
      /: est\. \$3\.84, of this month's \$50\.00[^]*builds of triggers: est\. \$3\.84/,
    );
    await app.restart();
    const pool = { id: 'pool', machine: { isPrivatePool: true } };
    app.cloudBuild.builds.push(buildOf({ ...ended, ...pool, startTime: ago(13) }));
    await costWith(/builds of triggers: est\. \$53\.76/);
    expect(await say('/train dry-run')).toMatch(/have cost or may yet cost \$53\.76 of \$50\.00/);
  });
});
