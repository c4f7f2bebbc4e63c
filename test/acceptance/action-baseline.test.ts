/** Workflow runs held against the default branch's newest, by the Action's bundle: as it should be, and when it cannot. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepResult } from '../action/run-bundle.ts';
import { lines, stepsAt, type Inputs, type Steps } from './action-step.ts';
import { createPool } from './few-at-once.ts';
import { createForeignJob } from './foreign-job.ts';
import { personAt } from './github-user.ts';
import {
  listJobs,
  mayNotListJobs,
  mayNotReadResults,
  readBaseResults,
  refuse,
} from './google-refusals.ts';
import { startInterceptingProxy, type Intercept } from './intercepting-proxy.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

let sandbox: TemporarySandbox;
let steps: Steps;
let base: StepResult;

const repository = { id: 1001, default_branch: 'main' };
const onMain = (inputs: Inputs): Promise<StepResult> =>
  steps.run({ args: '--epochs 2', ...inputs });

/** A workflow on the sandbox's pull request, by default with an epoch more than the base had. */
function onPullRequest(
  inputs: Inputs = {},
  env: Readonly<Record<string, string>> = {},
): Promise<StepResult> {
  const { github } = sandbox.description;
  return steps.run(
    { args: '--epochs 3', ...inputs },
    {
      env: {
        GITHUB_API_URL: github.api,
        GITHUB_EVENT_NAME: 'pull_request',
        GITHUB_EVENT_PATH: eventFile(),
        GITHUB_REF: `refs/pull/${github.pull}/merge`,
        ...env,
      },
    },
  );
}

const eventFile = (): string => join(sandbox.dataDir, 'event.json');

const accuracyOf = ({ outputs }: StepResult): number =>
  (JSON.parse(outputs['metrics'] ?? '') as { val_accuracy: number }).val_accuracy;
const lastLine = ({ output }: StepResult): string => lines(output).at(-1) ?? '';
/** `val_accuracy 0.9 (+0.004 against main)`, in a line that may have Markdown in it. */
const change = /val_accuracy \**0\.\d+\** \((?:same as|[+−]0\.\d+ against) main\)/;

/** What is in the results bucket under that name from now on. */
async function overwrite(object: string, text: string): Promise<void> {
  const { google } = sandbox.description;
  const bucket = `${google.project}-trainyard-results`;
  const query = `uploadType=media&name=${encodeURIComponent(object)}`;
  const answer = await fetch(`${google.endpoint}/upload/storage/v1/b/${bucket}/o?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: text,
  });
  expect(answer.status).toBe(200);
}

const directoryOf = ({ outputs }: StepResult): string =>
  (outputs['output_directory'] ?? '').replace(/^gs:\/\/[^/]+\//, '');

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  steps = stepsAt(sandbox);
  const { pull: number } = sandbox.description.github;
  const pull_request = { number, head: { repo: { id: repository.id } } };
  await writeFile(eventFile(), JSON.stringify({ repository, pull_request }));
  base = await onMain({});
  expect(base).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
});

afterAll(async () => {
  expect(sandbox.violations).toEqual([]);
  await sandbox.close();
});

describe('a run that is compared with the default branch', () => {
  it('is none when it is the first there', () => {
    expect(base.outputs).toMatchObject({ baseline: '', change: '' });
    expect(lastLine(base)).toMatch(/^Trained [0-9a-f]{7}: val_accuracy 0\.\d+ · /);
    expect(`${base.output}${base.summary}`).not.toMatch(/ompared? with/);
  });

  it('says so in its last line, its summary, its comment and its outputs', async () => {
    const token = { pr_comment: 'true', github_token: sandbox.description.github.tokens.writer };
    const step = await onPullRequest(token);
    expect(step.code).toBe(0);
    expect(lastLine(step)).toMatch(change);
    expect(step.summary).toMatch(change);
    const row = `| metric | main \`${base.sha.slice(0, 7)}\` | this | change |`;
    expect(step.summary).toContain(row);
    const card = (await personAt(sandbox).comments()).at(-1)?.body ?? '';
    expect(card).toMatch(change);
    expect(card).toContain(row);
    expect(JSON.parse(step.outputs['baseline'] ?? '')).toEqual({
      ...{ run_id: base.outputs['run_id'], sha: base.sha, branch: 'main' },
      metrics: JSON.parse(base.outputs['metrics'] ?? '') as unknown,
    });
    const [before, after] = [accuracyOf(base), accuracyOf(step)];
    const verdict = after === before ? 'same' : after > before ? 'better' : 'worse';
    expect(step.outputs['change']).toBe(verdict);
  });

  it('is judged by the metric that the workflow names', async () => {
    const step = await onPullRequest({ metric: 'loss', goal: 'maximize' });
    expect(lastLine(step)).toMatch(/: loss 0\.\d+ \(−0\.\d+ against main\)/);
    expect(step.outputs['change']).toBe('worse');
  });

  it('can be one that another step has left', async () => {
    const left = await onPullRequest({ wait: 'false' });
    expect(left.outputs).toMatchObject({ state: 'running', baseline: '' });
    const step = await onPullRequest({ command: 'follow', job: left.outputs['job'] ?? '' });
    expect(step.code).toBe(0);
    expect(lastLine(step)).toMatch(change);
    expect(step.outputs['baseline']).toContain(base.outputs['run_id']);
  });

  it('is compared with no file without its job, and no newer job of others or of something else', async () => {
    await Promise.all([
      overwrite('1001/base/aaaaaaaa/metrics.json', '{"val_accuracy": 0.1}'),
      plantJob({ 'trainyard-repository': '1002' }),
      plantJob({ 'trainyard-owner': 'app-42' }),
      plantJob({ 'trainyard-tier': 'pull' }),
      plantJob({ 'trainyard-sha': 'main' }),
      plantJob({ 'trainyard-compare-as': 'something-else' }),
    ]);
    const step = await onPullRequest();
    expect(step.outputs['baseline']).toContain(base.outputs['run_id']);
  });
});

