/** A cancelled step waits for nothing that it has not paid for, and leaves nothing that it has. */
import { describe, expect, it } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { advanceOrGiveUp } from '../../action/advance-or-give-up.ts';
import { advance, type RunPorts } from '../../shared/flow.ts';
import { plan, World } from '../shared/world.ts';

const options = { settleMs: 30_000, pollMs: 5_000 };

/** With machines in the run's second region only. */
function withoutMachinesHere(): World {
  const there = { ...plan.job, region: 'europe-west4' };
  const world = new World({ ...plan, elsewhere: [there], maxAttempts: 2 });
  world.shortages.set(plan.job.region, 'refused');
  return world;
}

/** Starts, and interrupts once this request is on its way; `goOn` lets it through. */
async function interruptedAt(
  world: World,
  hold: (ports: RunPorts, wait: () => Promise<void>) => RunPorts,
) {
  const interrupt = new AbortController();
  const reached = Promise.withResolvers<undefined>();
  const held = Promise.withResolvers<undefined>();
  const ports = hold(world.ports(), async () => {
    reached.resolve(undefined);
    await held.promise;
  });
  const advanced = advanceOrGiveUp(world.saved, ports, options, interrupt.signal);
  await reached.promise;
  interrupt.abort();
  return { advanced, goOn: () => held.resolve(undefined) };
}

const slowUpload = (ports: RunPorts, wait: () => Promise<void>): RunPorts => ({
  ...ports,
  objects: { ...ports.objects, put: (...where) => wait().then(() => ports.objects.put(...where)) },
});
const slowCreation = (ports: RunPorts, wait: () => Promise<void>): RunPorts => ({
  ...ports,
  builds: {
    ...ports.builds,
    create: (request) => wait().then(() => ports.builds.create(request)),
  },
});

/** The first look at the build, which says that it has made its image. */
const slowLook = (ports: RunPorts, wait: () => Promise<void>): RunPorts => ({
  ...ports,
  builds: { ...ports.builds, get: (name) => wait().then(() => ports.builds.get(name)) },
});
const slowJob = (ports: RunPorts, wait: () => Promise<void>): RunPorts => ({
  ...ports,
  jobs: { ...ports.jobs, create: (request) => wait().then(() => ports.jobs.create(request)) },
});

describe('advanceOrGiveUp', () => {
  it('gives an upload up, and nothing comes of it when it ends after all', async () => {
    const world = new World();
    const { advanced, goOn } = await interruptedAt(world, slowUpload);
    const start = world.saved;
    expect(await advanced).toEqual({ run: start, waitMs: 0 });
    goOn();
    await setImmediate();
    expect(world.saved).toEqual(start);
    expect(world.builds).toEqual([]);
  });

  it('waits for a build that is being created', async () => {
    const world = new World();
    const { advanced, goOn } = await interruptedAt(world, slowCreation);
    expect(await Promise.race([advanced, setImmediate()])).toBeUndefined();
    goOn();
    expect(await advanced).toMatchObject({ run: { build: { name: world.builds[0]?.name } } });
    expect(world.builds).toHaveLength(1);
  });

  it.each([
    ['its build', slowLook, new World()],
    ['a region without machines', slowJob, withoutMachinesHere()],
  ])('launches no job after %s', async (_what, hold, world) => {
    // The build is started, and over at the next look.
    const { run } = await advance(world.saved, world.ports(), options);
    world.saved = run;
    world.now = new Date(world.now.getTime() + 60_000);
    const { advanced, goOn } = await interruptedAt(world, hold);
    goOn();
    const { run: given } = await advanced;
    expect(world.jobs).toEqual([]);
    expect(given.image).toBeDefined();
    const cancel = { at: world.now.toISOString(), by: 'the workflow run' };
    const ended = await advance({ ...given, cancel }, world.ports(), options);
    expect(ended).toMatchObject({ run: { end: { outcome: 'cancelled' } }, waitMs: undefined });
    expect(world.jobs).toEqual([]);
  });

  it('goes on as always when it was interrupted before: a cancellation has steps of its own', async () => {
    const world = new World();
    const cancel = { at: world.now.toISOString(), by: 'the workflow run' };
    const run = { ...world.saved, cancel };
    const end = { outcome: 'cancelled' };
    expect(await advanceOrGiveUp(run, world.ports(), options, AbortSignal.abort())).toMatchObject({
      ...{ run: { end }, waitMs: undefined },
    });
  });
});
