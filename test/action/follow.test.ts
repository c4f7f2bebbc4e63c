/** What a reader of the step's log is told, and what is left running, when a run goes one way or another. */
import { describe, expect, it } from '@jest/globals';
import { follow, type FollowOptions } from '../../action/follow.ts';
import type { Runner } from '../../action/runner.ts';
import { startedState } from '../../action/started.ts';
import { Trouble } from '../../action/trouble.ts';
import { CloudError } from '../../shared/errors.ts';
import { startRun } from '../../shared/flow.ts';
import type { Run } from '../../shared/watch/run.ts';
import { emptySource } from './empty-source.ts';
import { plan, World } from '../shared/world.ts';

const defaults: FollowOptions = {
  pollMs: 5_000,
  settleMs: 30_000,
  drainMs: 20_000,
  wait: true,
  until: 'end',
  cancelOnInterrupt: true,
};

/** A run whose job was there before the step. */
function attachedTo(world: World): Run {
  const createdAt = world.now.toISOString();
  const name = 'projects/demo-project/locations/us-central1/customJobs/j0';
  world.jobs.push({ ...{ name, id: 'j0', state: 'queued' }, createTime: createdAt, labels: {} });
  const job = { intent: { at: createdAt }, name };
  return { plan: { ...plan, build: undefined }, createdAt, job };
}

/** Follows the world's run; time passes when the Action sleeps. */
async function followIn(
  world: World,
  options: Partial<FollowOptions> = {},
  onSleep: (interrupt: AbortController) => void = () => undefined,
) {
  const printed: string[] = [];
  const state: Record<string, string> = {};
  const print = (line: string): void => void printed.push(line);
  const runner: Runner = {
    ...{ info: print, print, debug: print, warning: print, error: print },
    mask: () => undefined,
    setOutput: () => undefined,
    saveState: (name, value) => void (state[name] = value),
    getState: () => '',
    addSummary: () => Promise.resolve(),
  };
  const interrupt = new AbortController();
  const clock = {
    now: () => world.now,
    sleep: (ms: number) => {
      world.now = new Date(world.now.getTime() + ms);
      onSleep(interrupt);
      return Promise.resolve();
    },
  };
  const ports = {
    google: world.ports(),
    clock,
    runner,
    source: () => Promise.resolve(emptySource),
    trouble: new Trouble(runner, clock),
    interrupt: interrupt.signal,
  };
  const start = options.attached === true ? attachedTo(world) : startRun(plan, world.now);
  const run = await follow(start, ports, { ...defaults, ...options }).catch(
    (error: unknown) => error,
  );
  return { run, printed, started: state[startedState] };
}

