/** The loop as a whole: what it does in which order, and that no crash buys anything twice. */
import { describe, expect, it } from '@jest/globals';
import { advance, startRun } from '../../shared/flow.ts';
import type { Plan } from '../../shared/plan/plan.ts';
import { jobPlanOf, waitingOf } from '../../shared/watch/run.ts';
import { digest, plan, World, type Fuse } from './world.ts';

describe('advance', () => {
  it('builds, runs by digest, collects and ends', async () => {
    const world = new World();
    expect(await world.live()).toBe('ended');
    expect(world.saved.end).toMatchObject({ outcome: 'succeeded' });
    expect(world.saved.image).toBe(`${plan.build.imageName}@${digest}`);
    expect(world.saved.progress).toMatchObject({ step: 1, totalSteps: 2, values: { loss: 0.5 } });
    expect(world.lines).toEqual(['built', 'epoch=1/2 loss=0.5']);
    expect(world.builds).toHaveLength(1);
    expect(world.jobs).toHaveLength(1);
  });

  it('skips the build when the job names a finished image', async () => {
    const world = new World({ ...plan, build: undefined });
    await world.live();
    expect(world.builds).toHaveLength(0);
    expect(world.saved.end?.outcome).toBe('succeeded');
  });

  const failures = [
    {
      name: 'user code that exits 3',
      arrange: (world: World) => {
        world.jobStates = ['queued', 'running', 'failed'];
        world.jobError = {
          code: 3,
          message: 'The replica workerpool0-0 exited with a non-zero status of 3.',
        };
      },
      reason: 'user_code_exit',
    },
    {
      name: 'no machine to be had',
      arrange: (world: World) => {
        world.jobStates = ['queued', 'failed'];
        world.jobError = { code: 8, message: 'Resources are insufficient in region: us-central1.' };
      },
      reason: 'stockout',
    },
    {
      name: 'an error that is never set',
      arrange: (world: World) => {
        world.jobStates = ['queued', 'running', 'failed'];
      },
      reason: 'internal',
    },
    {
      name: 'a failing build',
      arrange: (world: World) => {
        world.buildOutcome = 'failure';
      },
      reason: 'build_failed',
    },
    {
      name: 'a job that stays queued',
      arrange: (world: World) => {
        world.jobStates = ['queued'];
      },
      reason: 'start_timeout',
      looks: 3_000,
    },
    {
      name: 'a job that outruns its timeout',
      arrange: (world: World) => {
        world.jobStates = ['queued', 'running'];
        const job = { ...plan.job, deadlineSeconds: 600 };
        world.saved = startRun({ ...plan, job }, world.now);
      },
      reason: 'timeout',
      looks: 3_000,
    },
  ];
  it.each(failures)('ends with a reason: $name', async ({ arrange, reason, looks }) => {
    const world = new World();
    arrange(world);
    await world.live(looks);
    expect(world.saved.end).toMatchObject({ outcome: 'failed', reason });
    expect(world.saved.end?.message).not.toBe('');
    expect(world.saved.end?.fix).not.toBe('');
  });

  it('cancels what runs and ends as cancelled', async () => {
    const world = new World();
    world.jobStates = ['queued', 'running'];
    const ports = world.ports();
    const { advance } = await import('../../shared/flow.ts');
    const options = { settleMs: 20_000, pollMs: 1_000 };
    let run = world.saved;
    while (run.job?.snapshot?.state !== 'running') {
      ({ run } = await advance(run, ports, options));
      world.now = new Date(world.now.getTime() + 1_000);
    }
    world.saved = { ...run, cancel: { at: world.now.toISOString(), by: 'olivia' } };
    expect(await world.live()).toBe('ended');
    expect(world.saved.end).toMatchObject({ outcome: 'cancelled' });
    expect(world.cancelled).toEqual(new Set([world.jobs[0]!.name]));
  });
});

