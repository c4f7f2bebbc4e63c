/** What `cancel` ends, what it refuses, and when it believes that something has ended. */
import { describe, expect, it } from '@jest/globals';
import { cancel, type CancelOptions, type RunPlace } from '../../action/commands/cancel.ts';
import { CloudError, UserError } from '../../shared/errors.ts';
import type { BuildSnapshot, BuildStatus, JobSnapshot, JobState } from '../../shared/watch/run.ts';

const place: RunPlace = {
  runId: 'k7q2m4xa',
  project: 'demo-project',
  region: 'us-central1',
  buildRegion: 'global',
};
const options: CancelOptions = { pollMs: 1_000, settleMs: 30_000, patienceMs: 60_000 };
const jobName = 'projects/1/locations/us-central1/customJobs/7';
const buildName = 'projects/1/locations/global/builds/b';

/** A cloud whose job and build move on as time passes. */
class Cloud {
  now = 0;
  readonly cancelled: string[] = [];
  readonly said: string[] = [];
  /** How long after it was asked something ends. */
  endsAfterMs = 0;
  /** What it ends as: cancelling may come too late. */
  endsAs = 'cancelled';
  /** From when on the lists show the job and the build; undefined: there is none. */
  jobListedAt: number | undefined;
  buildListedAt: number | undefined;
  jobState: JobState = 'running';
  buildStatus: BuildStatus = 'working';
  owner = 'workflow';
  #endsAt = new Map<string, number>();

  readonly ports = {
    clock: {
      now: () => new Date(this.now),
      sleep: (ms: number) => {
        this.now += ms;
        return Promise.resolve();
      },
    },
    say: (line: string) => void this.said.push(line),
    jobs: {
      get: (name: string) => (name === jobName ? Promise.resolve(this.job()) : this.missing()),
      findByLabel: () =>
        Promise.resolve(this.now >= (this.jobListedAt ?? Infinity) ? [this.job()] : []),
      cancel: (name: string) => this.cancel(name),
    },
    builds: {
      get: (name: string) => (name === buildName ? Promise.resolve(this.build()) : this.missing()),
      findByTag: () =>
        Promise.resolve(this.now >= (this.buildListedAt ?? Infinity) ? [this.build()] : []),
      cancel: (name: string) => this.cancel(name),
    },
  };

  private cancel(name: string): Promise<void> {
    this.cancelled.push(name);
    this.#endsAt.set(name, this.now + this.endsAfterMs);
    return Promise.resolve();
  }

  private missing(): Promise<never> {
    const failure = { status: 404, retryable: false, ambiguous: false };
    return Promise.reject(new CloudError('x.get', 'not found', failure));
  }

