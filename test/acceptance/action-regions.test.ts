/** The shipped bundle where the first region has no machine: the job runs in the next one, to its end. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { lines, stepsAt, type Steps } from './action-step.ts';
import { startInterceptingProxy } from './intercepting-proxy.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

let sandbox: TemporarySandbox;
let steps: Steps;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  steps = stepsAt(sandbox);
  const created = await fetch(
    `${sandbox.description.google.endpoint}/storage/v1/b?project=demo-project`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'eu-results', location: 'EUROPE-WEST4' }),
    },
  );
  expect(created.status).toBe(200);
});
afterAll(() => sandbox.close());

/** As Vertex AI words them. @see https://cloud.google.com/vertex-ai/docs/general/troubleshooting */
const refusals: readonly (readonly [what: string, status: number, rpc: string, text: string])[] = [
  [
    'quota',
    429,
    'RESOURCE_EXHAUSTED',
    'The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_nvidia_t4_gpus',
  ],
  [
    'stockout',
    429,
    'RESOURCE_EXHAUSTED',
    'Resources are insufficient in region: us-central1. Please try a different region. If you use K80, please consider using P100 or V100 instead.',
  ],
];

describe('regions', () => {
  it.each(refusals)(
    'go on in the second one where the first refuses for %s',
    async (_what, status, rpc, message) => {
      const before = await steps.inventory();
      const { endpoint: target } = sandbox.description.google;
      const creates = /^\/v1\/projects\/[^/]+\/locations\/us-central1\/customJobs$/;
      const proxy = await startInterceptingProxy(target, (method, path) =>
        method === 'POST' && creates.test(path)
          ? { status, json: { error: { code: status, message, status: rpc } } }
          : undefined,
      );
      try {
        const step = await steps.run(
          { regions: 'us-central1, europe-west4=eu-results', args: '--epochs 2' },
          { env: { TRAINYARD_GOOGLE_ENDPOINT: proxy.endpoint } },
        );
        expect(step).toMatchObject({
          code: 0,
          outputs: { state: 'succeeded', reason: '', region: 'europe-west4' },
        });
        const { outputs, output } = step;
        expect(outputs['job']).toMatch(/\/locations\/europe-west4\/customJobs\/\d+$/);
        expect(outputs['job_url']).toContain('/locations/europe-west4/');
        expect(outputs['output_directory']).toMatch(/^gs:\/\/eu-results\//);
        // The image stays where it was built, and its results are found where the job ran.
        expect(outputs['image']).toMatch(/^us-central1-docker\.pkg\.dev\//);
        const metrics = JSON.parse(outputs['metrics'] ?? '') as Record<string, number>;
        expect(metrics['val_accuracy']).toBeGreaterThan(0.5);
        expect(output).toMatch(/^Attempt 1 in us-central1 ended: \S/m);
        expect(output).toMatch(/^Trying again in europe-west4; it starts over/m);
        expect(lines(output).at(-1)).toMatch(/^Trained /);
        expect(step.summary).toMatch(/attempt 1 in `us-central1`/);
        // Asked once, refused once, launched once.
        expect(proxy.refused).toHaveLength(1);
        const job = await steps.ask(`/v1/${outputs['job'] ?? ''}`);
        expect(job).toMatchObject({
          state: 'JOB_STATE_SUCCEEDED',
          labels: { 'trainyard-run': outputs['run_id'], 'trainyard-attempt': '2' },
          jobSpec: { baseOutputDirectory: { outputUriPrefix: outputs['output_directory'] } },
        });
        expect((await steps.inventory()).jobs).toBe(before.jobs);
        expect(await steps.post(step)).toMatchObject({ code: 0, output: '' });
      } finally {
        await proxy.close();
      }
    },
  );
});
