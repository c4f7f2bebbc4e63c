/** A cancelled step waits for nothing that it has not paid for, and leaves nothing that it has. */
import { describe, expect, it } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { advanceOrGiveUp } from '../../action/advance-or-give-up.ts';
import type { RunPorts } from '../../shared/flow.ts';
import { World } from '../shared/world.ts';

const options = { settleMs: 30_000, pollMs: 5_000 };

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
