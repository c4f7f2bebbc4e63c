/** What the Action leaves running when its workflow is cancelled or its runner is killed: nothing. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { type Sandbox } from '../../sandbox/start.ts';
import { lines, stepsAt, type StepOptions, type Steps } from './action-step.ts';
import { startGate } from './gate.ts';
import { eventually } from './github-user.ts';
import { silence, startInterceptingProxy } from './intercepting-proxy.ts';
import { startTemporarySandbox } from './temporary-sandbox.ts';

let sandbox: Sandbox | undefined;
let steps: Steps;

async function start(options: Parameters<typeof startTemporarySandbox>[0] = {}): Promise<void> {
  sandbox = await startTemporarySandbox(options);
  steps = stepsAt(sandbox);
}

afterEach(async () => {
  await sandbox?.close();
});

/** A program that takes its time, and says when it has begun. */
const slowProgram = 'import time\nprint("epoch=1/2 loss=0.5", flush=True)\ntime.sleep(300)\n';
/** Takes the sandbox seconds to build: each line makes a layer. */
const slowDockerfile = [
  'FROM python:3.12-slim',
  ...Array.from({ length: 4_000 }, (_, i) => `COPY data/ layer-${i}/`),
  'ENTRYPOINT ["python", "train.py"]',
].join('\n');