describe('follow', () => {
  it('prints each change of state once, in order', async () => {
    const { printed } = await followIn(new World());
    const own = printed.filter((line) =>
      /^(?:Reading|Source|Build|Image|Job|Waiting) ?\S*:?/.test(line),
    );
    expect(own.map((line) => line.replace(/(?<=: ).*@.*|gs:.*/, '…'))).toEqual([
      'Reading the build context',
      'Source: …',
      'Build b0',
      'Build b0: queued, waiting for a worker',
      'Build b0: working',
      'Build b0: success',
      'Image: …',
      'Job j0: projects/demo-project/locations/us-central1/customJobs/j0',
      'Job j0: queued, waiting for its turn',
      'Job j0: pending, waiting for a machine and its image',
      'Job j0: running',
      'Job j0: succeeded',
      'Reading the last of its log',
    ]);
  });

  it('says once a minute what it is waiting for', async () => {
    const world = new World();
    world.jobStates = [...Array.from({ length: 40 }, () => 'queued' as const), 'succeeded'];
    const { printed } = await followIn(world);
    const waiting = printed.filter((line) => line.startsWith('Waiting for a machine to train'));
    expect(waiting).toHaveLength(3);
    expect(waiting[0]).toMatch(/aaaaaaa on 1 × T4 \(n1-standard-8, us-central1\) · 1m/);
  });

  it('says why it waits for a job that has already failed', async () => {
    const world = new World();
    world.jobStates = ['running', 'failed'];
    const { printed } = await followIn(world);
    expect(printed).toContain('Waiting for Vertex AI to say why, which takes a minute or so');
  });

  it('says that it looks for what may have been created', async () => {
    const world = new World();
    world.listLagMs = 10_000;
    // The upload is the first effect, the build's creation the second.
    world.fuse = { at: 2, when: 'after', as: 'ambiguous' };
    const { printed, run } = await followIn(world);
    expect(run).toMatchObject({ end: { outcome: 'succeeded' } });
    expect(world.builds).toHaveLength(1);
    expect(printed).toContain(
      'No answer came about the build: looking for it before it is created again',
    );
  });

  it('says what it waits for while Google has too many requests, and loses no patience', async () => {
    const world = new World();
    Object.assign(world.tooMany, { builds: 1, jobs: 4 });
    world.retryAfterSeconds = 40;
    const { printed, run } = await followIn(world);
    expect(run).toMatchObject({ end: { outcome: 'succeeded' } });
    expect(world.jobs).toHaveLength(1);
    const waits = printed.filter((line) => line.startsWith('Google has had too many requests'));
    expect(waits).toHaveLength(5);
    expect(waits[0]).toBe(
      'Google has had too many requests: asking for the build again at 03:00:45 UTC (too many requests per minute)',
    );
    expect(printed.join('\n')).not.toContain('No answer came');
  });

  it('leaves nothing behind when it is stopped meanwhile', async () => {
    const world = new World();
    world.tooMany.jobs = Infinity;
    let sleeps = 0;
    const { run, started } = await followIn(world, {}, (interrupt) => {
      sleeps += 1;
      if (world.askedAt.jobs.length > 0) interrupt.abort();
    });
    expect(run).toMatchObject({ end: { outcome: 'cancelled' } });
    expect(started).toBe('');
    expect(world.jobs).toEqual([]);
    expect(sleeps).toBeLessThan(30);
  });

  it('prints the last lines, which come after the end', async () => {
    const world = new World();
    const ports = world.ports();
    const late = new Date(world.now.getTime() + 60_000);
    const timestamp = world.now.toISOString();
    const read = () =>
      Promise.resolve({
        entries:
          world.now < late ? [] : [{ insertId: 'z', timestamp, text: 'Killed: out of memory' }],
      });
    world.ports = () => ({ ...ports, jobLogs: { read } });
    world.jobStates = ['running', 'succeeded'];
    const { printed } = await followIn(world, { drainMs: 60_000 });
    expect(printed).toContain('Killed: out of memory');
    expect(printed.indexOf('Killed: out of memory')).toBeGreaterThan(
      printed.indexOf('Job j0: succeeded'),
    );
  });

  it.each([
    ['the build', () => true, [/builds\/b0$/]],
    ['the job', (world: World) => world.jobs.length > 0, [/customJobs\/j0$/]],
  ])('cancels %s when it is interrupted', async (_what, isTime, cancelled) => {
    const world = new World();
    const { run, started } = await followIn(world, {}, (interrupt) => {
      if (isTime(world)) interrupt.abort();
    });
    expect(run).toMatchObject({ end: { outcome: 'cancelled' } });
    expect([...world.cancelled]).toEqual(cancelled.map((name) => expect.stringMatching(name)));
    expect(started).toBe('');
  });

  it('leaves the job alone, for the post step too, when told so', async () => {
    const world = new World();
    const options = { cancelOnInterrupt: false };
    const { run, started } = await followIn(world, options, (interrupt) => {
      if (world.jobs.length > 0) interrupt.abort();
    });
    expect(run).not.toHaveProperty('end');
    expect(world.cancelled.size).toBe(0);
    expect(started).toBe('');
  });

  it('cancels what it started when it cannot go on', async () => {
    const world = new World();
    const ports = world.ports();
    const refused = { status: 403, retryable: false, ambiguous: false };
    world.ports = () => ({
      ...ports,
      jobs: { ...ports.jobs, get: () => Promise.reject(new CloudError('jobs.get', 'no', refused)) },
    });
    const { run, started } = await followIn(world);
    expect(run).toBeInstanceOf(CloudError);
    expect([...world.cancelled]).toEqual([expect.stringMatching(/customJobs\/j0$/)]);
    expect(started).toBe('');
  });

  it('leaves a job to itself after so long, for the post step too, and says how to pick it up', async () => {
    const world = new World();
    world.jobStates = ['queued', ...Array.from({ length: 10_000 }, () => 'running' as const)];
    const hour = 3_600_000;
    const began = world.now.getTime();
    const { run, printed, started } = await followIn(world, { detachAfterMs: hour });
    expect(run).not.toHaveProperty('end');
    expect(run).not.toHaveProperty('cancel');
    expect(world.now.getTime() - began).toBeGreaterThanOrEqual(hour);
    expect(world.now.getTime() - began).toBeLessThan(hour + 60_000);
    expect(world.cancelled.size).toBe(0);
    expect(started).toBe('');
    expect(printed.at(-1)).toBe(
      'The step ends here after 1h, as `detach_after` says. The job goes on; a step with `command: follow` and `job: projects/demo-project/locations/us-central1/customJobs/j0` picks it up.',
    );
  });

  it('does not leave a run whose job is not launched yet', async () => {
    const world = new World();
    const { run } = await followIn(world, { detachAfterMs: 1 });
    expect(world.jobs).toHaveLength(1);
    expect(run).toMatchObject({ job: { name: world.jobs[0]?.name } });
    expect(run).not.toHaveProperty('end');
  });

  it('follows a job that was there before to its end', async () => {
    const world = new World();
    const { run, printed } = await followIn(world, { attached: true });
    expect(run).toMatchObject({ end: { outcome: 'succeeded' } });
    expect(world.jobs).toHaveLength(1);
    expect(world.builds).toHaveLength(0);
    expect(printed).toContain('epoch=1/2 loss=0.5');
  });

  it('leaves a job that was there before when it cannot go on', async () => {
    const world = new World();
    const ports = world.ports();
    const refused = { status: 401, retryable: false, ambiguous: false };
    world.ports = () => ({
      ...ports,
      jobs: { ...ports.jobs, get: () => Promise.reject(new CloudError('jobs.get', 'no', refused)) },
    });
    const { run, printed } = await followIn(world, { attached: true });
    expect(run).toBeInstanceOf(CloudError);
    expect(world.cancelled.size).toBe(0);
    expect(printed.at(-1)).toMatch(/customJobs\/j0 is left as it is; it may still be running\.$/);
  });

  it("remembers nothing for the post step of a job that is not the step's to cancel", async () => {
    const world = new World();
    const { started } = await followIn(world, { attached: true, cancelOnInterrupt: false });
    expect(started ?? '').toBe('');
  });

  it('says once that the log may not be read, and follows all the same', async () => {
    const world = new World();
    const ports = world.ports();
    const refused = { status: 403, retryable: false, ambiguous: false };
    const read = () =>
      Promise.reject(
        new CloudError('entries.list', 'Permission denied for all log views', refused),
      );
    world.ports = () => ({ ...ports, jobLogs: { read } });
    const { run, printed } = await followIn(world);
    expect(run).toMatchObject({ end: { outcome: 'succeeded' } });
    expect(printed.filter((line) => line.includes('cannot be read'))).toEqual([
      "The job's log cannot be read, so it is missing here: Permission denied for all log views. Grant the step's account `roles/logging.viewer`.",
    ]);
  });

  it.each(['unknown', 'queued', 'pending', 'running', 'cancelling', 'paused', 'updating'] as const)(
    'waits while the job is %s',
    async (state) => {
      const world = new World();
      world.jobStates = [state, state, state, 'succeeded'];
      const { run, printed } = await followIn(world);
      expect(run).toMatchObject({ end: { outcome: 'succeeded' } });
      expect(printed).toContainEqual(expect.stringMatching(new RegExp(`^Job j0: ${state}`)));
    },
  );

  it.each([
    ['expired', 'failed', 'timeout'],
    ['partially_succeeded', 'failed', 'internal'],
    ['cancelled', 'cancelled', 'cancelled'],
    ['failed', 'failed', 'internal'],
  ] as const)('ends with a job that is %s', async (state, outcome, reason) => {
    const world = new World();
    world.jobStates = ['running', state];
    const { run } = await followIn(world);
    expect(run).toMatchObject({ end: { outcome, reason } });
  });
});
