/**
 * One container of a job as a child process. In: a `JobExecution` and an empty scratch directory. Out: a
 * `JobOutcome`. The image is unpacked afresh for every run, so nothing of one job reaches the next but
 * through the buckets.
 */
import { chmod, mkdir, realpath, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Registry } from '../registry/registry.ts';
import { ArchiveError } from './archive-entry.ts';
import { runChild, type ChildOutcome } from './child.ts';
import type { JobExecution, JobOutcome } from './executor.ts';
import type { RunConfig } from './image-config.ts';
import { partsOf, PathError, resolveInside } from './inside-root.ts';
import type { Interpreter } from './interpreter.ts';
import {
  launchIsolated,
  launchPlain,
  renderEnvironment,
  renderWrapper,
  type Launch,
} from './launch-scripts.ts';
import type { Limits } from './limits.ts';
import { limitMemory } from './memory-limit.ts';
import { launchDirectory, planMounts } from './mount-plan.ts';
import { pullImage } from './pull-image.ts';
import { RegistryError } from '../registry/registry-error.ts';

interface JobHost {
  readonly registry: Registry;
  readonly interpreter: Interpreter | undefined;
  /** Arguments for `unshare`, or undefined for a job that shares the host's file system. */
  readonly unshare: readonly string[] | undefined;
  readonly graceMs: number;
  readonly limits: Limits;
  /** The processes of which all that runs now descends. */
  readonly launchers: Set<number>;
}

/** Where everything of one run lies; the caller removes it. */
interface Scratch {
  readonly rootfs: string;
  readonly launch: string;
  readonly temporary: string;
  readonly buckets: string;
  /** Empty; becomes the isolated job's root. */
  readonly root: string;
}

const ofComputer =
  'Its machine type has more: that is what this computer could spare. Close other programs, or train on less.';

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export async function runJob(
  job: JobExecution,
  directory: string,
  host: JobHost,
): Promise<JobOutcome> {
  const scratch = await prepare(directory);
  try {
    const config = await pullImage(host.registry, job.image, scratch.rootfs, job.signal);
    if (config === undefined) {
      return neverStarted('image_not_found', `Image ${job.image} not found.`);
    }
    const program = programOf(job, config);
    if (program.length === 0) {
      return neverStarted('entrypoint_not_found', 'No command specified.');
    }
    await mkdir(await resolveInside(scratch.rootfs, config.workingDir), { recursive: true });
    const launch = await prepareLaunch(job, config, program, scratch, host);
    const memory = limitMemory(job.machineMemoryBytes ?? Infinity, process.availableMemory());
    const outcome = await runChild(launch, {
      graceMs: host.graceMs,
      limits: host.limits,
      memoryBytes: memory.bytes,
      launchers: host.launchers,
      signal: job.signal,
      log: (line, stream) => job.log(line, stream),
    });
    if (outcome.breach !== undefined) {
      job.log(`The sandbox ended this container: ${outcome.breach.message}.`, 'stderr');
      if (outcome.breach.kind === 'memory' && memory.isOfComputer) job.log(ofComputer, 'stderr');
    }
    return outcomeOf(outcome, program);
  } catch (error) {
    if (job.signal.aborted) return { exitCode: null, signal: 'SIGTERM' };
    const isImageFault =
      error instanceof ArchiveError || error instanceof RegistryError || error instanceof PathError;
    if (!isImageFault) throw error;
    return neverStarted('internal', `Image ${job.image} cannot be unpacked: ${error.message}`);
  }
}

function outcomeOf(outcome: ChildOutcome, program: readonly string[]): JobOutcome {
  const { exitCode, signal, report, breach } = outcome;
  if (breach?.kind === 'memory') {
    return { exitCode, signal, error: { kind: 'out_of_memory', message: breach.message } };
  }
  if (report === 'missing') {
    const message = `exec: "${program[0] ?? ''}": executable file not found in $PATH`;
    return neverStarted('entrypoint_not_found', message);
  }
  // Stopped while it was being set up is still stopped.
  if (report === 'none' && signal === null) {
    return neverStarted('internal', `The job could not be set up: ${outcome.complaint}`);
  }
  return { exitCode, signal };
}

function neverStarted(kind: NonNullable<JobOutcome['error']>['kind'], message: string): JobOutcome {
  return { exitCode: null, signal: null, error: { kind, message } };
}

