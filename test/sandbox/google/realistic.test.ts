/** `--realistic`: what production does to its clients, with time in the test's hands. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { JobExecution, JobOutcome } from '../../../sandbox/executor/executor.ts';
import { realistic } from '../../../sandbox/google/options.ts';
import type { CustomJobSpec } from '../../../shared/config/job-spec.ts';
import { googlePorts } from '../../../shared/google/index.ts';
import { FakeClock } from './fake-clock.ts';
import {
  fakeExecutor,
  jobOf,
  parent,
  startWorld,
  until,
  untilAborted,
  type Answer,
  type World,
} from './world.ts';

let world: World;
let clock: FakeClock;
afterEach(() => world.close());

const jobs = `/v1/${parent}/customJobs`;

async function start(run?: (job: JobExecution) => Promise<JobOutcome>): Promise<void> {
  clock = new FakeClock();
  const executor = fakeExecutor(run === undefined ? {} : { run });
  world = await startWorld({ realistic: true, clock, executor });
}

/** Creates a job and lets the time pass that it waits. */
async function launch(job: object = jobOf()): Promise<string> {
  const { name } = (await world.call('POST', jobs, job)).body as { name: string };
  await clock.advance(realistic.jobQueuedMs);
  await clock.advance(realistic.jobPendingMs);
  return name;
}
const reach = (name: string, state: string): Promise<Answer> =>
  until(
    () => world.call('GET', `/v1/${name}`),
    ({ body }) => (body as { state: string }).state === state,
  );
const readLog = (filter = ''): Promise<Answer> =>
  world.call('POST', '/v2/entries:list', {
    resourceNames: ['projects/demo-project'],
    filter,
    pageSize: 1_000,
  });
const linesOf = ({ body }: Answer): string[] =>
  ((body as { entries?: { textPayload: string }[] }).entries ?? []).map(
    ({ textPayload }) => textPayload,
  );

describe("a job's error", () => {
  it('is set a while after its end, and is not lost by a restart', async () => {
    await start(() => Promise.resolve({ exitCode: 1, signal: null }));
    const name = await launch();
    const { body } = await reach(name, 'JOB_STATE_FAILED');
    expect(body).toMatchObject({ endTime: expect.any(String) });
    expect(body).not.toHaveProperty('error');
    expect(body).not.toHaveProperty('errorTime');
    clock.pass(realistic.jobErrorMs - 1);
    expect((await world.call('GET', `/v1/${name}`)).body).not.toHaveProperty('error');
    world = await world.restart();
    clock.pass(1);
    expect((await world.call('GET', `/v1/${name}`)).body).toMatchObject({ error: { code: 3 } });
  });
});

describe('a log', () => {
  const written = Array.from({ length: 100 }, (_, i) => `line ${i}`);

  it('comes late and out of order, and is complete in the end', async () => {
    await start((job) => {
      for (const line of written) job.log(line, 'stdout');
      return Promise.resolve({ exitCode: 0, signal: null });
    });
    await reach(await launch(), 'JOB_STATE_SUCCEEDED');
    const filter = 'resource.labels.task_name="workerpool0-0"';
    clock.pass(realistic.logMinMs - 1);
    expect(linesOf(await readLog(filter))).toEqual([]);
    clock.pass((realistic.logMaxMs - realistic.logMinMs) / 2);
    const early = linesOf(await readLog(filter));
    // Somewhere between none and all, and not simply the first of them.
    expect(early).not.toEqual(written.slice(0, early.length));
    clock.pass(realistic.logMaxMs);
    expect(linesOf(await readLog(filter))).toEqual(written);
  });

  it('is read sixty times a minute, empty pages included', async () => {
    await start();
    for (let i = 0; i < 60; i++) {
      expect((await readLog()).status).toBe(200);
      clock.pass(500);
    }
    const refused = await readLog();
    expect([refused.status, refused.body]).toEqual([
      429,
      {
        error: {
          code: 429,
          status: 'RESOURCE_EXHAUSTED',
          message: expect.stringContaining("'Read requests per minute'"),
          details: [
            expect.objectContaining({
              '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
              reason: 'RATE_LIMIT_EXCEEDED',
            }),
          ],
        },
      },
    ]);
    // The first read is a minute old.
    clock.pass(30_000);
    expect((await readLog()).status).toBe(200);
    expect((await readLog()).status).toBe(429);
  });
});

