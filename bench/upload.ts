/**
 * Packing and uploading a build context: 5,000 small files and 100 MB that do not compress, from the start of
 * the process to the request that creates the build, beside `gcloud builds submit` doing the same against the
 * same local Cloud Storage. And what memory it takes, for a small context and one of 5 GB.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startSandbox } from '../sandbox/start.ts';
import { findGcloud, gcloudEnvironment } from './gcloud.ts';
import { watch, type Reached, type Watcher } from './until-request.ts';

const bundle = join(dirname(fileURLToPath(import.meta.url)), '..', 'dist', 'index.js');
const rounds = 3;

function isCreateBuild(request: IncomingMessage): boolean {
  return request.method === 'POST' && /\/builds(\?|$)/.test(request.url ?? '');
}

function ours(watcher: Watcher, context: string): Promise<Reached> {
  const env = {
    PATH: process.env['PATH'] ?? '',
    INPUT_COMMAND: 'build',
    INPUT_PROJECT_ID: 'demo-project',
    GITHUB_WORKSPACE: context,
    TRAINYARD_GOOGLE_ENDPOINT: watcher.endpoint,
  };
  return watcher.time([process.execPath, bundle], { env, cwd: context }, isCreateBuild);
}

function gclouds(watcher: Watcher, gcloud: string, context: string): Promise<Reached> {
  const home = mkdtempSync(join(tmpdir(), 'trainyard-bench-gcloud-'));
  const env = gcloudEnvironment(home, watcher.endpoint);
  const image = 'us-central1-docker.pkg.dev/demo-project/trainyard/bench:v1';
  const command = [gcloud, 'builds', 'submit', '--async', `--tag=${image}`, context] as const;
  return watcher
    .time([...command], { env, cwd: context }, isCreateBuild)
    .finally(() => rmSync(home, { recursive: true, force: true }));
}

/** New content each time: a context that was uploaded before is not uploaded again. */
function writeContext(directory: string, smallFiles: number, bytes: number): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'Dockerfile'), 'FROM scratch\n');
  for (let at = 0; at < smallFiles; at++) {
    const folder = join(directory, `part-${at % 50}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, `${at}.py`),
      `value = ${at}  # ${randomBytes(64).toString('hex')}\n`,
    );
  }
  writeFileSync(join(directory, 'data.bin'), randomBytes(bytes));
}

function best(all: readonly Reached[]): Reached {
  return all.reduce((least, one) => (one.milliseconds < least.milliseconds ? one : least));
}

const mega = 1_000_000;

/** @returns lines to print */
export async function benchUpload(options: { readonly large: boolean }): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'trainyard-bench-'));
  const context = join(directory, 'context');
  const dataDir = join(directory, 'sandbox');
  const sandbox = await startSandbox({ dataDir, port: 0, app: false, realistic: false });
  const watcher = await watch(sandbox.description.google.endpoint);
  try {
    const lines = await compare(watcher, context);
    return options.large ? [...lines, ...(await memory(watcher, context))] : lines;
  } finally {
    watcher.close();
    await sandbox.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function compare(watcher: Watcher, context: string): Promise<string[]> {
  const gcloud = findGcloud();
  const own: Reached[] = [];
  const reference: Reached[] = [];
  for (let round = 0; round < rounds; round++) {
    writeContext(context, 5_000, 100 * mega);
    own.push(await ours(watcher, context));
    if (gcloud !== undefined) reference.push(await gclouds(watcher, gcloud, context));
  }
  const mine = best(own);
  const line = (what: string, { milliseconds, peakBytes }: Reached): string =>
    `${what.padEnd(34)}${milliseconds.toFixed(0).padStart(6)} ms  ${((peakBytes ?? NaN) / mega).toFixed(0)} MB at most`;
  const title = line('pack and upload 5,000 files, 100 MB', mine);
  if (gcloud === undefined) return [`${title}  (gcloud is not installed: no reference)`];
  const theirs = best(reference);
  const ratio = (mine.milliseconds / theirs.milliseconds).toFixed(2);
  return [line('gcloud builds submit (reference)', theirs), `${title}  ${ratio} × gcloud`];
}

async function memory(watcher: Watcher, context: string): Promise<string[]> {
  writeContext(context, 0, 5 * mega);
  const small = await ours(watcher, context);
  writeContext(context, 0, 5 * mega);
  // Holes read as zeros: the bytes are hashed and packed all the same.
  truncateSync(join(context, 'data.bin'), 5_000 * mega);
  const large = await ours(watcher, context);
  const more = ((large.peakBytes ?? NaN) - (small.peakBytes ?? NaN)) / mega;
  return [`memory for 5 GB beyond that for 5 MB  ${more.toFixed(0).padStart(3)} MB`];
}
