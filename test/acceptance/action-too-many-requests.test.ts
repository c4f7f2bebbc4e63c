/** The shipped bundle where Google has had too many requests in the minute: it waits as it is told, and buys once. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { lines, stepsAt } from './action-step.ts';
import * as google from './google-refusals.ts';
import { startInterceptingProxy } from './intercepting-proxy.ts';
import { startTemporarySandbox, type TemporarySandbox } from './temporary-sandbox.ts';

let sandbox: TemporarySandbox;

beforeAll(async () => {
  sandbox = await startTemporarySandbox();
});
afterAll(() => sandbox.close());

it('asks again for build and job, and says what it waits for', async () => {
  const left = { builds: 2, jobs: 1 };
  const askedAt: number[] = [];
  const proxy = await startInterceptingProxy(
    sandbox.description.google.endpoint,
    (method, path) => {
      const isBuild = google.createBuild(method, path);
      if (!isBuild && !google.createJob(method, path)) return undefined;
      askedAt.push(Date.now());
      const what = isBuild ? 'builds' : 'jobs';
      left[what] -= 1;
      if (left[what] < 0) return undefined;
      return isBuild ? google.tooManyBuilds : google.tooManyJobs;
    },
  );
  try {
    const step = await stepsAt(sandbox).run(
      { args: '--epochs 2' },
      { env: { TRAINYARD_GOOGLE_ENDPOINT: proxy.endpoint } },
    );
    expect(step).toMatchObject({ code: 0, outputs: { state: 'succeeded', reason: '' } });
    const waits = lines(step.output).filter((line) =>
      line.startsWith('Google has had too many requests: asking for the '),
    );
    expect(waits).toEqual([
      expect.stringMatching(/ build again at [\d:]{8} UTC \(Quota exceeded .* per minute/),
      expect.stringMatching(/ build again at /),
      expect.stringMatching(/ job again at [\d:]{8} UTC \(Quota exceeded .* per minute/),
    ]);
    expect(askedAt).toHaveLength(5);
    for (const [refused, again] of [
      [0, 1],
      [1, 2],
      [3, 4],
    ] as const) {
      expect((askedAt[again] ?? 0) - (askedAt[refused] ?? 0)).toBeGreaterThanOrEqual(2_000);
    }
    expect(step.output).not.toContain('No answer came');
  } finally {
    await proxy.close();
  }
});