describe('creating jobs', () => {
  it('is done sixty times a minute in a region, and then refused as a rate', async () => {
    await start((job) => untilAborted(job.signal));
    const create = async (path = jobs) => (await world.call('POST', path, jobOf())).status;
    for (let i = 0; i < 60; i++) expect(await create()).toBe(200);
    const elsewhere = jobs.replace('us-central1', 'us-east1');
    expect([await create(), await create(elsewhere)]).toEqual([429, 200]);
    const google = googlePorts({ endpoint: world.endpoint });
    const asked = google.jobs.create({
      ...{ project: 'demo-project', region: 'us-central1', displayName: 'digits', labels: {} },
      spec: (jobOf() as { readonly jobSpec: CustomJobSpec }).jobSpec,
    });
    await expect(asked).rejects.toMatchObject({ status: 429, rateLimited: true, ambiguous: false });
    clock.pass(60_000);
    expect(await create()).toBe(200);
  });
});

describe('a list', () => {
  it('lags behind creates, get does not', async () => {
    await start((job) => untilAborted(job.signal));
    const builds = '/v1/projects/demo-project/locations/global/builds';
    const { name } = (await world.call('POST', jobs, jobOf())).body as { name: string };
    await world.call('POST', builds, { steps: [{ name: 'ubuntu' }] });
    const counts = async (): Promise<number[]> => {
      const bodies = [await world.call('GET', jobs), await world.call('GET', builds)];
      return bodies.map(
        ({ body }) => Object.values(body as Record<string, object[]>).flat().length,
      );
    };
    expect(await counts()).toEqual([0, 0]);
    expect((await world.call('GET', `/v1/${name}`)).status).toBe(200);
    clock.pass(realistic.listMs - 1);
    expect(await counts()).toEqual([0, 0]);
    clock.pass(1);
    expect(await counts()).toEqual([1, 1]);
  });
});

describe('a failed replica', () => {
  const scheduling = { disableRetries: true };
  it.each([
    ['a crash once', [139, 0], {}, 'JOB_STATE_SUCCEEDED', 2],
    ['an abort for ever', [134, 134, 134, 134, 134], {}, 'JOB_STATE_FAILED', 4],
    ['a crash without retries', [139, 0], { scheduling }, 'JOB_STATE_FAILED', 1],
    ['a mistake of the code', [1, 0], {}, 'JOB_STATE_FAILED', 1],
    ['too little memory', [137, 0], {}, 'JOB_STATE_FAILED', 1],
  ])('is started again or not: %s', async (_name, exitCodes, spec, state, attempts) => {
    const ids: string[] = [];
    await start((job) => {
      ids.push(job.id);
      return Promise.resolve({ exitCode: exitCodes[ids.length - 1] ?? 0, signal: null });
    });
    await reach(await launch(jobOf({}, spec)), state);
    expect(ids).toHaveLength(attempts);
    expect(new Set(ids).size).toBe(attempts);
    clock.pass(realistic.logMaxMs);
    const restarts = linesOf(await readLog('resource.labels.task_name="service"'));
    expect(restarts.filter((line) => line.includes('Restarting'))).toHaveLength(attempts - 1);
  });
});

// Only Linux tells who has a file open; elsewhere a file counts as closed when it has rested.
(process.platform === 'linux' ? describe : describe.skip)('a file on a mount', () => {
  it('is an object only when its writer has closed it', async () => {
    const mounted = Promise.withResolvers<string>();
    await start((job) => {
      mounted.resolve(job.mounts['demo']!);
      return untilAborted(job.signal);
    });
    await world.call('POST', '/storage/v1/b?project=demo-project', { name: 'demo' });
    await launch();
    const path = join(await mounted.promise, 'metrics.csv');
    const script = `
      const fs = require('node:fs');
      const file = fs.openSync(process.argv[1], 'w');
      fs.writeSync(file, 'epoch,loss\\n');
      fs.fsyncSync(file);
      console.log('written');
      process.stdin.once('data', () => { fs.closeSync(file); console.log('closed'); process.stdin.unref(); });
    `;
    const writer = spawn(process.execPath, ['-e', script, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const object = '/storage/v1/b/demo/o/metrics.csv';
    try {
      await once(writer.stdout, 'data');
      expect((await world.call('GET', object)).status).toBe(404);
      expect((await world.call('GET', '/storage/v1/b/demo/o')).body).not.toHaveProperty('items');
      writer.stdin.write('close\n');
      await once(writer.stdout, 'data');
      const { body } = await until(
        () => world.call('GET', object),
        ({ status }) => status === 200,
      );
      expect(body).toMatchObject({ size: '11' });
    } finally {
      writer.stdin.end();
      writer.kill();
    }
  });
});
