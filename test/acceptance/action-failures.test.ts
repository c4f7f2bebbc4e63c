/**
 * Every way in which a step can fail, by the shipped bundle as a runner runs it: its exit code, `state` and
 * `reason`, the annotation that says what to do, the summary, and that nothing is left running. What the
 * sandbox can fail at, it does itself; the rest is Google's own answers in front of it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { endReasons, type EndReason } from '../../shared/errors.ts';
import { commandsIn } from '../action/runner-log.ts';
import type { StepResult } from '../action/run-bundle.ts';
import { lines, stepsAt, type Inputs, type StepOptions, type Steps } from './action-step.ts';
import { createPool } from './few-at-once.ts';
import { eventually } from './github-user.ts';
import * as google from './google-refusals.ts';
import { startInterceptingProxy, type Intercept, type JsonObject } from './intercepting-proxy.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

interface Failure {
  readonly reason: EndReason;
  readonly name: string;
  readonly inputs?: Inputs;
  /** Runs this in the image that is there, instead of building one. */
  readonly program?: string;
  readonly options?: StepOptions;
  readonly intercept?: Intercept;
  /** What happened: the annotation's first sentence, and the summary's. */
  readonly says: RegExp;
  /** What to do now: its next sentence. */
  readonly fix: RegExp;
  /** A line of the program or the build that annotation and summary show. */
  readonly tail?: string;
}

/** A job that ended in the sandbox, as if Vertex AI had said this of it. */
function endedWith(message: string, state = 'JOB_STATE_FAILED'): Intercept {
  return changeJobs((job) =>
    'endTime' in job ? { ...job, state, error: { code: 3, message } } : job,
  );
}

function changeJobs(change: (job: JsonObject) => JsonObject): Intercept {
  return (method, path) =>
    (method === 'GET' && /\/customJobs\/\d+$/.test(path)) || google.createJob(method, path)
      ? { change }
      : undefined;
}

/** No machine comes; a cancellation is seen to its end. */
const staysQueued = changeJobs((job) =>
  'endTime' in job ? job : { ...job, state: 'JOB_STATE_QUEUED', startTime: undefined },
);

const slowDockerfile = [
  'FROM python:3.12-slim',
  ...Array.from({ length: 4_000 }, (_, i) => `COPY data/ layer-${i}/`),
  'ENTRYPOINT ["python", "train.py"]',
].join('\n');
const waits = 'import time; print("epoch=1/2 loss=0.5", flush=True); time.sleep(300)';
const nowhere = `us-central1-docker.pkg.dev/demo-project/trainyard/digits@sha256:${'0'.repeat(64)}`;
/** Vertex AI's own words. @see https://cloud.google.com/vertex-ai/docs/training/monitor-debug-training-errors */
const outOfMemory =
  'The replica workerpool0-0 ran out-of-memory and exited with a non-zero status of 9(SIGKILL).';

