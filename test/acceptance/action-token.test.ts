/**
 * A follow by the shipped bundle that outlives its token, with nothing switched off: GitHub's token service,
 * Google's exchange, Google's host names and TLS, and a token that is refused once its time is up.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { commandsIn } from '../action/runner-log.ts';
import { stepsAt, type Steps } from './action-step.ts';
import { createForeignJob } from './foreign-job.ts';
import { eventually } from './github-user.ts';
import { startGoogleOverTls } from './google-over-tls.ts';
import { startInterceptingProxy, type JsonObject } from './intercepting-proxy.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

let sandbox: TemporarySandbox;
let steps: Steps;
let job = '';

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
  steps = stepsAt(sandbox);
  const { outputs } = await steps.run({ command: 'build' });
  job = await createForeignJob(sandbox, outputs['image'] ?? '', 'print("all is well")');
  await eventually('the job to end', async () => {
    const { endTime } = await steps.ask<{ endTime?: string }>(`/v1/${job}`);
    return endTime;
  });
});
afterAll(() => sandbox.close());

/** Runs until the third look, and has ended long ago then: what came after its end is there. */
function endsAtThirdLook() {
  let looks = 0;
  const change = ({ endTime, ...open }: JsonObject): JsonObject =>
    ++looks > 2
      ? { ...open, endTime: new Date(Date.parse(String(endTime)) - 60_000).toISOString() }
      : { ...open, state: 'JOB_STATE_RUNNING' };
  /** Whether the third look, or what comes after it, asks for that path. */
  const isReached = (path: string): boolean => looks > 2 || (looks === 2 && path === `/v1/${job}`);
  return { change, isReached };
}

const provider =
  'projects/123456789012/locations/global/workloadIdentityPools/github/providers/github';

describe('a follow', () => {
  // The first token is over at the third look, ten seconds after the second; a token is replaced a minute before
  // what its client was told is its end.
  it.each([
    { name: 'replaces its token in time', saidSeconds: 65, refusals: 0 },
    {
      name: 'replaces a token that is refused before its time',
      ...{ saidSeconds: 3_600, refusals: 1 },
    },
  ])('$name, and sees the job end', async ({ saidSeconds, refusals }) => {
    const { endpoint: target } = sandbox.description.google;
    const { change, isReached } = endsAtThirdLook();
    const proxy = await startInterceptingProxy(target, (method, path) =>
      method === 'GET' && path === `/v1/${job}` ? { change } : undefined,
    );
    const google = await startGoogleOverTls(proxy.endpoint, {
      ...{ saidSeconds, isOver: isReached },
    });
    try {
      const step = await steps.run(
        { command: 'follow', job, config: '', workload_identity_provider: provider },
        { env: { TRAINYARD_GOOGLE_ENDPOINT: '', ...google.env } },
      );
      expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded', reason: '' } });
      expect(step.output).toMatch(/^all is well$/m);
      const commands = commandsIn(step.output);
      expect(commands.filter((line) => /^(?:warning|error) /.test(line))).toEqual([]);
      // A new token of GitHub's each time, none of which is shown.
      expect(google.exchanged).toEqual(['github-token-1', 'github-token-2']);
      expect(commands).toContain('add-mask github-token-2');
      expect([...new Set(google.used)]).toEqual(['google-token-1', 'google-token-2']);
      expect(google.refusals()).toBe(refusals);
    } finally {
      await google.close();
      await proxy.close();
    }
  });
});
