/**
 * `command: follow` by the Action's bundle, over every state that Vertex AI knows: a job ends as it did, and
 * whatever it passes through before is said and waited for. The jobs are the sandbox's; a proxy tells their state.
 * @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/JobState
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandsIn } from '../action/runner-log.ts';
import type { StepResult } from '../action/run-bundle.ts';
import { stepsAt, type Steps } from './action-step.ts';
import { createPool } from './few-at-once.ts';
import { createForeignJob } from './foreign-job.ts';
import { eventually } from './github-user.ts';
import { startInterceptingProxy, type JsonObject } from './intercepting-proxy.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

interface LastState {
  readonly last: string;
  readonly job: 'good' | 'bad';
  readonly code: number;
  readonly outputs: { readonly state: string; readonly reason: string };
  readonly says: RegExp;
}

const lastStates: readonly LastState[] = [
  {
    ...{ last: 'SUCCEEDED', job: 'good', code: 0 },
    outputs: { state: 'succeeded', reason: '' },
    says: /^Trained nightly: /m,
  },
  {
    ...{ last: 'FAILED', job: 'bad', code: 1 },
    outputs: { state: 'failed', reason: 'user_code_exit' },
    says: /^::error::The training code exited with status 3\./m,
  },
  {
    ...{ last: 'CANCELLED', job: 'bad', code: 1 },
    outputs: { state: 'cancelled', reason: 'cancelled' },
    says: /^::error::The job was cancelled\. Start it again when you want it\.$/m,
  },
  {
    ...{ last: 'EXPIRED', job: 'bad', code: 1 },
    outputs: { state: 'failed', reason: 'timeout' },
    says: /^::error::The job was ended after its timeout of 7d\. Allow more time/m,
  },
  {
    ...{ last: 'PARTIALLY_SUCCEEDED', job: 'bad', code: 1 },
    outputs: { state: 'failed', reason: 'internal' },
    says: /^::error::Only a part of the job succeeded: .*status of 3/m,
  },
];

interface PassingState {
  readonly passing: string;
  readonly hasStarted: boolean;
  readonly says: RegExp;
}

const passingStates: readonly PassingState[] = [
  { passing: 'UNSPECIFIED', hasStarted: false, says: /^Job \d+: unknown$/m },
  { passing: 'QUEUED', hasStarted: false, says: /^Job \d+: queued, waiting for its turn$/m },
  { passing: 'PENDING', hasStarted: false, says: /^Job \d+: pending, waiting for a machine/m },
  { passing: 'RUNNING', hasStarted: true, says: /^Job \d+: running$/m },
  { passing: 'CANCELLING', hasStarted: true, says: /^Job \d+: cancelling$/m },
  { passing: 'PAUSED', hasStarted: true, says: /^Job \d+: paused, until somebody resumes it$/m },
  { passing: 'UPDATING', hasStarted: true, says: /^Job \d+: updating$/m },
];

let sandbox: TemporarySandbox;
let steps: Steps;
let jobs: Readonly<Record<'good' | 'bad', string>>;
const few = createPool(3);
let results: ReadonlyMap<LastState | PassingState, Promise<StepResult>>;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  steps = stepsAt(sandbox);
  const { outputs } = await steps.run({ command: 'build' });
  const [good, bad] = await Promise.all(
    ['print("all is well")', 'print("no data"); raise SystemExit(3)'].map(async (program) => {
      const job = await createForeignJob(sandbox, outputs['image'] ?? '', program);
      await eventually('the job to end', async () => {
        const { endTime } = await steps.ask<{ endTime?: string }>(`/v1/${job}`);
        return endTime;
      });
      return job;
    }),
  );
  jobs = { good: good ?? '', bad: bad ?? '' };
  results = new Map<LastState | PassingState, Promise<StepResult>>([
    ...lastStates.map(
      (one) => [one, start(jobs[one.job], (job) => withState(job, one.last))] as const,
    ),
    ...passingStates.map((one) => [one, start(jobs.good, passingThrough(one))] as const),
  ]);
});
afterAll(async () => {
  await Promise.allSettled(results.values());
  await sandbox.close();
});

function withState(job: JsonObject, state: string): JsonObject {
  return { ...job, state: `JOB_STATE_${state}` };
}

/** Twice, and then it is seen to have ended. */
function passingThrough({ passing, hasStarted }: PassingState): (job: JsonObject) => JsonObject {
  let looks = 0;
  return (job) => {
    if (++looks > 2) return job;
    const { endTime: _, error: __, startTime, ...open } = job;
    return withState(hasStarted ? { ...open, startTime } : open, passing);
  };
}

function start(job: string, change: (answer: JsonObject) => JsonObject): Promise<StepResult> {
  const result = few(async () => {
    const { endpoint: target } = sandbox.description.google;
    const proxy = await startInterceptingProxy(target, (method, path) =>
      method === 'GET' && path === `/v1/${job}` ? { change } : undefined,
    );
    const env = { TRAINYARD_GOOGLE_ENDPOINT: proxy.endpoint };
    try {
      return await steps.run({ command: 'follow', job, config: '' }, { env });
    } finally {
      await proxy.close();
    }
  });
  // Whichever test waits for it hears of it.
  result.catch(() => undefined);
  return result;
}

describe('a job that is followed', () => {
  it('is here in each state that there is', () => {
    const protos = join(
      import.meta.dirname,
      '../../node_modules/@google-cloud/aiplatform/build/protos/protos.json',
    );
    const text = readFileSync(protos, 'utf8');
    const states = new Set(text.match(/(?<="JOB_STATE_)\w+(?=")/g));
    expect(states.size).toBeGreaterThan(10);
    const here = [
      ...lastStates.map(({ last }) => last),
      ...passingStates.map((one) => one.passing),
    ];
    expect(here.sort()).toEqual([...states].sort());
  });

  it.each(lastStates)('ends as $last', async (one) => {
    const step = await results.get(one)!;
    expect(step).toMatchObject({ code: one.code, outputs: one.outputs });
    expect(decoded(step.output)).toMatch(one.says);
    const errors = commandsIn(step.output).filter((line) => line.startsWith('error '));
    expect(errors).toHaveLength(one.code);
    // What it has printed is there, however it ended.
    expect(step.output).toMatch(one.job === 'good' ? /^all is well$/m : /^no data$/m);
    expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
  });

  it.each(passingStates)('is waited for while it is $passing', async (one) => {
    const step = await results.get(one)!;
    expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded', reason: '' } });
    expect(step.output).toMatch(one.says);
    expect(step.output).toMatch(/^Job \d+: succeeded$/m);
    expect(step.output).toMatch(/^all is well$/m);
  });
});

/** An annotation's lines, as the runner shows them. */
function decoded(output: string): string {
  return output.replaceAll('%0A', '\n');
}
