/** `command: cancel` by the Action's bundle, in every phase of a run: it has ended when the step says so. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StepResult } from '../action/run-bundle.ts';
import { stepsAt, type StepOptions, type Steps } from './action-step.ts';
import { createForeignJob } from './foreign-job.ts';
import { eventually } from './github-user.ts';
import { startLossyProxy } from './lossy-proxy.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

let sandbox: TemporarySandbox;
let steps: Steps;
let trained: StepResult;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  steps = stepsAt(sandbox);
  trained = await steps.run({ args: '--epochs 1' });
  expect(trained.code).toBe(0);
});

afterAll(() => sandbox.close());

const slowProgram = 'import time\nprint("epoch=1/2 loss=0.5", flush=True)\ntime.sleep(300)\n';
const slowDockerfile = [
  'FROM python:3.12-slim',
  ...Array.from({ length: 4_000 }, (_, i) => `COPY data/ layer-${i}/`),
  'ENTRYPOINT ["python", "train.py"]',
].join('\n');

const stateOf = async (job: string): Promise<string> =>
  (await steps.ask<{ state: string }>(`/v1/${job}`)).state;

/** The id of a run that has none before now, once its build or job is there. */
async function newRunId(known: ReadonlySet<string>): Promise<string> {
  return eventually('the run to start something', async () => {
    const { google } = sandbox.description;
    const { builds = [] } = await steps.ask<{ builds?: { tags?: string[] }[] }>(
      `/v1/projects/${google.project}/locations/global/builds?pageSize=100`,
    );
    const ids = [
      ...builds.flatMap(({ tags = [] }) => tags),
      ...(await steps.jobs()).map(
        ({ labels }) => `trainyard-run-${labels?.['trainyard-run'] ?? ''}`,
      ),
    ].flatMap((tag) => /^trainyard-run-([a-z2-7]{8})$/.exec(tag)?.[1] ?? []);
    return ids.find((id) => !known.has(id));
  });
}

async function expectNothingRunning(): Promise<void> {
  for (const { state } of await steps.jobs()) {
    expect(state).toMatch(/^JOB_STATE_(?:SUCCEEDED|FAILED|CANCELLED)$/);
  }
  for (const { status } of await steps.builds()) {
    expect(status).toMatch(/^(?:SUCCESS|FAILURE|CANCELLED)$/);
  }
}

const seen = new Set<string>();

describe('command: cancel', () => {
  const phases: { phase: string; options: StepOptions; at: RegExp }[] = [
    {
      phase: 'while it builds',
      options: { files: { Dockerfile: slowDockerfile } },
      at: /Cancelling the build .*, which is (?:queued|working)/,
    },
    {
      phase: 'while its job runs',
      options: { files: { 'train.py': slowProgram } },
      at: /Cancelling the job .*, which is (?:queued|pending|running)/,
    },
  ];
  it.each(phases)('ends a run by its id $phase', async ({ phase, options, at }) => {
    const training = steps.run({}, options);
    seen.add(trained.outputs['run_id'] ?? '');
    const run_id = await newRunId(seen);
    seen.add(run_id);
    if (phase === 'while its job runs') {
      await eventually('the job', async () =>
        (await steps.jobs()).find(({ labels }) => labels?.['trainyard-run'] === run_id),
      );
    }
    const step = await steps.run({ command: 'cancel', run_id, config: '' });
    expect(step).toMatchObject({ code: 0, outputs: { state: 'cancelled', reason: '', run_id } });
    expect(step.output).toMatch(at);
    expect(step.output).toMatch(/^The (?:build|job) .* has ended: cancelled$/m);
    expect(step.summary).toMatch(/^Cancelled the (?:build|job) .*; it has ended: cancelled\.$/m);
    await expectNothingRunning();
    expect(await training).toMatchObject({ code: 1, outputs: { state: 'cancelled' } });
    await expectNothingRunning();
  });

  it('succeeds for a run that is over already, and says how it ended', async () => {
    const { run_id = '', job = '' } = trained.outputs;
    const step = await steps.run({ command: 'cancel', run_id, config: '' });
    expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded', job, run_id } });
    expect(step.output).toMatch(/^The job .* was over already: succeeded$/m);
  });

  it("ends another tool's job only when it is named", async () => {
    const image = trained.outputs['image'] ?? '';
    const job = await createForeignJob(sandbox, image, slowProgram);
    const step = await steps.run({ command: 'cancel', job, config: '' });
    expect(step).toMatchObject({ code: 0, outputs: { state: 'cancelled', job, run_id: '' } });
    expect(await stateOf(job)).toBe('JOB_STATE_CANCELLED');
  });

  it("does not touch another owner's run by its id", async () => {
    const image = trained.outputs['image'] ?? '';
    const run_id = 'abcdefgh';
    const labels = { 'trainyard-run': run_id, 'trainyard-owner': 'app-4242' };
    const job = await createForeignJob(sandbox, image, slowProgram, labels);
    const step = await steps.run({ command: 'cancel', run_id, config: '' });
    expect(step).toMatchObject({ code: 1, outputs: { state: 'failed', reason: 'no_permission' } });
    expect(step.output).toMatch(/was not started by a workflow, so it is not cancelled/);
    expect(await stateOf(job)).toMatch(/QUEUED|PENDING|RUNNING/);
    expect(await steps.run({ command: 'cancel', job, config: '' })).toMatchObject({ code: 0 });
  });

  it.each([
    ['neither', {}],
    ['both', { job: '123', run_id: 'abcdefgh' }],
  ])('refuses %s of `job` and `run_id`', async (_which, inputs) => {
    const step = await steps.run({ command: 'cancel', config: '', ...inputs });
    expect(step).toMatchObject({ code: 1, outputs: { state: 'refused', reason: 'bad_argument' } });
    expect(step.output).toMatch(/`cancel` needs either `job` or `run_id`/);
  });
});

describe('an answer to a creation that gets lost', () => {
  it.each([
    ['build', /\/builds$/],
    ['job', /\/customJobs$/],
  ])('makes no second %s', async (what, path) => {
    const before = await steps.inventory();
    const proxy = await startLossyProxy(
      sandbox.description.google.endpoint,
      (method, asked) => method === 'POST' && path.test(asked),
    );
    try {
      const files = { 'train.py': `print("epoch=1/1 loss=0.5 of ${what}")\n` };
      const env = { TRAINYARD_GOOGLE_ENDPOINT: proxy.endpoint };
      const step = await steps.run({}, { files, env });
      expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
      expect(step.output).toContain(
        `No answer came about the ${what}: looking for it before it is created again`,
      );
      expect(proxy.attempts()).toBe(1);
    } finally {
      await proxy.close();
    }
    const after = await steps.inventory();
    expect(after).toMatchObject({ builds: before.builds + 1, jobs: before.jobs + 1 });
  });
});