  private hasEnded(name: string): boolean {
    return this.now >= (this.#endsAt.get(name) ?? Infinity);
  }

  private job(): JobSnapshot {
    const state = this.hasEnded(jobName) ? (this.endsAs as JobState) : this.jobState;
    const labels = { 'trainyard-run': place.runId, 'trainyard-owner': this.owner };
    return { name: jobName, id: '7', state, labels };
  }

  private build(): BuildSnapshot {
    const status = this.hasEnded(buildName) ? (this.endsAs as BuildStatus) : this.buildStatus;
    const tags = [`trainyard-run-${place.runId}`, `trainyard-owner-${this.owner}`];
    return { name: buildName, id: 'b', status, tags, images: [] };
  }
}

describe('cancel', () => {
  it.each(['queued', 'pending', 'running', 'paused', 'updating', 'unknown'] as const)(
    'ends a job that is %s and waits until that is certain',
    async (jobState) => {
      const cloud = new Cloud();
      cloud.jobListedAt = 0;
      Object.assign(cloud, { jobState, endsAfterMs: 5_000 });
      const ended = await cancel(place, cloud.ports, options);
      expect(ended).toEqual([{ kind: 'job', name: jobName, state: 'cancelled', already: false }]);
      expect(cloud.cancelled).toEqual([jobName]);
      expect(cloud.now).toBeGreaterThanOrEqual(5_000);
    },
  );

  it('says how it ended when cancelling came too late', async () => {
    const cloud = new Cloud();
    cloud.jobListedAt = 0;
    cloud.endsAs = 'succeeded';
    expect(await cancel(place, cloud.ports, options)).toMatchObject([{ state: 'succeeded' }]);
  });

  it.each([
    ['job', 'succeeded'],
    ['job', 'failed'],
    ['job', 'cancelled'],
    ['build', 'failure'],
    ['build', 'cancelled'],
  ] as const)('leaves a %s alone that is over: %s', async (kind, state) => {
    const cloud = new Cloud();
    if (kind === 'job') Object.assign(cloud, { jobListedAt: 0, jobState: state });
    else Object.assign(cloud, { buildListedAt: 0, buildStatus: state });
    const ended = await cancel(place, cloud.ports, options);
    expect(ended).toMatchObject([{ kind, state, already: true }]);
    expect(cloud.cancelled).toEqual([]);
  });

  it('finds a job that the list does not show yet', async () => {
    const cloud = new Cloud();
    cloud.jobListedAt = 20_000;
    await cancel(place, cloud.ports, options);
    expect(cloud.cancelled).toEqual([jobName]);
  });

  it('waits for the job that may come of a build which has just succeeded', async () => {
    const cloud = new Cloud();
    Object.assign(cloud, { buildListedAt: 0, buildStatus: 'success', jobListedAt: 10_000 });
    const ended = await cancel(place, cloud.ports, options);
    expect(ended).toMatchObject([{ kind: 'build', already: true }, { kind: 'job' }]);
    expect(cloud.cancelled).toEqual([jobName]);
  });

  it('does not wait for the job of a build that it has ended', async () => {
    const cloud = new Cloud();
    cloud.buildListedAt = 0;
    await cancel(place, cloud.ports, options);
    expect(cloud.now).toBeLessThan(5_000);
  });

  const refusals: [
    name: string,
    prepare: (cloud: Cloud) => void,
    reason: string,
    message: RegExp,
  ][] = [
    ['nothing is found', () => undefined, 'bad_argument', /nothing of the run k7q2m4xa was found/],
    [
      "the job is another owner's",
      (cloud) => Object.assign(cloud, { jobListedAt: 0, owner: 'app-1' }),
      'no_permission',
      /was not started by a workflow/,
    ],
    [
      "the build is another owner's",
      (cloud) => Object.assign(cloud, { buildListedAt: 0, owner: 'app-1' }),
      'no_permission',
      /was not started by a workflow/,
    ],
    [
      'it does not end',
      (cloud) => Object.assign(cloud, { jobListedAt: 0, endsAfterMs: 3_600_000 }),
      'timeout',
      /was asked to end 1m ago and is still running/,
    ],
  ];
  it.each(refusals)('fails when %s', async (_name, prepare, reason, message) => {
    const cloud = new Cloud();
    prepare(cloud);
    const error = await cancel(place, cloud.ports, options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ reason, message: expect.stringMatching(message) as unknown });
    if (reason === 'no_permission') expect(cloud.cancelled).toEqual([]);
  });

  it.each([
    ['job', jobName],
    ['build', buildName],
  ] as const)("ends another owner's %s that is named", async (kind, name) => {
    const cloud = new Cloud();
    cloud.owner = 'somebody';
    const target = { kind, name, project: 'demo-project', region: 'us-central1' };
    expect(await cancel(target, cloud.ports, options)).toMatchObject([{ kind, name }]);
    expect(cloud.cancelled).toEqual([name]);
  });

  it('says when what is named does not exist', async () => {
    const target = { kind: 'job', name: 'other', project: 'p', region: 'us-central1' } as const;
    await expect(cancel(target, new Cloud().ports, options)).rejects.toMatchObject({
      reason: 'bad_argument',
      message: 'there is no job other.',
    });
  });
});