describe('an image that is there already', () => {
  const again = { ...plan, runId: 'zzzzzzzz' };

  /** A world in which a run of the same source has ended. */
  async function afterFirstRun(next: Plan): Promise<World> {
    const world = new World();
    await world.live();
    world.saved = startRun(next, world.now);
    return world;
  }

  it('is used without an upload or a build', async () => {
    const world = await afterFirstRun(again);
    await world.live();
    expect(world.saved.end?.outcome).toBe('succeeded');
    expect(world.saved.reused?.build).toBe(world.builds[0]!.name);
    expect(world.saved.image).toBe(`${again.build.imageName}@${digest}`);
    expect(world.saved.source).toBeUndefined();
    expect(world.builds).toHaveLength(1);
    expect(world.jobs).toHaveLength(2);
  });

  it.each<[string, Plan, (world: World) => void]>([
    [
      'the registry has lost it',
      again,
      (world) => world.deletedImages.add(`${again.build.imageName}@${digest}`),
    ],
    ['another tier built it', { ...again, tier: 'base' }, () => undefined],
    [
      'another account built it',
      { ...again, build: { ...again.build, serviceAccount: 'b@p.iam.gserviceaccount.com' } },
      () => undefined,
    ],
    [
      'another Dockerfile made it',
      { ...again, build: { ...again.build, dockerfile: 'other/Dockerfile' } },
      () => undefined,
    ],
    [
      'its build failed',
      again,
      (world) => (world.builds[0] = { ...world.builds[0]!, status: 'failure' }),
    ],
    [
      'its build reported no digest',
      again,
      (world) => (world.builds[0] = { ...world.builds[0]!, images: [] }),
    ],
  ])('is built anew when %s', async (_what, next, arrange) => {
    const world = await afterFirstRun(next);
    arrange(world);
    await world.live();
    expect(world.saved.reused).toBeUndefined();
    expect(world.builds).toHaveLength(2);
  });

  it('is built when nobody can say whether it is there', async () => {
    const world = await afterFirstRun(again);
    world.lookUpFails = true;
    await world.live();
    expect(world.saved.end?.outcome).toBe('succeeded');
    expect(world.builds).toHaveLength(2);
  });
});

describe('a region without machines', () => {
  const elsewhere = ['europe-west4', 'us-west1'].map((region) => ({
    ...plan.job,
    region,
    outputUriPrefix: `gs://results-${region}/1/k7q2m4xa/`,
  }));
  const patient: Plan = { ...plan, elsewhere, maxAttempts: 3 };

  it.each(['refused', 'failed'] as const)(
    'that %s the job sends it to the next, where its results are',
    async (how) => {
      const world = new World(patient);
      world.shortages.set('us-central1', how);
      await world.live();
      expect(world.saved.end?.outcome).toBe('succeeded');
      expect(jobPlanOf(world.saved)).toEqual(elsewhere[0]);
      expect(world.saved.attempts).toHaveLength(1);
      expect(world.saved.attempts![0]).toMatchObject({
        region: 'us-central1',
        reason: how === 'refused' ? 'quota' : 'stockout',
      });
      expect(world.saved.job?.name).toContain('/locations/europe-west4/');
    },
  );

  it('ends the run with the last reason when there are no attempts left', async () => {
    const world = new World({ ...patient, maxAttempts: 2 });
    for (const region of ['us-central1', 'europe-west4', 'us-west1']) {
      world.shortages.set(region, 'failed');
    }
    await world.live();
    expect(world.saved.end).toMatchObject({ outcome: 'failed', reason: 'stockout' });
    expect(world.jobs).toHaveLength(2);
  });

  it('is tried again when it is the only one, and its first job is not taken for its second', async () => {
    const world = new World({ ...plan, maxAttempts: 2 });
    world.shortages.set('us-central1', 'failed');
    await world.live();
    expect(world.jobs).toHaveLength(2);
    expect(world.jobs.map(({ labels }) => labels['trainyard-attempt'])).toEqual(['1', '2']);
  });

  it('is no reason to go on for code that failed by itself', async () => {
    const world = new World(patient);
    world.jobStates = ['running', 'failed'];
    world.jobError = { code: 3, message: 'The replica exited with a non-zero status of 3' };
    await world.live();
    expect(world.saved.end?.reason).toBe('user_code_exit');
    expect(world.jobs).toHaveLength(1);
  });

  it('does not keep a cancelled run going', async () => {
    const world = new World(patient);
    world.shortages.set('us-central1', 'failed');
    world.saved = { ...world.saved, cancel: { at: world.now.toISOString(), by: 'olivia' } };
    await world.live();
    expect(world.saved.end?.outcome).toBe('cancelled');
    expect(world.jobs).toEqual([]);
  });

  it('buys each attempt once, whatever crashes', async () => {
    for (let at = 1; at <= 60; at++) {
      const world = new World(patient);
      world.shortages.set('us-central1', 'failed');
      world.fuse = { at, when: at % 2 === 0 ? 'before' : 'after', as: 'crash' };
      if ((await world.live()) === 'crashed') await world.live();
      expect(world.saved.end?.outcome).toBe('succeeded');
      expect(world.jobs).toHaveLength(2);
    }
  });
});

