/** A Google Cloud for tests: a fake executor and registry behind the real server, in a fresh directory. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  BuildExecution,
  BuildOutcome,
  JobExecution,
  JobOutcome,
} from '../../../sandbox/executor/executor.ts';
import { startGoogle, type GoogleOptions } from '../../../sandbox/google/server.ts';

export const project = 'demo-project';
export const projectNumber = '123456789012';
export const parent = `projects/${project}/locations/us-central1`;
export const image = `us-central1-docker.pkg.dev/${project}/trainyard/digits:v1`;
export const digest = `sha256:${'a'.repeat(64)}`;

export interface FakeExecutor {
  mode: string;
  run(job: JobExecution): Promise<JobOutcome>;
  build(build: BuildExecution): Promise<BuildOutcome>;
}

/** Ends well at once; tests replace what they are about. */
export function fakeExecutor(parts: Partial<FakeExecutor> = {}): FakeExecutor {
  return {
    mode: 'fake',
    run: (job) => {
      job.log('epoch=1 loss=0.5', 'stdout');
      job.log('a warning', 'stderr');
      return Promise.resolve({ exitCode: 0, signal: null });
    },
    build: (build) => {
      build.log('Step 1/1 : FROM scratch');
      return Promise.resolve({
        status: 'SUCCESS',
        images: build.images.map((name) => ({ name, digest })),
      });
    },
    ...parts,
  };
}

/** Resolves when the signal aborts: a job that never ends by itself. */
export function untilAborted(signal: AbortSignal): Promise<JobOutcome> {
  return new Promise((resolve) => {
    const end = (): void => resolve({ exitCode: null, signal: 'SIGTERM' });
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  });
}

export const fakeRegistry: GoogleOptions['registry'] = {
  getManifest: (name, reference) =>
    Promise.resolve(
      `${name}:${reference}` === image || reference === digest
        ? {
            digest,
            mediaType: 'application/vnd.oci.image.manifest.v1+json',
            bytes: Buffer.alloc(0),
          }
        : undefined,
    ),
  getBlob: () => Promise.resolve(undefined),
  listTags: () => Promise.resolve(['v1']),
  deleteTag: () => Promise.resolve(false),
  deleteImage: () => Promise.resolve(false),
  listImages: () =>
    Promise.resolve([
      {
        name: image.slice(0, image.lastIndexOf(':')),
        digest,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        tags: ['v1'],
        sizeBytes: 1234,
        uploadedAt: '2026-01-01T00:00:00.000Z',
        updatedAt: '2026-01-02T00:00:00.000Z',
      },
    ]),
};

export const fast = { jobQueuedMs: 5, jobPendingMs: 5, buildQueuedMs: 5 } as const;

export interface World {
  readonly endpoint: string;
  readonly port: number;
  readonly dataDir: string;
  call(
    verb: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** Closes the server and starts another one on the same directory. */
  restart(options?: Partial<GoogleOptions>): Promise<World>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly text: string;
  readonly headers: Headers;
}

export async function startWorld(options: Partial<GoogleOptions> = {}): Promise<World> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'sandbox-google-')));
  const google = await startGoogle({
    dataDir,
    port: 0,
    project,
    projectNumber,
    executor: fakeExecutor(),
    registry: fakeRegistry,
    realistic: false,
    ...options,
    lags: { ...(options.realistic === true ? {} : fast), ...options.lags },
  });
  return {
    endpoint: google.endpoint,
    port: Number(new URL(google.endpoint).port),
    dataDir,
    call: (verb, path, body, headers) => call(google.endpoint, verb, path, body, headers),
    restart: async (changed) => {
      await google.close();
      return startWorld({ ...options, ...changed, dataDir });
    },
    close: async () => {
      await google.close();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function call(
  endpoint: string,
  verb: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const raw = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(endpoint + path, {
    method: verb,
    headers: {
      ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    redirect: 'manual',
  });
  const text = await response.text();
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  return {
    status: response.status,
    body: isJson ? (JSON.parse(text) as unknown) : undefined,
    text,
    headers: response.headers,
  };
}

/** Asks again until the answer is what the caller waits for; fails loudly when it never comes. */
export async function until<T>(ask: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const value = await ask();
    if (good(value)) return value;
    if (Date.now() > deadline) throw new Error(`waited too long; last: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function jobOf(changes: object = {}, spec: object = {}, container: object = {}): object {
  return {
    displayName: 'digits',
    jobSpec: {
      workerPoolSpecs: [
        {
          machineSpec: { machineType: 'n1-standard-4' },
          replicaCount: '1',
          containerSpec: { imageUri: image, ...container },
        },
      ],
      ...spec,
    },
    ...changes,
  };
}