/** A newer job with the base run's labels but for these, that has measured better. */
async function plantJob(labels: Readonly<Record<string, string>>): Promise<void> {
  const [, id] = /customJobs\/(\d+)$/.exec(base.outputs['job'] ?? '') ?? [];
  const genuine = (await steps.jobs()).find(({ name }) => name.endsWith(`/${id}`));
  const program = [
    'import os, pathlib',
    'directory = pathlib.Path(os.environ["AIP_MODEL_DIR"].replace("gs://", "/gcs/"))',
    'directory.mkdir(parents=True, exist_ok=True)',
    `(directory / "metrics.json").write_text('{"val_accuracy": 1}')`,
  ].join('\n');
  const job = await createForeignJob(
    sandbox,
    base.outputs['image'] ?? '',
    program,
    { ...genuine?.labels, 'trainyard-run': 'planted2', ...labels },
    `gs://${sandbox.description.google.project}-trainyard-results/1001/pull/${randomUUID()}/`,
  );
  const followed = await steps.run({ command: 'follow', job, config: '' });
  expect(followed.outputs['metrics']).toBe('{"val_accuracy":1}');
}

/** Everything goes there but what is intercepted. */
async function through(intercept: Intercept): Promise<StepResult> {
  const proxy = await startInterceptingProxy(sandbox.description.google.endpoint, intercept);
  try {
    return await onPullRequest({}, { TRAINYARD_GOOGLE_ENDPOINT: proxy.endpoint });
  } finally {
    await proxy.close();
  }
}

async function onDamagedBase(model: Inputs): Promise<StepResult> {
  const damaged = await onMain(model);
  await overwrite(`${directoryOf(damaged)}model/metrics.json`, '{"val_accuracy": 0.9');
  for (const curve of ['loss', 'accuracy', 'val_loss', 'val_accuracy'])
    await overwrite(`${directoryOf(damaged)}model/plots/metrics/${curve}.tsv`, '');
  return onPullRequest(model);
}

describe('a run that cannot be compared', () => {
  const few = createPool(3);
  const cases: readonly [string, () => Promise<StepResult>, RegExp][] = [
    [
      'there is no run of main that trained the same',
      () => onPullRequest({ compare_as: 'another-model' }),
      /^Nothing of main to compare with yet\. Train the same config after pushes to main/m,
    ],
    [
      'its account may not list jobs',
      () => through(refuse(listJobs, mayNotListJobs)),
      /^Not compared with main: Permission 'aiplatform\.customJobs\.list' denied.*roles\/aiplatform\.viewer/m,
    ],
    [
      "its account may not read the base's results",
      () => through(refuse(readBaseResults, mayNotReadResults)),
      /^Not compared with main: .*storage\.objects\.get.*roles\/storage\.objectViewer/m,
    ],
    [
      "the base's results are damaged",
      () => onDamagedBase({ compare_as: 'damaged' }),
      /^Not compared with main: its newest runs left no metrics that can be read\./m,
    ],
  ];
  let ran: ReadonlyMap<RegExp, Promise<StepResult>>;

  beforeAll(() => {
    ran = new Map(
      cases.map(([, run, sentence]) => {
        const result = few(run);
        // Whichever test waits for it hears of it.
        result.catch(() => undefined);
        return [sentence, result];
      }),
    );
  });

  it.each(cases)('succeeds, and says why: %s', async (_why, _run, sentence) => {
    const step = await ran.get(sentence);
    expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded', baseline: '' } });
    const { output = '', summary = '' } = step ?? {};
    expect(output).toMatch(sentence);
    expect(lines(output).at(-1)).toMatch(/^Trained [0-9a-f]{7}: val_accuracy 0\.\d+ · /);
    expect(lines(summary).at(-1)).toMatch(/ompared? with/);
    expect(output).not.toMatch(/^::(?:warning|error)::.*ompared/m);
  });
});

// Labels prove nothing about whoever may create jobs: the threat model says so.
it("a run is compared with any job that has a base run's labels", async () => {
  await plantJob({ 'trainyard-run': 'plantedx' });
  const step = await onPullRequest();
  expect(step.outputs['baseline']).toContain('"run_id":"plantedx"');
  expect(step.outputs['change']).toBe('worse');
});