describe('requests that come too fast', () => {
  const both = ['builds', 'jobs'] as const;

  it.each(both)('%s are asked for again when the service says, and bought once', async (what) => {
    const world = new World();
    world.tooMany[what] = 3;
    world.retryAfterSeconds = 30;
    await world.live();
    expect(world.saved.end?.outcome).toBe('succeeded');
    expect(world[what]).toHaveLength(1);
    const [first = 0, ...later] = world.askedAt[what];
    const waits = later.map((at, i) => (at - (later[i - 1] ?? first)) / 1_000);
    expect(waits).toHaveLength(3);
    // Half of the spread, and the clock goes on at the next look.
    for (const seconds of waits) {
      expect(seconds).toBeGreaterThanOrEqual(33.75);
      expect(seconds).toBeLessThan(35);
    }
    // A refusal is definite: there was nothing to look for.
    expect(world.saved[what === 'jobs' ? 'job' : 'build']?.intent).not.toHaveProperty(
      'inDoubtSince',
    );
  });

  it.each(both)('%s are asked for ever more seldom where it does not say', async (what) => {
    const world = new World();
    world.tooMany[what] = 7;
    await world.live();
    expect(world.saved.end?.outcome).toBe('succeeded');
    const times = world.askedAt[what];
    const waits = times.slice(1).map((at, i) => Math.round((at - times[i]!) / 1_000));
    expect(waits).toEqual([4, 8, 15, 30, 45, 45, 45]);
  });

  it.each(both)('%s: the run ends when there is no time left', async (what) => {
    const world = new World();
    world.tooMany[what] = Infinity;
    world.retryAfterSeconds = 100;
    await world.live(3_000);
    expect(world[what]).toEqual([]);
    expect(world.saved.end).toMatchObject({
      ...{ outcome: 'failed', reason: 'quota' },
      message: expect.stringContaining('too many requests per minute'),
    });
    const { startTimeoutSeconds } = plan.job;
    const seconds = (Date.parse(world.saved.end!.at) - Date.parse(world.saved.createdAt)) / 1_000;
    expect(seconds).toBeLessThanOrEqual(startTimeoutSeconds + 60);
    expect(seconds).toBeGreaterThan(startTimeoutSeconds / 2);
  });

  it('the next region is asked when there is no time left in the first', async () => {
    const there = { ...plan.job, region: 'europe-west4' };
    const world = new World({ ...plan, elsewhere: [there], maxAttempts: 2 });
    world.tooMany.jobs = 20;
    world.retryAfterSeconds = 100;
    await world.live(4_000);
    expect(world.saved.end?.outcome).toBe('succeeded');
    expect(world.saved.attempts).toMatchObject([{ region: 'us-central1', reason: 'quota' }]);
    expect(world.jobs).toHaveLength(1);
  });

  it.each(both)('%s: a cancelled run waits for nothing', async (what) => {
    const world = new World();
    world.tooMany[what] = Infinity;
    world.retryAfterSeconds = 600;
    const look = async () =>
      advance(world.saved, world.ports(), { settleMs: 20_000, pollMs: 5_000 });
    while (waitingOf(world.saved) === undefined) {
      const { waitMs = 0 } = await look();
      world.now = new Date(world.now.getTime() + waitMs);
    }
    const asked = world.askedAt[what].length;
    world.saved = { ...world.saved, cancel: { at: world.now.toISOString(), by: 'olivia' } };
    expect((await look()).waitMs).toBeUndefined();
    expect(world.saved.end?.outcome).toBe('cancelled');
    expect(world.askedAt[what]).toHaveLength(asked);
  });

  const fuses = Array.from({ length: 40 }, (_, at) => at + 1).flatMap((at) => [
    { at, when: 'before', as: 'crash' } as const,
    { at, when: 'after', as: 'crash' } as const,
    { at, when: 'after', as: 'ambiguous' } as const,
  ]);
  it.each(fuses)('and a $as $when effect $at: one build, one job', async (fuse) => {
    const world = new World();
    world.listLagMs = 3_000;
    Object.assign(world.tooMany, { builds: 2, jobs: 2 });
    world.fuse = fuse;
    if ((await world.live()) === 'crashed') expect(await world.live()).toBe('ended');
    expect(world.saved.end?.outcome).toBe('succeeded');
    expect(world.builds).toHaveLength(1);
    expect(world.jobs).toHaveLength(1);
  });
});

describe('a crash or an unclear answer at any effect', () => {
  const fuses: Fuse[] = [];
  for (let at = 1; at <= 44; at++) {
    for (const when of ['before', 'after'] as const) fuses.push({ at, when, as: 'crash' });
  }
  it.each(fuses)('crash $when effect $at: one build, one job, succeeded', async (fuse) => {
    const world = new World();
    world.listLagMs = 3_000;
    world.fuse = fuse;
    const first = await world.live();
    if (first === 'crashed') expect(await world.live()).toBe('ended');
    expect(world.saved.end?.outcome).toBe('succeeded');
    expect(world.builds).toHaveLength(1);
    expect(world.jobs).toHaveLength(1);
  });

  it('really has that many effects to crash at', async () => {
    const world = new World();
    await world.live();
    expect(world.effects).toBeGreaterThan(10);
    expect(world.effects).toBeLessThanOrEqual(44);
  });

  it.each(['before', 'after'] as const)(
    'create unanswered, request lost %s it took effect',
    async (when) => {
      for (const what of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
        const world = new World();
        world.listLagMs = 3_000;
        world.fuse = { at: what, when, as: 'ambiguous' };
        await world.live();
        expect(world.saved.end?.outcome).toBe('succeeded');
        expect(world.builds).toHaveLength(1);
        expect(world.jobs).toHaveLength(1);
      }
    },
  );
});
