/** `command: follow` by the Action's bundle: whatever is there already, whoever started it, to its end. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { StepResult } from '../action/run-bundle.ts';
import { lines, stepsAt, type StepOptions, type Steps } from './action-step.ts';
import { createForeignJob } from './foreign-job.ts';
import { startGate } from './gate.ts';
import { eventually } from './github-user.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

let sandbox: TemporarySandbox;
let steps: Steps;
let trained: StepResult;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  steps = stepsAt(sandbox);
  trained = await steps.run({ args: '--epochs 2' });
  expect(trained.code).toBe(0);
});

afterAll(() => sandbox.close());

const follow = (job: string, options: StepOptions = {}) =>
  steps.run({ command: 'follow', job, config: '' }, options);

const createJob = (program: string, labels: Readonly<Record<string, string>> = {}) =>
  createForeignJob(sandbox, trained.outputs['image'] ?? '', program, labels);

const stateOf = async (job: string): Promise<string> =>
  (await steps.ask<{ state: string }>(`/v1/${job}`)).state;

describe('command: follow', () => {
  it('prints the log of a job that has ended from its beginning, and sets what `train` has set', async () => {
    const step = await follow(trained.outputs['job'] ?? '');
    expect(step.code).toBe(0);
    const same = [
      ...['state', 'reason', 'run_id', 'image', 'image_digest', 'job', 'job_url', 'logs_url'],
      ...['region', 'metrics', 'output_directory', 'duration_seconds'],
    ];
    for (const name of same)
      expect([name, step.outputs[name]]).toEqual([name, trained.outputs[name]]);
    // `train` made the image too, which costs something.
    const [cost, costWithBuild] = [step, trained].map(({ outputs }) => Number(outputs['cost_usd']));
    expect(cost).toBeGreaterThan(0);
    expect(cost).toBeLessThanOrEqual(costWithBuild ?? 0);
    const epochs = lines(step.output).flatMap((line) => /^epoch=(\d)\/2 /.exec(line)?.[1] ?? []);
    expect(epochs).toEqual(['1', '2']);
    expect(lines(step.output).at(-1)).toMatch(/^Trained [0-9a-f]{7}: val_accuracy 0\.\d+ · /);
    expect(step.summary).toMatch(/^\| val_accuracy \|/m);
    expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
  });

  it('goes on with a run that another step has left', async () => {
    const left = await steps.run({ wait: 'false', args: '--epochs 20' });
    expect(left.outputs['state']).toBe('running');
    const step = await follow(left.outputs['job'] ?? '');
    expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
    expect(step.outputs['run_id']).toBe(left.outputs['run_id']);
    const epochs = lines(step.output).flatMap((line) => /^epoch=(\d+)\/20 /.exec(line)?.[1] ?? []);
    expect(epochs.map(Number)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(JSON.parse(step.outputs['metrics'] ?? '')).toHaveProperty('val_accuracy');
  });

  it('follows what another tool has started, by its id alone', async () => {
    const job = await createJob(
      'import time\nprint("epoch=1/1 loss=0.5", flush=True)\ntime.sleep(2)',
    );
    const step = await follow(job.split('/').at(-1) ?? '');
    expect(step).toMatchObject({
      code: 0,
      outputs: { state: 'succeeded', run_id: '', region: 'us-central1', output_directory: '' },
    });
    expect(step.output).toMatch(/^epoch=1\/1 loss=0\.5$/m);
    expect(step.output).toMatch(/^Job: nightly on n1-standard-4, in us-central1$/m);
    expect(step.output).not.toContain('not-for-logs');
    expect(lines(step.output).at(-1)).toMatch(/^Trained nightly: no metrics were written · /);
    expect(Number(step.outputs['cost_usd'])).toBeGreaterThan(0);
  });

  it('fails as the job does, with its reason and its last lines', async () => {
    const job = await createJob('print("no data"); raise SystemExit(3)');
    const step = await follow(job);
    expect(step).toMatchObject({ code: 1, outputs: { state: 'failed', reason: 'user_code_exit' } });
    expect(step.output).toMatch(/^::error::The training code exited with status 3\./m);
    expect(step.summary).toContain('no data');
  });

  it('follows a build, by its id alone', async () => {
    const { build_id = '', image } = trained.outputs;
    const step = await follow(build_id);
    expect(step).toMatchObject({
      code: 0,
      outputs: { state: 'succeeded', build_id, image, built: 'false' },
    });
    expect(step.output).toMatch(/^Step #0: Step 1\/7 : FROM python:3\.12-slim$/m);
    expect(step.output).toMatch(new RegExp(`^Build ${build_id}: success$`, 'm'));
  });

  it('can be taken up again after its runner was killed', async () => {
    const gate = await startGate();
    const program = `for e in range(1, 9):\n  print(f"epoch={e}/8 loss=1", flush=True)\n  if e == 2: ${gate.wait}`;
    const job = await createJob(program);
    const interruption = { at: /^epoch=2\/8/m, signal: 'SIGKILL' } as const;
    const first = await follow(job, { interruption });
    expect(first.code).toBeNull();
    gate.open();
    const second = await follow(job);
    expect(second).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
    const epochs = lines(second.output).flatMap((line) => /^epoch=(\d)\/8/.exec(line)?.[1] ?? []);
    expect(epochs).toEqual(['1', '2', '3', '4', '5', '6', '7', '8']);
    await gate.close();
  });

  it("leaves another tool's job alone when the workflow is cancelled, and in the post step", async () => {
    const job = await createJob(
      'import time\nprint("epoch=1/2 loss=1", flush=True)\ntime.sleep(300)',
    );
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const step = await follow(job, { interruption: { at: /^epoch=1\/2/m, signal } });
      if (signal === 'SIGINT') {
        expect(step).toMatchObject({ code: 0, outputs: { state: 'running' } });
      }
      expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
      expect(await stateOf(job)).toBe('JOB_STATE_RUNNING');
    }
    expect(await steps.run({ command: 'cancel', job })).toMatchObject({ code: 0 });
  });

  it('cancels a job of ours when the workflow is cancelled', async () => {
    const labels = { 'trainyard-run': 'abcdefgh', 'trainyard-owner': 'workflow' };
    const job = await createJob(
      'import time\nprint("epoch=1/2 loss=1", flush=True)\ntime.sleep(300)',
      labels,
    );
    const interruption = { at: /^epoch=1\/2/m, signal: 'SIGINT' } as const;
    const step = await follow(job, { interruption });
    expect(step).toMatchObject({ code: 1, outputs: { state: 'cancelled', run_id: 'abcdefgh' } });
    await eventually('the job to end', async () =>
      (await stateOf(job)) === 'JOB_STATE_CANCELLED' ? true : undefined,
    );
  });

  it('says what does not exist', async () => {
    const job = 'projects/demo-project/locations/us-central1/customJobs/999999';
    const step = await follow(job);
    expect(step).toMatchObject({ code: 1, outputs: { state: 'failed', reason: 'bad_argument' } });
    expect(step.output).toMatch(/^::error::There is no job .*999999\. Check the input `job`/m);
  });

  it.each([
    ['', /`follow` needs `job`/],
    ['https://evil.example/customJobs/1', /`job` must be a name such as/],
    ['projects/p/locations/evil.example/customJobs/1', /`job` must be a name such as/],
  ])('refuses the job %j', async (job, message) => {
    const step = await follow(job);
    expect(step).toMatchObject({ code: 1, outputs: { state: 'refused', reason: 'bad_argument' } });
    expect(step.output).toMatch(message);
  });
});

describe('detach_after', () => {
  it('ends the step and leaves the job to another one', async () => {
    const gate = await startGate();
    const program = `print("epoch=1/2 loss=1", flush=True)\n${gate.wait}\nprint("done")\n`;
    const step = await steps.run({ detach_after: '2s' }, { files: { 'train.py': program } });
    expect(step).toMatchObject({ code: 0, outputs: { state: 'running' }, state: { started: '' } });
    const { job = '' } = step.outputs;
    expect(step.output).toContain(
      `a step with \`command: follow\` and \`job: ${job}\` picks it up.`,
    );
    expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
    // A step that was slow to build leaves it before it has begun.
    expect(await stateOf(job)).toMatch(/^JOB_STATE_(?:QUEUED|PENDING|RUNNING)$/);
    gate.open();
    const rest = await follow(job);
    expect(rest).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
    expect(rest.output).toMatch(/^done$/m);
    await gate.close();
  });
});
