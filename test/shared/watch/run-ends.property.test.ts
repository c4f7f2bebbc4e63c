/**
 * The run as a state machine: whatever happens to it and around it, in whatever order, it comes to an end, to one
 * end, and stays there; and at most one job of it is left.
 */
import { expect, it } from '@jest/globals';
import { fc, runs } from '../../properties.ts';
import { CloudError } from '../../../shared/errors.ts';
import { advance } from '../../../shared/flow.ts';
import { planImage } from '../../../shared/plan/plan-image.ts';
import { defaultSettings } from '../../../shared/config/project-settings.ts';
import type { Plan } from '../../../shared/plan/plan.ts';
import { isJobOver, phaseOf, type JobState, type Run } from '../../../shared/watch/run.ts';
import { Crash, plan, World } from '../world.ts';

const imagePlan = planImage({
  ...{ runId: plan.runId, owner: plan.owner, subject: plan.subject, tier: plan.tier },
  settings: defaultSettings('demo-project', ['us-central1']),
  repoConfig: { config: 'config.yaml', dockerfile: 'Dockerfile' },
  ...{ authority: 'app', hasDockerfile: true },
});
const plans: readonly Plan[] = [
  plan,
  { ...plan, maxAttempts: 3 },
  { ...plan, build: { ...plan.build, mode: 'never' } },
  ...(imagePlan.kind === 'planned' ? [imagePlan.plan] : []),
];

const passing: readonly JobState[] = [
  'queued',
  'pending',
  'running',
  'paused',
  'updating',
  'unknown',
];
const last: readonly JobState[] = ['succeeded', 'failed', 'cancelled', 'expired'];

/** What happens between two looks. */
type Event = 'nothing' | 'cancel' | 'restart' | 'superseded' | 'an hour';

const story = fc.record({
  plan: fc.constantFrom(...plans),
  buildOutcome: fc.constantFrom('success', 'failure', 'timeout', 'cancelled', 'internal_error'),
  jobStates: fc
    .tuple(fc.array(fc.constantFrom(...passing), { maxLength: 5 }), fc.constantFrom(...last))
    .map(([before, end]) => [...before, end]),
  jobError: fc.option(
    fc.constantFrom(
      { code: 8, message: 'Resources are insufficient in region: us-central1.' },
      { code: 9, message: 'The replica workerpool0-0 exited with a non-zero status of 137.' },
      { code: 13, message: 'Internal error.' },
    ),
    { nil: undefined },
  ),
  listLagMs: fc.constantFrom(0, 5_000, 15_000),
  fuses: fc.array(
    fc.record({
      at: fc.integer({ min: 1, max: 20 }),
      when: fc.constantFrom('before', 'after'),
      as: fc.constantFrom('crash', 'ambiguous'),
    }),
    { maxLength: 4 },
  ),
  events: fc.array(
    fc.constantFrom<Event>('nothing', 'nothing', 'cancel', 'restart', 'superseded', 'an hour'),
    {
      maxLength: 30,
    },
  ),
});

function happen(event: Event | undefined, run: Run, world: World): Run {
  const at = world.now.toISOString();
  switch (event) {
    case 'cancel':
      return run.end === undefined && run.cancel === undefined
        ? { ...run, cancel: { at, by: 'olivia' } }
        : run;
    case 'superseded':
      return { ...run, superseded: { at, by: 'b'.repeat(40) } };
    case 'an hour':
      world.now = new Date(world.now.getTime() + 3_600_000);
      return run;
    case 'restart':
    case 'nothing':
    case undefined:
      return run;
  }
}

it('ends once, however it is interrupted', async () => {
  await fc.assert(
    fc.asyncProperty(story, async ({ plan: chosen, fuses, events, ...around }) => {
      const world = Object.assign(new World(chosen), around);
      const coming = [...events];
      const left = [...fuses];
      const options = { settleMs: 20_000, pollMs: 1_000, drainMs: 2_000 };
      let ports = world.ports();
      let run: Run = world.saved;
      let waitMs: number | undefined = 0;
      for (let look = 0; waitMs !== undefined; look++) {
        if (look > 2_000) throw new Error(`no end: ${JSON.stringify(run)}`);
        const event = coming.shift();
        run = happen(event, run, world);
        world.saved = structuredClone(run);
        if (event === 'restart') ports = world.ports();
        if (world.fuse === undefined) {
          const fuse = left.shift();
          if (fuse !== undefined) world.fuse = { ...fuse, at: world.effects + fuse.at };
        }
        try {
          ({ run, waitMs } = await advance(run, ports, options));
        } catch (error) {
          if (!(error instanceof Crash) && !(error instanceof CloudError)) throw error;
          // Another process goes on from what was stored.
          world.fuse = undefined;
          run = world.saved;
          ports = world.ports();
          waitMs = 1_000;
        }
        world.now = new Date(world.now.getTime() + Math.max(1, waitMs ?? 0));
      }
      expect(['succeeded', 'failed', 'cancelled']).toContain(phaseOf(run));
      expect(run.end?.outcome).toBe(phaseOf(run));
      expect(world.saved).toEqual(run);
      // Nothing that comes later changes it, or costs anything.
      const effects = world.effects;
      const cancelled = { ...run, cancel: { at: world.now.toISOString(), by: 'olivia' } };
      const again = await advance(cancelled, world.ports(), options);
      expect(again).toEqual({ run: cancelled, waitMs: undefined });
      expect(world.effects).toBe(effects);
      const open = world.jobs.filter(
        ({ name, state }) => !isJobOver(state) && !world.cancelled.has(name),
      );
      expect(open).toEqual([]);
      if (run.end?.outcome === 'succeeded' && chosen.job.machine.replicas > 0)
        expect(world.jobs.filter(({ state }) => state === 'succeeded')).toHaveLength(1);
    }),
    { numRuns: runs(300) },
  );
});
