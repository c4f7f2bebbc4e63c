/** The Action's bundle as a runner runs it, against the sandbox: what it does, says, sets and leaves behind. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { outputDefinitions } from '../../action/outputs.ts';
import { commandsIn } from '../action/runner-log.ts';
import type { StepResult } from '../action/run-bundle.ts';
import { lines, stepsAt, type Inputs, type StepOptions, type Steps } from './action-step.ts';
import { eventually } from './github-user.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

let sandbox: TemporarySandbox;
let steps: Steps;

async function start(realistic: boolean): Promise<void> {
  sandbox = await startTemporarySandbox({ realistic });
  steps = stepsAt(sandbox);
}

async function stop(): Promise<void> {
  await sandbox.close();
}

beforeAll(() => start(false));
afterAll(stop);

/** The summary's first line as plain text: its words without Markdown's signs. */
function answerIn(summary: string): string {
  expect(summary).toMatch(/^### Trainyard\n\n/);
  return lines(summary)[1]!.replaceAll(/\*\*|`/g, '');
}

describe('command: train', () => {
  let first: StepResult;
  beforeAll(async () => {
    first = await steps.run({ command: 'train', config: 'config_gpu.yaml' });
  });

  it('succeeds and sets every output', () => {
    expect(first.code).toBe(0);
    expect(Object.keys(first.outputs).sort()).toEqual(Object.keys(outputDefinitions).sort());
    // The first of main has nothing to be compared with.
    const { reason, baseline, change, ...others } = first.outputs;
    expect([reason, baseline, change]).toEqual(['', '', '']);
    expect(Object.entries(others).filter(([, value]) => value === '')).toEqual([]);
    expect(first.outputs).toMatchObject({ state: 'succeeded', region: 'us-central1' });
    const id = first.outputs['job']?.split('/').at(-1) ?? '';
    expect(first.outputs['job_url']).toBe(
      `https://console.cloud.google.com/ai/platform/locations/us-central1/training/${id}?project=demo-project`,
    );
  });

  it('really trained: the image is in the registry, the job has run it, the metrics are good', async () => {
    const { image = '', image_digest, job = '', build_id } = first.outputs;
    expect(image).toBe(
      `us-central1-docker.pkg.dev/demo-project/trainyard/digits@${String(image_digest)}`,
    );
    expect(await steps.hasImage(image)).toBe(true);
    expect(await steps.ask(`/v1/${job}`)).toMatchObject({
      state: 'JOB_STATE_SUCCEEDED',
      labels: { 'trainyard-run': first.outputs['run_id'], 'trainyard-owner': 'workflow' },
      jobSpec: {
        workerPoolSpecs: [
          {
            machineSpec: { machineType: 'n1-standard-8', acceleratorType: 'NVIDIA_TESLA_T4' },
            containerSpec: { imageUri: image },
          },
        ],
      },
    });
    expect(await steps.builds()).toMatchObject([{ id: build_id, status: 'SUCCESS' }]);
    const metrics = JSON.parse(first.outputs['metrics'] ?? '') as Record<string, number>;
    expect(metrics['val_accuracy']).toBeGreaterThan(0.93);
    expect(Number(first.outputs['duration_seconds'])).toBeGreaterThan(0);
    expect(Number(first.outputs['cost_usd'])).toBeGreaterThan(0);
  });

  it('tells the story in its log: plan, build, job, and the answer last', () => {
    const { output } = first;
    const commands = commandsIn(output);
    expect(commands[0]).toMatch(/^warning TRAINYARD_GOOGLE_ENDPOINT is set: everything goes to/);
    const titles = commands.slice(1).filter((command) => command !== 'endgroup');
    expect([...new Set(titles)]).toEqual(['group Build log', 'group Job log']);
    expect(commands.filter((command) => command === 'endgroup')).toHaveLength(titles.length);
    const story = [
      /^Job: acme\/digits [0-9a-f]{7} \w{8} on n1-standard-8 with 1 × T4, in us-central1$/m,
      /^Cost: about \$\d\.\d\d an hour, at most \$\d/m,
      /^Build \S+: queued/m,
      /^Step #0: Step 1\/7 : FROM python:3\.12-slim$/m,
      /^Build \S+: success$/m,
      /^Image: .*@sha256:/m,
      /^Job \d+: running$/m,
      /^training on 1438 digits/m,
      /^Job \d+: succeeded$/m,
    ];
    const places = story.map((line) => output.search(line));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
    // The job's own lines, each once and in order.
    const epochs = lines(output).flatMap((line) => /^epoch=(\d+)\/20 /.exec(line)?.[1] ?? []);
    expect(epochs.map(Number)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    expect(lines(output).at(-1)).toBe(answerIn(first.summary));
    expect(lines(output).at(-1)).toMatch(
      /^Trained [0-9a-f]{7}: val_accuracy 0\.9\d+ · [\dms ]+ · est\. (?:<\$0\.01|\$0\.\d\d)$/,
    );
    expect(lines(output).at(-1)).toContain(`Trained ${first.sha.slice(0, 7)}:`);
  });

  it('writes a summary with a table and a curve', () => {
    expect(first.summary).toMatch(/^\| val_accuracy \| \*\*0\.9\d+\*\* \|$/m);
    expect(first.summary).toContain('```mermaid');
    expect(first.summary).toMatch(/sandbox/);
  });

  it('leaves nothing to do for the post step', async () => {
    expect(await steps.post(first)).toMatchObject({ code: 0, output: '' });
    const job = await steps.ask(`/v1/${first.outputs['job'] ?? ''}`);
    expect(job).toMatchObject({ state: 'JOB_STATE_SUCCEEDED' });
  });

  it('does not build again what has not changed', async () => {
    const before = await steps.inventory();
    const again = await steps.run({ args: '--epochs 1' });
    expect(again).toMatchObject({
      code: 0,
      outputs: { image: first.outputs['image'], build_id: first.outputs['build_id'] },
    });
    expect(again.output).toMatch(/^epoch=1\/1 /m);
    const after = await steps.inventory();
    expect(after).toMatchObject({
      builds: before.builds,
      sources: before.sources,
      jobs: before.jobs + 1,
    });
  });

  it('launches and leaves with `wait: false`, and the post step leaves the job alone too', async () => {
    const step = await steps.run({ wait: 'false', args: '--epochs 1' });
    expect(step).toMatchObject({ code: 0, outputs: { state: 'running', metrics: '{}' } });
    expect(lines(step.output).at(-1)).toMatch(
      /^(?:Waiting for a machine to train|Training) [0-9a-f]{7}/,
    );
    expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
    const state = await eventually('the job to end', async () => {
      const job = await steps.ask<{ state: string }>(`/v1/${step.outputs['job'] ?? ''}`);
      return /QUEUED|PENDING|RUNNING/.test(job.state) ? undefined : job.state;
    });
    expect(state).toBe('JOB_STATE_SUCCEEDED');
  });

  it('prints the plan with `dry_run: true` and does nothing', async () => {
    const before = await steps.inventory();
    const step = await steps.run({ dry_run: 'true', gpu: 'T4:2' });
    expect(step).toMatchObject({ code: 0, outputs: { state: 'planned', job: '', image: '' } });
    expect(step.output).toContain('with 2 × T4');
    expect(step.summary).toMatch(/\$\d+\.\d\d/);
    expect(await steps.inventory()).toEqual(before);
  });
});

