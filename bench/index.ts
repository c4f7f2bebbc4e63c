/**
 * `npm run bench`: what the Action costs before it does anything. Prints the bundle's size, the time that a
 * dry run takes, and the time from the start of the process to its first request on the wire, each beside
 * an empty Node process on the same machine, so that numbers from different machines compare as ratios. Then
 * what packing and uploading takes, beside gcloud; with `--large` also the memory that 5 GB take.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchUpload } from './upload.ts';

const rounds = 7;
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

/** Milliseconds until the process has ended. */
async function timeEmptyNode(): Promise<number> {
  const startedAt = performance.now();
  await once(spawn(process.execPath, ['-e', '0'], { env: {} }), 'exit');
  return performance.now() - startedAt;
}

/** Milliseconds until a dry run has printed its plan and ended: the start-up without any client library. */
async function timeDryRun(env: Readonly<Record<string, string>>): Promise<number> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(dist, 'index.js')], {
    env: { ...env, INPUT_DRY_RUN: 'true' },
    stdio: 'ignore',
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`the dry run ended with ${String(code)}`);
  return performance.now() - startedAt;
}

/** Milliseconds until the bundle's first request arrives; the server then hangs up and it is ended. */
async function timeFirstRequest(env: Readonly<Record<string, string>>): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(dist, 'index.js')], {
    env: { ...env, TRAINYARD_GOOGLE_ENDPOINT: `http://127.0.0.1:${port}` },
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  const outcome = await Promise.race([once(server, 'request'), ended.then(() => undefined)]);
  const milliseconds = performance.now() - startedAt;
  child.kill('SIGKILL');
  await ended;
  server.closeAllConnections();
  server.close();
  if (outcome === undefined) throw new Error('the bundle ended without a request');
  return milliseconds;
}

async function median(measure: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) times.push(await measure());
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? NaN;
}

function bytesOf(directory: string): number {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((path) => statSync(join(directory, path)))
    .reduce((sum, info) => sum + (info.isFile() ? info.size : 0), 0);
}

const jobConfig = `workerPoolSpecs:
  machineSpec: { machineType: n1-standard-4 }
  replicaCount: 1
  containerSpec: { imageUri: $IMAGE }
`;

async function bench(): Promise<void> {
  const workspace = mkdtempSync(join(tmpdir(), 'trainyard-bench-'));
  try {
    writeFileSync(join(workspace, 'Dockerfile'), 'FROM scratch\n');
    writeFileSync(join(workspace, 'config_cpu.yaml'), jobConfig);
    const env = { INPUT_PROJECT_ID: 'demo-project', GITHUB_WORKSPACE: workspace };
    // A finished image needs no build, so its first request goes to Vertex AI and not to a bucket.
    const image = 'us-central1-docker.pkg.dev/demo-project/trainyard/digits:v1';
    const empty = await median(timeEmptyNode);
    const dryRun = await median(() => timeDryRun(env));
    const build = await median(() => timeFirstRequest(env));
    const job = await median(() => timeFirstRequest({ ...env, INPUT_IMAGE: image }));
    const line = (what: string, ms: number): string =>
      `${what.padEnd(34)}${ms.toFixed(0).padStart(6)} ms  ${(ms / empty).toFixed(1)} × an empty Node`;
    process.stdout.write(
      [
        `bundle size                       ${(bytesOf(dist) / 1e6).toFixed(2).padStart(6)} MB`,
        line('empty Node (reference)', empty),
        line('dry run, start to end', dryRun),
        line('first request, building an image', build),
        line('first request, launching a job', job),
        `medians of ${rounds}, Node ${process.version}`,
        '',
      ].join('\n'),
    );
  } finally {
    rmSync(workspace, { recursive: true, force: true });
  }
}

await bench();
const large = process.argv.includes('--large');
process.stdout.write(`${(await benchUpload({ large })).join('\n')}\n`);
