/** The committed bundle itself, run as a child process the way a runner runs it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { outputDefinitions } from '../../action/outputs.ts';
import { hostileLine, startFakeGoogle, type Behaviour, type FakeGoogle } from './fake-google.ts';
import { jobConfig, makeWorkspace, runBundle } from './run-bundle.ts';

let workspace: ReturnType<typeof makeWorkspace>;
let google: FakeGoogle | undefined;

beforeAll(() => {
  workspace = makeWorkspace({
    Dockerfile: 'FROM python:3.12\n',
    'config_cpu.yaml': jobConfig,
    'broken.yaml': 'workerPoolSpecs:\n  - machineSpec: {machineTyp: n1-standard-4}\n',
  });
});
afterAll(() => workspace.dispose());
afterEach(async () => {
  await google?.close();
  google = undefined;
});

async function step(behaviour: Behaviour): Promise<Record<string, string>> {
  google = await startFakeGoogle(behaviour);
  return {
    GITHUB_WORKSPACE: workspace.path,
    INPUT_PROJECT_ID: 'demo-project',
    TRAINYARD_GOOGLE_ENDPOINT: google.endpoint,
  };
}

describe('dist/index.js', () => {
  it('names every input that is wrong, and sets every output all the same', async () => {
    const result = await runBundle({ INPUT_REGION: 'nowhere', INPUT_COMMAND: 'trian' });
    expect(result.code).toBe(1);
    expect(result.output).toContain('::error::`project_id` is required');
    expect(result.output).toContain(
      '::error::`command` does not know "trian"; did you mean train.',
    );
    expect(result.output).toContain('::error::`region` must be a region');
    expect(Object.keys(result.outputs)).toEqual(
      expect.arrayContaining(Object.keys(outputDefinitions)),
    );
    expect(result.outputs).toMatchObject({ state: 'refused', reason: 'bad_argument', job: '' });
  });

  it('prints the plan of a dry run and asks nobody anything', async () => {
    const env = await step({ job: 'succeeds' });
    const result = await runBundle({ ...env, INPUT_DRY_RUN: 'true', INPUT_GPU: 'T4' });
    expect(result.output).toContain('n1-standard-4 with 1 × T4');
    expect(result).toMatchObject({ code: 0, outputs: { state: 'planned', region: 'us-central1' } });
    expect(result.summary).toContain('n1-standard-4');
    expect(google!.requests).toHaveLength(0);
  });

  it('builds, launches, follows, and reports', async () => {
    const env = await step({ job: 'succeeds' });
    const result = await runBundle(env);
    expect(result.output).toContain('nothing to Google Cloud');
    expect(result.output).toContain('epoch=2 loss=0.25');
    expect(result).toMatchObject({
      code: 0,
      outputs: {
        state: 'succeeded',
        reason: '',
        image_digest: `sha256:${'ab'.repeat(32)}`,
        job: 'projects/123456789012/locations/us-central1/customJobs/4242',
        job_url:
          'https://console.cloud.google.com/ai/platform/locations/us-central1/training/4242?project=demo-project',
        region: 'us-central1',
      },
      state: { started: '' },
    });
    expect(result.outputs['image']).toMatch(/\/digits@sha256:/);
    expect(result.summary).not.toBe('');
    const created = google!.requests.find(
      ({ path, method }) => method === 'POST' && path.endsWith('/customJobs'),
    );
    expect(created!.body).toContain(result.outputs['image']);
  });

  it('lets no line of a log pass for a workflow command', async () => {
    const { output } = await runBundle(await step({ job: 'succeeds' }));
    const before = output.slice(0, output.indexOf(`\n${hostileLine}\n`));
    const token = /::stop-commands::(\S+)(?![^]*::stop-commands::)/.exec(before)?.[1];
    expect(token).toBeDefined();
    expect(before.slice(before.lastIndexOf('::stop-commands::'))).not.toContain(`::${token!}::\n`);
    expect(output).toContain(`::${token!}::`);
  });

  it('fails with one clear sentence when the training program fails', async () => {
    const result = await runBundle(await step({ job: 'fails' }));
    expect(result).toMatchObject({
      code: 1,
      outputs: { state: 'failed', reason: 'user_code_exit' },
    });
    expect(result.output.match(/^::error::/gm)).toHaveLength(2);
    expect(result.output).toMatch(/^::error::.*3/m);
  });

  it('builds only, when that is the command', async () => {
    const env = await step({ job: 'succeeds' });
    const result = await runBundle({ ...env, INPUT_COMMAND: 'build' });
    expect(result).toMatchObject({ code: 0, outputs: { state: 'succeeded', job: '' } });
    expect(result.outputs['image']).toMatch(/@sha256:/);
    expect(google!.asked().filter((line) => line.includes('customJobs'))).toEqual([]);
  });

  it('launches and leaves, when told not to wait', async () => {
    const env = await step({ job: 'runs on' });
    const result = await runBundle({ ...env, INPUT_WAIT: 'false' });
    expect(result).toMatchObject({
      code: 0,
      outputs: { state: 'running' },
      state: { started: '' },
    });
    expect(google!.asked().filter((line) => line.endsWith(':cancel'))).toEqual([]);
  });

  it('cancels the job when the workflow is cancelled', async () => {
    const env = await step({ job: 'runs on' });
    const result = await runBundle(env, { at: 'Job 4242: running', signal: 'SIGINT' });
    expect(result).toMatchObject({ code: 1, outputs: { state: 'cancelled', reason: 'cancelled' } });
    expect(google!.asked().filter((line) => line.endsWith('4242:cancel'))).not.toEqual([]);
  });

  it('cancels in the post step what the main step could not', async () => {
    const env = await step({ job: 'runs on' });
    const started = {
      runId: 'abcd2345',
      project: 'demo-project',
      jobRegion: 'us-central1',
      job: 'projects/123456789012/locations/us-central1/customJobs/4242',
    };
    const result = await runBundle({
      ...env,
      STATE_main: 'true',
      STATE_started: JSON.stringify(started),
    });
    expect(result.code).toBe(0);
    expect(result.output).toContain('Cancelled job');
    expect(google!.asked()).toEqual([`POST /v1/${started.job}:cancel`]);
    const nothing = await runBundle({ ...env, STATE_main: 'true' });
    expect(nothing).toMatchObject({ code: 0, output: '' });
  });

  it('says that a bucket is missing', async () => {
    const result = await runBundle(await step({ job: 'succeeds', bucketMissing: true }));
    expect(result).toMatchObject({ code: 1, outputs: { state: 'failed' } });
    expect(result.output).toMatch(/^::error::.*bucket/m);
    expect(google!.asked().filter((line) => line.endsWith('/builds'))).toEqual([]);
  });

  it('points at the place where a config is wrong', async () => {
    const env = await step({ job: 'succeeds' });
    const result = await runBundle({ ...env, INPUT_CONFIG: 'broken.yaml' });
    expect(result).toMatchObject({ code: 1, outputs: { state: 'refused', reason: 'bad_config' } });
    expect(result.output).toMatch(/^::error::.*broken\.yaml.*machineType/m);
    expect(google!.requests).toHaveLength(0);
  });

  it.each(['http://192.168.0.1:80', 'https://127.0.0.1:1', 'http://127.0.0.1.evil.example:80'])(
    'refuses the endpoint %s',
    async (endpoint) => {
      const env = await step({ job: 'succeeds' });
      const result = await runBundle({ ...env, TRAINYARD_GOOGLE_ENDPOINT: endpoint });
      expect(result.code).toBe(1);
      expect(result.output).toContain('::error::TRAINYARD_GOOGLE_ENDPOINT must be');
      expect(google!.requests).toHaveLength(0);
    },
  );
});