describe('command: build', () => {
  it('pushes the image and launches nothing', async () => {
    const before = await steps.jobs();
    const step = await steps.run({ command: 'build' }, { files: { 'train.py': 'print(1)\n' } });
    expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded', job: '' } });
    expect(await steps.hasImage(step.outputs['image'] ?? '')).toBe(true);
    expect(lines(step.output).at(-1)).toBe(answerIn(step.summary));
    expect(step.summary).toContain(`\`${step.outputs['image'] ?? ''}\``);
    expect(await steps.jobs()).toEqual(before);
  });
});

describe('a run that fails', () => {
  const python = (...text: string[]): StepOptions => ({
    files: { 'train.py': `${text.join('\n')}\n` },
  });
  const failures: {
    name: string;
    options: StepOptions;
    reason: string;
    annotation: RegExp;
    tail: string;
  }[] = [
    {
      name: 'an image that cannot be built',
      options: { files: { Dockerfile: 'FROM python:3.12-slim\nCOPY nowhere.txt /app/\n' } },
      reason: 'build_failed',
      annotation: /^`?Dockerfile:2`?: COPY failed: .*nowhere\.txt/,
      tail: 'Step 2/2 : COPY nowhere.txt /app/',
    },
    {
      name: 'a program that exits 3',
      options: python('print("epoch=1/9 loss=1")', 'print("about to fail")', 'raise SystemExit(3)'),
      reason: 'user_code_exit',
      annotation: /^The training code exited with status 3\./,
      tail: 'about to fail',
    },
    {
      name: 'a program that is killed',
      options: python('import os', 'print("hungry", flush=True)', 'os.kill(os.getpid(), 9)'),
      reason: 'out_of_memory',
      annotation: /^The training code was killed \(exit status 137\).*`machine_type: n1-highmem-8`/,
      tail: 'hungry',
    },
  ];

  it.each(failures)('$name', async ({ options, reason, annotation, tail }) => {
    const step = await steps.run({}, options);
    expect(step).toMatchObject({ code: 1, outputs: { state: 'failed', reason, metrics: '{}' } });
    const [, ...commands] = commandsIn(step.output);
    const errors = commands.filter((command) => command.startsWith('error '));
    expect(errors).toEqual([
      expect.stringMatching(new RegExp(annotation.source.replace('^', '^error '))),
    ]);
    expect(lines(step.output).at(-1)).toMatch(/^Failed [0-9a-f]{7} after [\dms ]+: /);
    expect(step.summary).toMatch(/^\*\*Failed\*\* `[0-9a-f]{7}` after/m);
    expect(step.summary).toContain(tail);
    expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
  });

  it('cannot make the runner obey what it prints or measures', async () => {
    const printed = [
      '::error::owned',
      '::add-mask::owned',
      '  ::set-output name=state::owned',
      '##[set-output name=state;]owned',
      '::stop-commands::owned',
      '::endgroup::',
    ];
    const program = [
      'import json, os, pathlib',
      ...printed.map((line) => `print("${line}", flush=True)`),
      'uri = os.environ["AIP_MODEL_DIR"]',
      'root = pathlib.Path(os.environ.get("TRAINYARD_GCS_ROOT") or "/gcs")',
      'path = root / uri[len("gs://"):]',
      'path.mkdir(parents=True, exist_ok=True)',
      'metrics = {"##[set-output name=state;]accuracy": 0.5, "::error::loss": 0.1}',
      '(path / "metrics.json").write_text(json.dumps(metrics))',
    ];
    const step = await steps.run({}, python(...program));
    expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded' } });
    for (const line of printed) expect(lines(step.output)).toContain(line);
    const own = /^(?:warning TRAINYARD_GOOGLE_ENDPOINT|group (?:Build|Job) log$|endgroup$)/;
    expect(commandsIn(step.output).filter((command) => !own.test(command))).toEqual([]);
  });
});

