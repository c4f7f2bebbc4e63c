/**
 * The committed bundle, held to what it asks of Google request by request, and to what it does where there
 * is nothing to ask. What it does with a project is in test/acceptance/action.test.ts.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { outputDefinitions } from '../../action/outputs.ts';
import {
  googleError,
  startLocalService,
  type LocalService,
} from '../shared/google/local-service.ts';
import { jobConfig, makeWorkspace, runBundle } from './run-bundle.ts';

let workspace: ReturnType<typeof makeWorkspace>;
let google: LocalService;
let env: Record<string, string>;

beforeAll(() => {
  workspace = makeWorkspace({ Dockerfile: 'FROM python:3.12\n', 'config_cpu.yaml': jobConfig });
});
afterAll(() => workspace.dispose());
beforeEach(async () => {
  google = await startLocalService();
  env = {
    GITHUB_WORKSPACE: workspace.path,
    INPUT_PROJECT_ID: 'demo-project',
    TRAINYARD_GOOGLE_ENDPOINT: google.endpoint,
  };
});
afterEach(() => google.close());

function asked(): string[] {
  return google.requests.map(({ method, path }) => `${method} ${path}`);
}

describe('dist/index.js', () => {
  it('names every input that is wrong, and sets every output all the same', async () => {
    const result = await runBundle({ INPUT_REGION: 'nowhere', INPUT_COMMAND: 'trian' });
    expect(result.code).toBe(1);
    expect(result.output.match(/(?<=^::error::Not started: )`\w+`/gm)).toEqual([
      '`project_id`',
      '`region`',
      '`command`',
    ]);
    expect(Object.keys(result.outputs).sort()).toEqual(Object.keys(outputDefinitions).sort());
    expect(result.outputs).toMatchObject({ state: 'refused', reason: 'bad_argument', job: '' });
  });

  it('asks nobody anything in a dry run', async () => {
    const result = await runBundle({ ...env, INPUT_DRY_RUN: 'true', INPUT_GPU: 'T4' });
    expect(result).toMatchObject({ code: 0, outputs: { state: 'planned', region: 'us-central1' } });
    expect(asked()).toEqual([]);
  });

  it('does without a summary page and a state file, as when it is run by hand', async () => {
    const byHand = { GITHUB_STEP_SUMMARY: '', GITHUB_STATE: '', GITHUB_OUTPUT: '' };
    const result = await runBundle({ ...env, ...byHand, INPUT_DRY_RUN: 'true' });
    expect(result.code).toBe(0);
  });

  it('cancels in the post step what the main step could not, and asks nothing else', async () => {
    const job = 'projects/123456789012/locations/us-central1/customJobs/4242';
    const started = {
      runId: 'abcd2345',
      project: 'demo-project',
      jobRegion: 'us-central1',
      job,
    };
    google.behave(() => ({ json: {} }));
    const state = { STATE_main: 'true', STATE_started: JSON.stringify(started) };
    const result = await runBundle({ ...env, ...state });
    expect(result).toMatchObject({ code: 0, output: `Cancelled job ${job}\n` });
    expect(asked()).toEqual([`POST /v1/${job}:cancel`]);
    const nothing = await runBundle({ ...env, STATE_main: 'true' });
    expect(nothing).toMatchObject({ code: 0, output: '' });
  });

  it('fails in the post step when something may still be running', async () => {
    const started = {
      runId: 'abcd2345',
      project: 'demo-project',
      jobRegion: 'us-central1',
      job: 'projects/1/locations/us-central1/customJobs/4242',
    };
    google.behave(() => googleError(403, 'PERMISSION_DENIED', 'Not yours.'));
    const state = { STATE_main: 'true', STATE_started: JSON.stringify(started) };
    const result = await runBundle({ ...env, ...state });
    expect(result).toMatchObject({
      code: 1,
      output: '::error::Could not cancel the job: Not yours.\n',
    });
  });

  it('says that a bucket is missing, and builds nothing', async () => {
    google.behave(({ path }) =>
      path.startsWith('/upload/')
        ? googleError(404, 'notFound', 'The specified bucket does not exist.')
        : { json: {} },
    );
    const result = await runBundle(env);
    expect(result).toMatchObject({ code: 1, outputs: { state: 'failed' } });
    expect(result.output).toMatch(/^::error::.*bucket/m);
    expect(asked().filter((line) => /^POST .*\/(?:builds|customJobs)$/.test(line))).toEqual([]);
  });

  it("asks for the workflow's own token when it needs one, and hides it", async () => {
    google.behave(() => ({ json: { value: 'oidc-token' } }));
    const pool = 'projects/1/locations/global/workloadIdentityPools/github/providers/github';
    const result = await runBundle({
      ...{ INPUT_COMMAND: 'cancel', INPUT_PROJECT_ID: 'demo-project' },
      INPUT_JOB: 'projects/demo-project/locations/us-central1/customJobs/1',
      INPUT_WORKLOAD_IDENTITY_PROVIDER: pool,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${google.endpoint}/token?version=2`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
      // Google itself must not be asked.
      HTTPS_PROXY: 'http://127.0.0.1:1',
    });
    expect(asked()).toEqual(['GET /token']);
    expect(google.requests[0]!.query.get('audience')).toContain(pool);
    expect(result.output).toContain('::add-mask::oidc-token\n');
    expect(result).toMatchObject({ code: 1, outputs: { reason: 'permission_denied' } });
  });

  it.each(['http://192.168.0.1:80', 'https://127.0.0.1:1', 'http://127.0.0.1.evil.example:80'])(
    'refuses the endpoint %s',
    async (endpoint) => {
      const result = await runBundle({ ...env, TRAINYARD_GOOGLE_ENDPOINT: endpoint });
      expect(result).toMatchObject({ code: 1, outputs: { state: 'failed', reason: 'bad_config' } });
      expect(result.output).toMatch(/^::error::TRAINYARD_GOOGLE_ENDPOINT must be .*\n$/);
      expect(asked()).toEqual([]);
    },
  );
});