async function prepare(directory: string): Promise<Scratch> {
  const below = async (name: string): Promise<string> => {
    const path = join(directory, name);
    await mkdir(path);
    return path;
  };
  const temporary = await below('tmp');
  await chmod(temporary, 0o1777);
  return {
    rootfs: await below('image'),
    launch: await below('launch'),
    buckets: await below('gcs'),
    root: await below('root'),
    temporary,
  };
}

/** As Vertex AI has it: `command` replaces ENTRYPOINT and the image's CMD with it, `args` replaces CMD. */
function programOf(job: JobExecution, config: RunConfig): string[] {
  const entrypoint = job.command.length > 0 ? job.command : config.entrypoint;
  const fallback = job.command.length > 0 ? [] : config.cmd;
  return [...entrypoint, ...(job.args.length > 0 ? job.args : fallback)];
}

async function prepareLaunch(
  job: JobExecution,
  config: RunConfig,
  program: readonly string[],
  scratch: Scratch,
  host: JobHost,
): Promise<Launch> {
  const buckets = await checkedBuckets(job.mounts);
  const isIsolated = host.unshare !== undefined;
  if (config.user !== '') job.log(`USER ${config.user} has no effect here.`, 'stderr');
  const launchPath = isIsolated ? launchDirectory : scratch.launch;
  const environment = jobEnvironment(job, config, join(launchPath, 'bin'));
  if (host.unshare === undefined) environment['TRAINYARD_GCS_ROOT'] = scratch.buckets;
  await writeLaunchFiles(scratch.launch, environment, host.interpreter);
  if (host.unshare !== undefined) {
    const mounts = await planMounts({ ...scratch, buckets, interpreter: host.interpreter });
    return launchIsolated(scratch.root, {
      unshare: host.unshare,
      mounts,
      workingDir: config.workingDir,
      program,
      maxFileBytes: host.limits.fileBytes,
    });
  }
  job.log(
    'This machine does not let the sandbox isolate jobs: /gcs is at $TRAINYARD_GCS_ROOT, and the image’s files are where the job starts.',
    'stderr',
  );
  for (const [bucket, source] of Object.entries(buckets)) {
    await symlink(source, join(scratch.buckets, bucket));
  }
  const cwd = await resolveInside(scratch.rootfs, config.workingDir);
  const words = await Promise.all(program.map((word) => fromImage(word, scratch)));
  const environmentFile = join(scratch.launch, 'environment');
  return launchPlain(cwd, environmentFile, words, host.limits.fileBytes);
}

/** Without isolation an absolute path would mean the host's file: name the image's or the bucket's instead. */
async function fromImage(word: string, scratch: Scratch): Promise<string> {
  if (!word.startsWith('/') || word.includes('\0')) return word;
  const [top, ...rest] = partsOf(word);
  if (top === 'gcs') return join(scratch.buckets, ...rest);
  const path = await resolveInside(scratch.rootfs, word);
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return exists && path !== scratch.rootfs ? path : word;
}

async function checkedBuckets(
  mounts: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const checked: Record<string, string> = {};
  for (const [bucket, source] of Object.entries(mounts)) {
    if (!/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(bucket)) {
      throw new PathError(`not a bucket name: ${bucket}`);
    }
    checked[bucket] = await realpath(source);
  }
  return checked;
}

/** Nothing of the sandbox's own environment, and no HOME. */
function jobEnvironment(
  job: JobExecution,
  config: RunConfig,
  binDirectory: string,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of [...config.env, ...Object.entries(job.env)]) {
    // Vertex AI takes C identifiers only; an image's other names would not survive a shell.
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !value.includes('\0')) environment[name] = value;
    else job.log(`The environment variable ${JSON.stringify(name)} is left out.`, 'stderr');
  }
  environment['PATH'] = `${binDirectory}:${environment['PATH'] ?? defaultPath}`;
  return environment;
}

async function writeLaunchFiles(
  directory: string,
  environment: Readonly<Record<string, string>>,
  interpreter: Interpreter | undefined,
): Promise<void> {
  await writeFile(join(directory, 'environment'), renderEnvironment(environment), { mode: 0o600 });
  const bin = join(directory, 'bin');
  await mkdir(bin);
  if (interpreter === undefined) return;
  for (const name of ['python', 'python3']) {
    await writeFile(join(bin, name), renderWrapper(interpreter.executable), { mode: 0o755 });
  }
}
