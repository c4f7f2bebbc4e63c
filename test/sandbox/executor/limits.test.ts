/** What a job cannot do to the machine that it runs on: the limits of a container, each broken on purpose. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createExecutor,
  type Executor,
  type JobExecution,
  type JobOutcome,
} from '../../../sandbox/executor/executor.ts';
import { findInterpreter } from '../../../sandbox/executor/interpreter.ts';
import { probeIsolation } from '../../../sandbox/executor/isolation.ts';
import type { Limits } from '../../../sandbox/executor/limits.ts';
import { openRegistry, type Registry } from '../../../sandbox/registry/registry.ts';
import { archive, filesOf } from './archives.ts';

const name = 'us-central1-docker.pkg.dev/demo-project/trainyard/limits';
const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const mebibyte = 1024 ** 2;

let directory: string;
let registry: Registry;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'limits-test-'));
  registry = await openRegistry({ dataDir: join(directory, 'registry') });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Ran {
  readonly outcome: JobOutcome;
  readonly lines: readonly string[];
  readonly bucket: string;
}

/** Runs a Python program in an image of its own. */
async function run(
  by: Executor,
  program: readonly string[],
  machine: Pick<JobExecution, 'machineMemoryBytes'> = {},
): Promise<Ran> {
  const layer = await registry.putBlob(await archive(filesOf({ 'main.py': program.join('\n') })));
  const config = await registry.putBlob(Buffer.from('{"config":{}}'));
  const manifest = {
    schemaVersion: 2,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer }],
  };
  await registry.putManifest(name, 'v1', Buffer.from(JSON.stringify(manifest)), manifestType);
  const bucket = await mkdtemp(join(directory, 'bucket-'));
  const lines: string[] = [];
  const outcome = await by.run({
    id: 'j1',
    image: `${name}:v1`,
    command: ['python3', '/main.py'],
    args: [],
    env: {},
    mounts: { bkt: bucket },
    ...machine,
    log: (line) => lines.push(line),
    signal: AbortSignal.timeout(150_000),
  });
  return { outcome, lines, bucket };
}

describe.each(['namespaces', 'plain'] as const)('a container (%s)', (isolation) => {
  /** Undefined where this machine cannot do it. */
  async function executorWith(limits: Partial<Limits>): Promise<Executor | undefined> {
    const dataDir = await mkdtemp(join(directory, 'executor-'));
    const can = isolation === 'plain' || (await probeIsolation(dataDir, await findInterpreter()));
    if (!can) console.warn(`skipped: no ${isolation} on this machine`);
    return can ? createExecutor({ dataDir, registry, isolation, limits }) : undefined;
  }
  const onLinux = process.platform === 'linux' ? it : it.skip;

  onLinux('ends when it has more processes than it may', async () => {
    const by = await executorWith({ processes: 40 });
    if (by === undefined) return;
    const { outcome, lines } = await run(by, [
      'import os, time',
      'for n in range(300):',
      '  if os.fork() == 0: time.sleep(600); os._exit(0)',
      '  time.sleep(0.01)',
      'time.sleep(600)',
    ]);
    expect(outcome).toEqual({ exitCode: null, signal: 'SIGKILL' });
    expect(lines.at(-1)).toMatch(
      /^The sandbox ended this container: it had \d+ processes, and may/,
    );
  });

  onLinux(
    'ends as out of memory when its processes together take more than its machine has',
    async () => {
      const by = await executorWith({});
      if (by === undefined) return;
      const program = [
        'import os, time',
        'os.fork(); os.fork()',
        'kept = bytearray(os.urandom(1)) * (60 * 1024 ** 2)',
        'time.sleep(600)',
      ];
      const machine = { machineMemoryBytes: 150 * mebibyte };
      const { outcome, lines } = await run(by, program, machine);
      expect(outcome).toMatchObject({ signal: 'SIGKILL', error: { kind: 'out_of_memory' } });
      expect(lines.at(-1)).toMatch(/it used \d+ MiB of memory, and may use 150 MiB/);
    },
  );

  it('writes no file larger than it may, not even one of holes', async () => {
    const by = await executorWith({ fileBytes: mebibyte });
    if (by === undefined) return;
    const { lines, outcome, bucket } = await run(by, [
      'import os',
      'path = os.environ.get("TRAINYARD_GCS_ROOT", "/gcs") + "/bkt/f"',
      'with open(path, "wb") as f:',
      '  for size in [1024 ** 2, 900 * 1024 ** 3]:',
      '    try: f.truncate(size); print("made")',
      '    except OSError as e: print(e.strerror)',
    ]);
    expect(lines.slice(-2)).toEqual(['made', 'File too large']);
    expect(outcome).toEqual({ exitCode: 0, signal: null });
    expect((await stat(join(bucket, 'f'))).size).toBe(mebibyte);
  });

  it.each([
    { limits: { logLines: 100 }, program: 'for n in range(300000): print(n)', kept: 100 },
    { limits: { logBytes: 5_000 }, program: 'for n in range(300000): print("x" * 99)', kept: 50 },
  ])('is cut short after $limits, and says so once', async ({ limits, program, kept }) => {
    const by = await executorWith(limits);
    if (by === undefined) return;
    const { outcome, lines } = await run(by, [program]);
    expect(outcome).toEqual({ exitCode: 0, signal: null });
    const own = lines.filter((line) => !line.startsWith('This machine does not'));
    expect(own).toHaveLength(kept + 1);
    expect(own.at(-1)).toMatch(/^The sandbox keeps no more of this output/);
  });
});