/** By the sandbox, as it is. */
const ownFailures: readonly Failure[] = [
  {
    reason: 'user_code_exit',
    name: 'a program that exits 3',
    program: 'print("about to fail"); raise SystemExit(3)',
    says: /^The training code exited with status 3\./,
    fix: /Read the last lines of its log, mend the code and push\.$/,
    tail: 'about to fail',
  },
  {
    reason: 'out_of_memory',
    name: 'a program that the kernel kills',
    program: 'import os; print("hungry", flush=True); os.kill(os.getpid(), 9)',
    says: /^The training code was killed \(exit status 137\), most often because the machine's memory ran out\./,
    fix: /`machine_type: n1-highmem-8`, or a smaller batch size\.$/,
    tail: 'hungry',
  },
  {
    reason: 'cuda_out_of_memory',
    name: 'a program whose GPU is full',
    // @see https://pytorch.org/docs/stable/notes/faq.html#my-model-reports-cuda-runtime-error-2-out-of-memory
    program:
      'raise SystemExit("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 14.58 GiB of which 1.2 GiB is free.")',
    says: /^The GPU ran out of memory\./,
    fix: /Use a smaller batch size or a GPU with more memory\.$/,
    tail: 'CUDA out of memory',
  },
  {
    reason: 'build_failed',
    name: 'a Dockerfile that copies what is not there',
    options: { files: { Dockerfile: 'FROM python:3.12-slim\nCOPY nowhere.txt /app/\n' } },
    says: /^`?Dockerfile:2`?: COPY failed: .*nowhere\.txt/,
    fix: /Correct line 2 of `Dockerfile` and push\.$/,
    tail: 'Step 2/2 : COPY nowhere.txt /app/',
  },
  {
    reason: 'build_timeout',
    name: 'a Dockerfile that takes too long',
    inputs: { build_timeout: '1s' },
    options: { files: { Dockerfile: slowDockerfile } },
    says: /^The image took longer to build than its timeout allows\./,
    fix: /`build_timeout`/,
  },
  {
    reason: 'build_region_restricted',
    name: 'a region in which the project may not build',
    inputs: { build_region: 'europe-west3' },
    options: { files: { 'train.py': 'print("not built there")\n' } },
    says: /^This project may not run builds in that region\./,
    fix: /Set `build_region` to global, us-central1/,
  },
  {
    reason: 'image_not_found',
    name: 'an image that is not there',
    inputs: { image: nowhere },
    says: /^The image does not exist: .*digits@sha256:0/,
    fix: /Build it first, or correct its name\.$/,
  },
  {
    reason: 'timeout',
    name: 'a program that takes too long',
    // Also on a slow machine it has begun to print by then.
    inputs: { timeout: '8s' },
    program: waits,
    says: /^The job was ended after its timeout of 8s\./,
    fix: /Allow more time with a longer `timeout`, or train for fewer steps\.$/,
    tail: 'epoch=1/2',
  },
  {
    reason: 'bad_config',
    name: 'a machine that Vertex AI does not have',
    inputs: { machine_type: 'n9-standard-4', gpu: 'none', allow_unknown_machines: 'true' },
    program: waits,
    says: /^Google refused the job: Machine type "n9-standard-4" is not supported\./,
    fix: /Correct the job config/,
  },
  {
    reason: 'cancelled',
    name: 'a workflow that is cancelled',
    program: waits,
    options: { interruption: { at: /^epoch=1\/2/m, signal: 'SIGINT' } },
    says: /^The run was cancelled\./,
    fix: /cancelled\.$/,
  },
];