describe('a workflow that is cancelled', () => {
  beforeEach(() => start());

  const phases: { phase: string; options: StepOptions; at: RegExp }[] = [
    {
      phase: 'the build',
      options: { files: { Dockerfile: slowDockerfile } },
      at: /^Build \S+: (?:queued|working)/m,
    },
    {
      phase: 'the job',
      options: { files: { 'train.py': slowProgram } },
      at: /^epoch=1\/2/m,
    },
  ];

  /** Nothing is left, and what was started was cancelled and did not just end. */
  async function expectCancelled(phase: string): Promise<void> {
    await eventually('everything to end', async () => {
      const states = (await steps.jobs()).map(({ state }) => state);
      return states.some((state) => /QUEUED|PENDING|RUNNING|CANCELLING/.test(state))
        ? undefined
        : states;
    });
    const [build] = await steps.builds();
    const [job] = await steps.jobs();
    if (phase === 'the build') expect(build?.status).toBe('CANCELLED');
    else expect(job?.state).toBe('JOB_STATE_CANCELLED');
    for (const { status } of await steps.builds()) {
      expect(status).toMatch(/^(?:SUCCESS|FAILURE|CANCELLED)$/);
    }
  }

  const signals = (['SIGINT', 'SIGTERM'] as const).flatMap((signal) =>
    phases.map((phase) => ({ ...phase, signal })),
  );
  it.each(signals)('$signal during $phase cancels it', async ({ phase, options, at, signal }) => {
    const step = await steps.run({}, { ...options, interruption: { at, signal } });
    expect(step).toMatchObject({
      code: 1,
      outputs: { state: 'cancelled', reason: 'cancelled' },
      state: { started: '' },
    });
    expect(lines(step.output).at(-1)).toMatch(
      /^Cancelled [0-9a-f]{7} after [\dms ]+ by the workflow run/,
    );
    await expectCancelled(phase);
    expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
  });

  it.each(['SIGINT', 'SIGKILL'] as const)(
    '%s while the context is packed and uploaded leaves nothing',
    async (signal) => {
      // Random, so that it is as large in the archive: some moments to pack and to send.
      const big = randomBytes(24 * 1024 * 1024).toString('base64');
      const interruption = { at: /^Reading the build context/m, signal } as const;
      const step = await steps.run({}, { files: { 'big.txt': big }, interruption });
      if (signal === 'SIGINT') {
        expect(step).toMatchObject({ code: 1, outputs: { state: 'cancelled' } });
      }
      expect(await steps.post(step)).toMatchObject({ code: 0 });
      await eventually('everything to end', async () => {
        const builds = await steps.builds();
        return builds.every(({ status }) => /^(?:SUCCESS|FAILURE|CANCELLED)$/.test(status))
          ? true
          : undefined;
      });
      expect(await steps.jobs()).toEqual([]);
    },
  );

  it('SIGINT while the upload hangs ends the step in the time that GitHub leaves it', async () => {
    const uploading = Promise.withResolvers<undefined>();
    const { endpoint: target } = sandbox!.description.google;
    const proxy = await startInterceptingProxy(target, (_method, path) => {
      if (!path.startsWith('/upload/')) return undefined;
      uploading.resolve(undefined);
      return silence;
    });
    let interruptedAt = 0;
    const at = uploading.promise.then(() => (interruptedAt = Date.now()));
    const step = await steps.run(
      {},
      {
        env: { TRAINYARD_GOOGLE_ENDPOINT: proxy.endpoint },
        interruption: { at, signal: 'SIGINT' },
      },
    );
    // GitHub leaves it 7.5 s, most of which a busy machine may need to end a process; an upload has minutes.
    // @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
    expect(Date.now() - interruptedAt).toBeLessThan(40_000);
    await proxy.close();
    expect(step).toMatchObject({ code: 1, outputs: { state: 'cancelled', reason: 'cancelled' } });
    expect(lines(step.output).at(-1)).toMatch(/^Cancelled [0-9a-f]{7} after \d/);
    expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
    expect(await steps.inventory()).toMatchObject({ builds: 0, jobs: 0, sources: 0 });
  });

  it.each(phases)(
    'the post step cancels $phase when the runner was killed',
    async ({ phase, options, at }) => {
      const interruption = { at, signal: 'SIGKILL' } as const;
      const step = await steps.run({}, { ...options, interruption });
      expect(step.code).toBeNull();
      const post = await steps.post(step);
      expect(post.code).toBe(0);
      expect(post.output).toMatch(/^Cancelled (?:build|job) projects\//m);
      await expectCancelled(phase);
      // Another one finds nothing to do and does no harm.
      expect((await steps.post(step)).code).toBe(0);
    },
  );

  it('goes on with `cancel_on_interrupt: false`', async () => {
    const gate = await startGate();
    const program = `print("epoch=1/2 loss=1", flush=True)\n${gate.wait}\n`;
    const step = await steps.run(
      { cancel_on_interrupt: 'false' },
      {
        files: { 'train.py': program },
        interruption: { at: /^epoch=1\/2/m, signal: 'SIGINT' },
      },
    );
    expect(step).toMatchObject({ outputs: { state: 'running' }, state: { started: '' } });
    gate.open();
    const job = await eventually('the job to end', async () => {
      const found = await steps.ask<{ state: string }>(`/v1/${step.outputs['job'] ?? ''}`);
      return found.state === 'JOB_STATE_RUNNING' ? undefined : found;
    });
    expect(job.state).toBe('JOB_STATE_SUCCEEDED');
    await gate.close();
  });
});

describe('a workflow that is cancelled while its job is queued', () => {
  // Whatever the step needs to hear of the signal and to say so, the job waits for longer.
  beforeEach(() => start({ realistic: true, lags: { jobQueuedMs: 600_000 } }));

  it('ends the job before it has begun', async () => {
    const interruption = { at: /^Job \d+: queued/m, signal: 'SIGINT' } as const;
    const step = await steps.run({}, { files: { 'train.py': slowProgram }, interruption });
    expect(step).toMatchObject({ code: 1, outputs: { state: 'cancelled', reason: 'cancelled' } });
    expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
    const job = await eventually('the job to be cancelled', async () => {
      const found = await steps.ask<{ state: string }>(`/v1/${step.outputs['job'] ?? ''}`);
      return /CANCELLED$/.test(found.state) ? found : undefined;
    });
    expect(job).not.toHaveProperty('startTime');
  });
});

describe('a runner that is killed before the answer comes', () => {
  beforeEach(() => start({ realistic: true }));

  it('finds in the post step a job that the list does not show yet', async () => {
    const interruption = { at: /^Job \d+: queued/m, signal: 'SIGKILL' } as const;
    const step = await steps.run({}, { files: { 'train.py': slowProgram }, interruption });
    // As if it had been killed before the answer to the creation came.
    const started = JSON.parse(step.state['started'] ?? '') as Record<string, string>;
    const state = { ...step.state, started: JSON.stringify({ ...started, job: 'intended' }) };
    const post = await steps.post({ ...step, state });
    expect(post).toMatchObject({ code: 0 });
    expect(post.output).toMatch(/^Cancelled job projects\//m);
    const [job] = await eventually('the job to be cancelled', async () => {
      const jobs = await steps.jobs();
      return jobs.every((one) => /FAILED|CANCELLED/.test(one.state)) ? jobs : undefined;
    });
    expect(job?.state).toBe('JOB_STATE_CANCELLED');
  });
});
