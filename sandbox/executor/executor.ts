/**
 * What a build or a job asks for, and how it ended: the port between the sandbox's Google Cloud and the
 * machine. In: a build's steps with their substitutions applied, or a job's container. Out: images in the
 * sandbox's registry, log lines, exit codes.
 *
 * `createExecutor` gives the implementation that needs nothing but the host (*process mode*): images are
 * really built and stored, and a container is a child process of an unpacked image.
 */
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Registry } from '../registry/registry.ts';
import { mayBeHeldBy, type Connection } from './connection-owner.ts';
import { findInterpreter } from './interpreter.ts';
import { probeIsolation } from './isolation.ts';
import { defaultLimits, type Limits } from './limits.ts';
import { runBuild } from './run-build.ts';
import { runJob } from './run-job.ts';

export interface Executor {
  /** How jobs are kept apart from the host, for people to read: `process (namespaces)` or `process (plain)`. */
  readonly mode: string;
  /** Never rejects for what the user did: a bad Dockerfile is an outcome. */
  build(build: BuildExecution): Promise<BuildOutcome>;
  /** Never rejects for what the user did: a missing image is an outcome. */
  run(job: JobExecution): Promise<JobOutcome>;
}

interface ProcessExecutor extends Executor {
  /**
   * Whether a running job is at the other end. Never where jobs are not isolated: there they can hide.
   */
  mayBeJob(connection: Connection): boolean;
}

/** One step of a build, in Cloud Build's own words. */
export interface BuildStep {
  readonly name: string;
  readonly entrypoint?: string;
  readonly args: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly dir?: string;
  readonly id?: string;
  readonly script?: string;
}

export interface BuildExecution {
  readonly id: string;
  /** The path of a `.tar.gz` or `.zip`. */
  readonly sourceArchive?: string;
  readonly steps: readonly BuildStep[];
  /** Pushed after the last step, as Cloud Build does with `images`. */
  readonly images: readonly string[];
  log(line: string): void;
  readonly signal: AbortSignal;
}

export interface BuildOutcome {
  readonly status: 'SUCCESS' | 'FAILURE' | 'CANCELLED';
  readonly images: readonly { readonly name: string; readonly digest: string }[];
  /** `type` is a value of Cloud Build's `FailureInfo.FailureType`, such as `USER_BUILD_STEP`. */
  readonly failure?: { readonly type: string; readonly detail: string };
  /** Index into `steps`. */
  readonly failedStep?: number;
}

export interface JobExecution {
  readonly id: string;
  /** `host/path@sha256:…` or `host/path[:tag]`. */
  readonly image: string;
  /** Replaces ENTRYPOINT when not empty. */
  readonly command: readonly string[];
  /** Replaces CMD when not empty. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Bucket name → the directory that the job sees as `/gcs/<bucket>`. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Of the machine that it asks for, where that is known. */
  readonly machineMemoryBytes?: number;
  /** Whole lines without their end, at most 64 KiB each. */
  log(line: string, stream: 'stdout' | 'stderr'): void;
  readonly signal: AbortSignal;
}

export interface JobOutcome {
  /** Null when a signal ended it, or when it never started. */
  readonly exitCode: number | null;
  /** Such as `SIGKILL`. */
  readonly signal: string | null;
  readonly error?: {
    readonly kind: 'image_not_found' | 'entrypoint_not_found' | 'out_of_memory' | 'internal';
    readonly message: string;
  };
}

interface ExecutorOptions {
  /** For scratch directories, which are emptied at the start. */
  readonly dataDir: string;
  readonly registry: Registry;
  /** How long a job may take to end itself after SIGTERM; default 10 s. */
  readonly graceMs?: number;
  /** Default: `namespaces` where the machine lets us, else `plain`. */
  readonly isolation?: 'namespaces' | 'plain';
  /** Instead of `defaultLimits`. */
  readonly limits?: Partial<Limits>;
}

const defaultGraceMs = 10_000;

/** Looks once at what this machine can do, and clears away what a killed sandbox left behind. */
export async function createExecutor(options: ExecutorOptions): Promise<ProcessExecutor> {
  const { dataDir, registry } = options;
  const scratch = join(dataDir, 'scratch');
  await removeTree(scratch);
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const interpreter = await findInterpreter();
  const unshare =
    options.isolation === 'plain' ? undefined : await probeIsolation(scratch, interpreter);
  if (options.isolation === 'namespaces' && unshare === undefined) {
    throw new Error('this machine does not let the sandbox use namespaces');
  }
  const graceMs = options.graceMs ?? defaultGraceMs;
  const limits = { ...defaultLimits, ...options.limits };
  const launchers = new Set<number>();
  const host = { registry, interpreter, unshare, graceMs, limits, launchers };
  return {
    mode: unshare === undefined ? 'process (plain)' : 'process (namespaces)',
    build: (build) => withScratch(scratch, (path) => runBuild(build, path, registry)),
    run: (job) => withScratch(scratch, (path) => runJob(job, path, host)),
    mayBeJob: (connection) => unshare !== undefined && mayBeHeldBy(launchers, connection),
  };
}

async function withScratch<T>(parent: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(parent, 'run-'));
  try {
    return await use(path);
  } finally {
    await removeTree(path);
  }
}

/** Removes a tree even where a job took its own permissions away. Links are removed, never followed. */
async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    await unlock(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function unlock(path: string): Promise<void> {
  await chmod(path, 0o700);
  for (const child of await readdir(path, { withFileTypes: true })) {
    if (child.isDirectory()) await unlock(join(path, child.name));
  }
}