/** By what the real Google answers to the request. */
const refusals: readonly Failure[] = [
  {
    reason: 'quota',
    name: 'a project without quota for the GPU',
    intercept: google.refuse(google.createJob, google.quota),
    says: /^The project's quota is used up: .*custom_model_training_nvidia_t4_gpus\./,
    fix: /`custom_model_training_nvidia_t4_gpus` on the IAM & Admin → Quotas page/,
  },
  {
    reason: 'image_pull_denied',
    name: 'an image in a repository that is closed to Vertex AI',
    intercept: google.refuse(google.createJob, google.mayNotPull),
    says: /^The image cannot be pulled: /,
    fix: /Grant `roles\/artifactregistry\.reader` on `projects\/other\/locations\/us-central1\/repositories\/trainyard` to `service-123456789012@gcp-sa-aiplatform-cc\.iam\.gserviceaccount\.com`/,
  },
  {
    reason: 'permission_denied',
    name: 'an account that may not create jobs',
    intercept: google.refuse(google.createJob, google.mayNotCreateJobs),
    says: /^An account may not do what it should: .*aiplatform\.customJobs\.create/,
    fix: /Grant `roles\/aiplatform\.user` to the account that asked/,
  },
  {
    reason: 'permission_denied',
    name: 'an account that may not use the trainer',
    inputs: { service_account: 'trainer@demo-project.iam.gserviceaccount.com' },
    intercept: google.refuse(google.createJob, google.mayNotActAs),
    says: /^An account may not do what it should: /,
    fix: /Grant `roles\/iam\.serviceAccountUser` on `trainer@demo-project\.iam\.gserviceaccount\.com` to/,
  },
  {
    reason: 'permission_denied',
    name: 'an account that may not upload the source',
    options: { files: { 'train.py': 'print("may not be uploaded")\n' } },
    intercept: google.refuse(google.upload, google.mayNotUpload),
    says: /^An account may not do what it should: .*storage\.objects\.create/,
    fix: /Grant `roles\/storage\.objectUser` to `launcher@demo-project\.iam\.gserviceaccount\.com`/,
  },
  {
    reason: 'iam_propagating',
    name: 'a project whose agents are just being made',
    intercept: google.refuse(google.createJob, google.agentsBeingProvisioned),
    says: /^A permission that was granted does not work yet: /,
    fix: /Try again in a few minutes/,
  },
  {
    reason: 'service_agent_missing',
    name: 'a project that has never used Vertex AI',
    intercept: google.refuse(google.createJob, google.noAgent),
    says: /^Vertex AI's service agent does not exist in the project: /,
    fix: /`gcloud beta services identity create --service=aiplatform\.googleapis\.com --project=demo-project`/,
  },
  {
    reason: 'api_disabled',
    name: 'a project without Vertex AI',
    intercept: google.refuse(google.createJob, google.vertexNotEnabled),
    says: /^A Google API is not enabled in the project: /,
    fix: /Run `gcloud services enable aiplatform\.googleapis\.com --project=123456789012`/,
  },
  {
    reason: 'api_disabled',
    name: 'a project without Cloud Build',
    options: { files: { 'train.py': 'print("not built before")\n' } },
    intercept: google.refuse(google.createBuild, google.buildNotEnabled),
    says: /^A Google API is not enabled in the project: /,
    fix: /Run `gcloud services enable cloudbuild\.googleapis\.com --project=123456789012`/,
  },
  {
    reason: 'billing_disabled',
    name: 'a project that nobody pays for',
    options: { files: { 'train.py': 'print("not uploaded before")\n' } },
    intercept: google.refuse(google.upload, google.noBilling),
    says: /^Billing does not work for the project: /,
    fix: /Link an open billing account to the project: `gcloud billing projects link demo-project /,
  },
  {
    reason: 'org_policy',
    name: 'an organisation that trains elsewhere',
    intercept: google.refuse(google.createJob, google.forbiddenByPolicy),
    says: /^An organisation policy forbids it: /,
    fix: /`constraints\/gcp\.resourceLocations`/,
  },
  {
    reason: 'bucket_region',
    name: 'results in a bucket of another region',
    inputs: { base_output_directory: 'gs://eu-results/digits' },
    intercept: google.refuse(google.createJob, google.bucketElsewhere),
    says: /^The results bucket is not in the job's region: .*gs:\/\/eu-results\/digits/,
    fix: /Use a bucket whose location is us-central1/,
  },
];

/** By what Vertex AI says of a job that had been accepted. */
const endings: readonly Failure[] = [
  {
    reason: 'out_of_memory',
    name: 'a program that Vertex AI has stopped for its memory',
    program: 'raise SystemExit(9)',
    intercept: endedWith(outOfMemory),
    says: /^The container ran out of memory\./,
    fix: /`machine_type: n1-highmem-8`/,
  },
  {
    reason: 'stockout',
    name: 'a region without such a machine',
    program: 'raise SystemExit(1)',
    // @see https://github.com/openreview/openreview-expertise/issues/401
    intercept: endedWith(
      'Resources are insufficient in region: us-central1. Please try a different region.',
    ),
    says: /^Google has no such machine free in us-central1 right now\./,
    fix: /Try another `region` or GPU, or later\.$/,
  },
  {
    reason: 'preempted',
    name: 'a spot machine that is taken away',
    inputs: { spot: 'true' },
    program: 'raise SystemExit(1)',
    intercept: endedWith('The replica workerpool0-0 was preempted.'),
    says: /^Google took the spot machine back more often than it restarts a job\./,
    fix: /Try again without `spot`, in another region, or later\.$/,
  },
  {
    reason: 'start_timeout',
    name: 'a job that waits for its machine for too long',
    inputs: { start_timeout: '1s' },
    program: waits,
    intercept: staysQueued,
    says: /^The job was still waiting for a machine when its start timeout was over/,
    fix: /quota/,
  },
  {
    reason: 'internal',
    name: 'a mistake of Google',
    program: 'raise SystemExit(1)',
    // @see https://cloud.google.com/vertex-ai/docs/training/monitor-debug-training-errors
    intercept: endedWith('Internal error occurred for the current attempt.'),
    says: /^Vertex AI says: Internal error occurred for the current attempt\./,
    fix: /Try again; if it happens twice, look at the job's log\.$/,
  },
];

const failures = [...ownFailures, ...refusals, ...endings];
/** Only the App asks again whether a repository is still allowed. */
const reasonsOfTheAppAlone: readonly EndReason[] = ['no_longer_allowed'];

let sandbox: TemporarySandbox;
let steps: Steps;
let results: ReadonlyMap<Failure, Promise<StepResult>>;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  steps = stepsAt(sandbox);
  const { code, outputs } = await steps.run({ command: 'build' });
  expect(code).toBe(0);
  const few = createPool(3);
  results = new Map(
    failures.map((failure) => {
      const result = few(() => runStep(failure, outputs['image'] ?? ''));
      // Whichever test waits for it hears of it.
      result.catch(() => undefined);
      return [failure, result];
    }),
  );
});
afterAll(async () => {
  await Promise.allSettled(results.values());
  await sandbox.close();
});

async function runStep(failure: Failure, image: string): Promise<StepResult> {
  const { inputs = {}, options = {}, program, intercept } = failure;
  const all = {
    ...(options.files === undefined ? { image } : {}),
    ...(program === undefined ? {} : { command_override: `python -u -c '${program}'` }),
    ...inputs,
  };
  if (intercept === undefined) return steps.run(all, options);
  const { endpoint: target } = sandbox.description.google;
  const proxy = await startInterceptingProxy(target, intercept);
  const env = { TRAINYARD_GOOGLE_ENDPOINT: proxy.endpoint };
  try {
    return await steps.run(all, { ...options, env });
  } finally {
    await proxy.close();
  }
}

/** A line of Markdown without its signs, escapes and what keeps it from being a link or a mention. */
function plainText(markdown: string): string {
  return markdown.replaceAll(/\*\*|`|\u200b|\\(?=[!-/:-@[-`{-~])/g, '');
}

/** Asked of the sandbox itself, and not of who stands in front of it. */
async function expectNothingRunning(runId: string): Promise<void> {
  const ofRun = await eventually('its job to end', async () => {
    const jobs = (await steps.jobs()).filter(({ labels }) => labels?.['trainyard-run'] === runId);
    return jobs.some(({ state }) => state === 'JOB_STATE_CANCELLING') ? undefined : jobs;
  });
  expect(ofRun.length).toBeLessThanOrEqual(1);
  for (const { state } of ofRun) expect(state).toMatch(/^JOB_STATE_(?:FAILED|CANCELLED)$/);
  const builds = await steps.builds();
  const built = builds.filter(({ tags }) => tags?.includes(`trainyard-run-${runId}`));
  for (const { status } of built) expect(status).toMatch(/^(?:SUCCESS|FAILURE|TIMEOUT)$/);
}

describe('a step that fails', () => {
  it('is here for each reason that it can have', () => {
    const reasons = new Set(failures.map(({ reason }) => reason));
    expect([...reasons, ...reasonsOfTheAppAlone].sort()).toEqual([...endReasons].sort());
  });

  it.each(failures)('$reason: $name', async (failure) => {
    const { reason, says, fix, tail = '' } = failure;
    const step = await results.get(failure)!;
    const state = reason === 'cancelled' ? 'cancelled' : 'failed';
    expect(step).toMatchObject({ code: 1, outputs: { state, reason, metrics: '{}' } });
    const { run_id: runId = '' } = step.outputs;
    expect(runId).toMatch(/^[a-z2-7]{8}$/);

    const annotations = commandsIn(step.output).filter((line) => line.startsWith('error '));
    expect(annotations).toHaveLength(1);
    const [answer = '', ...lastLines] = annotations[0]!.slice('error '.length).split('%0A');
    expect(answer).toMatch(says);
    expect(answer).toMatch(fix);
    if (tail !== '') expect(lastLines).toContainEqual(expect.stringContaining(tail));

    // The log's last line is the answer, and the summary's first.
    const last = lines(step.output).at(-1) ?? '';
    const verb = state === 'cancelled' ? 'Cancelled' : 'Failed';
    expect(last).toMatch(new RegExp(`^${verb} ${step.sha.slice(0, 7)} after \\d`));
    expect(plainText(lines(step.summary)[1] ?? '')).toBe(last);
    expect(step.summary).toContain(tail);

    await expectNothingRunning(runId);
    expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
  });
});