describe('what is refused costs nothing', () => {
  const refusals: {
    name: string;
    inputs: Inputs;
    options?: StepOptions;
    reason: string;
    says: RegExp[];
  }[] = [
    {
      name: 'a GPU that there is not',
      inputs: { gpu: 'T5' },
      reason: 'unknown_gpu',
      says: [/Did you mean `gpu: T4`\?/, /L4/, /A100/],
    },
    {
      name: 'a GPU that the machine cannot have',
      inputs: { gpu: 'L4', machine_type: 'n1-standard-8' },
      reason: 'machine_gpu_mismatch',
      says: [/g2-standard-8/],
    },
    {
      name: 'a number of GPUs that there is not',
      inputs: { gpu: 'T4:3' },
      reason: 'gpu_count_invalid',
      says: [/1, 2, 4/],
    },
    {
      name: 'a machine that there is not',
      inputs: { machine_type: 'n9-standard-4', gpu: 'none' },
      reason: 'unknown_machine',
      says: [/n1-standard-4/],
    },
    {
      name: 'more than it may cost',
      inputs: { gpu: 'A100:8', max_cost_usd: '0.1', timeout: '2h' },
      reason: 'over_ceiling',
      says: [/\$\d+\.\d\d/, /`max_cost_usd`/],
    },
    {
      name: 'a config that does not parse',
      inputs: {},
      options: { files: { 'config_gpu.yaml': 'workerPoolSpecs:\n  machineSpec: [\n' } },
      reason: 'bad_config',
      says: [/`config_gpu\.yaml:\d+:\d+`/],
    },
    {
      name: 'a config with a field that there is not',
      inputs: {},
      options: { files: { 'config_gpu.yaml': 'workerPoolSpecs:\n  machinSpec: {}\n' } },
      reason: 'bad_config',
      says: [/`config_gpu\.yaml:\d+:\d+`/, /machineSpec/],
    },
    {
      name: 'a config that is missing',
      inputs: { config: 'nowhere.yaml' },
      reason: 'no_config',
      says: [/`nowhere\.yaml`/, /`config`/],
    },
    {
      name: 'a Dockerfile that is missing',
      inputs: {},
      options: { files: { Dockerfile: null } },
      reason: 'no_dockerfile',
      says: [/`Dockerfile`/, /check the repository out/],
    },
    {
      name: 'a Dockerfile that is missing, for `command: build`',
      inputs: { command: 'build', dockerfile: 'docker/Dockerfile' },
      reason: 'no_dockerfile',
      says: [/`docker\/Dockerfile`/],
    },
    {
      name: 'inputs that make no sense',
      inputs: { command: 'trian', region: 'nowhere', timeout: '3', wait: 'maybe' },
      reason: 'bad_argument',
      says: [/`command`.*train/, /`region`/, /`timeout`.*90m/, /`wait`.*true or false/],
    },
  ];

  it.each(refusals)('$name', async ({ inputs, options, reason, says }) => {
    const before = await steps.inventory();
    const step = await steps.run(inputs, options);
    expect(step).toMatchObject({ code: 1, outputs: { state: 'refused', reason, run_id: '' } });
    const errors = lines(step.output).filter((line) => /^::error[ :]/.test(line));
    for (const text of says) expect(errors.join('\n')).toMatch(text);
    for (const error of errors) expect(error).toMatch(/::Not started: /);
    expect(lines(step.output).at(-1)).toBe(errors.at(-1));
    // It speaks of inputs, not of comments.
    expect(errors.join('\n')).not.toMatch(/\/train|comment again|`[a-z]+=/);
    expect(step.summary).toMatch(/^### Trainyard\n\n\*\*Not started\*\*: /);
    expect(await steps.inventory()).toEqual(before);
  });

  it('marks the place in the config that is wrong', async () => {
    const files = { 'config_gpu.yaml': 'workerPoolSpecs:\n  machineSpec: [\n' };
    const { output } = await steps.run({}, { files });
    const [, line, column] = /`config_gpu\.yaml:(\d+):(\d+)`/.exec(output) ?? [];
    expect(output).toContain(`::error file=config_gpu.yaml,line=${line},col=${column}::`);
  });
});

describe('without Google Cloud', () => {
  it('says in one sentence that there are no credentials', async () => {
    const before = await steps.inventory();
    const step = await steps.run({}, { env: { TRAINYARD_GOOGLE_ENDPOINT: '' } });
    expect(step).toMatchObject({ code: 1, outputs: { reason: 'permission_denied' } });
    expect(lines(step.output).filter((line) => line.startsWith('::'))).toEqual([
      expect.stringMatching(
        /^::error::No Google Cloud credentials were found\. .*google-github-actions\/auth before this step\.$/,
      ),
    ]);
    expect(step.output).not.toContain('Warning');
    expect(await steps.inventory()).toEqual(before);
  });
});

describe('with a Google Cloud that is slow, late and partial', () => {
  beforeAll(async () => {
    await stop();
    await start(true);
  });

  it('prints every line of the job, and why it failed', async () => {
    const program = [
      'for epoch in range(1, 13): print(f"epoch={epoch}/12 loss=0.1", flush=True)',
      'raise SystemExit("about to fail")',
    ];
    const step = await steps.run({}, { files: { 'train.py': `${program.join('\n')}\n` } });
    expect(step).toMatchObject({ code: 1, outputs: { reason: 'user_code_exit' } });
    // Whatever comes behind a later line is marked, and is there once.
    const own = lines(step.output).map((line) => line.replace(/^\(late\) /, ''));
    const epochs = own.flatMap((line) => /^epoch=(\d+)\/12 /.exec(line)?.[1] ?? []);
    const inOrder = Array.from({ length: 12 }, (_, i) => i + 1);
    expect(epochs.map(Number).sort((a, b) => a - b)).toEqual(inOrder);
    expect(own).toContain('about to fail');
    // The summary has the last lines by their time, however they came.
    const tail = [...step.summary.matchAll(/epoch=(\d+)\/12 /g)].map(([, epoch]) => Number(epoch));
    expect(tail).toEqual(inOrder);
    expect(step.summary.indexOf('about to fail')).toBeGreaterThan(
      step.summary.indexOf('epoch=12/12'),
    );
  });
});
