/**
 * Takes jobs through their states: a stored job in, the same job with its end out; what happens in between
 * is written down at each change.
 *
 * After a restart of the sandbox, jobs that had not begun go on; jobs that were running have lost their
 * worker and fail, rather than start twice beside a process that may
 * still be alive.
 */
import type { Executor, JobOutcome } from '../../executor/executor.ts';
import type { LogWriter } from '../logging/log-writer.ts';
import type { Lags } from '../options.ts';
import type { SandboxClock } from '../state/clock.ts';
import type { Documents } from '../state/documents.ts';
import type { Project } from '../state/project.ts';
import { Running } from '../state/running.ts';
import type { Identity, Tokens } from '../state/tokens.ts';
import type { RpcStatus } from '../wire/api-error.ts';
import { objectAt, textAt } from '../wire/json.ts';
import { replicasOf, type Replica } from './job-environment.ts';
import { endOfReplica, internalError, sandboxStopped, timedOut } from './job-errors.ts';
import { isOver, type JobRecord, type JobState } from './job-record.ts';
import { startMetadataServer } from './metadata-server.ts';

export interface JobPorts {
  readonly project: Project;
  readonly executor: Pick<Executor, 'run'>;
  readonly jobs: Documents<JobRecord>;
  readonly log: LogWriter;
  /** Bucket → directory, asked when a job starts. */
  readonly mounts: () => Readonly<Record<string, string>>;
  readonly tokens: Tokens;
  /** Where Google's APIs are for the job, once they can be reached. */
  readonly origin: Promise<string>;
  readonly clock: SandboxClock;
  readonly lags: Lags;
}

/** @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/CustomJobSpec#scheduling */
const defaultTimeoutSeconds = 7 * 24 * 3600;
/** Exit codes that production takes for a crash of the worker, not of the code. */
const restartedExitCodes: ReadonlySet<number> = new Set([6, 11, 134, 139]);

type Ending =
  | { readonly state: 'JOB_STATE_SUCCEEDED' }
  | { readonly state: 'JOB_STATE_FAILED' | 'JOB_STATE_CANCELLED'; readonly error: RpcStatus };

export class JobRunner {
  readonly #ports: JobPorts;
  readonly #running = new Running();

  constructor(ports: JobPorts) {
    this.#ports = ports;
  }

  /** After a restart: goes on with what had not begun, and ends what was cut off. */
  async resume(): Promise<void> {
    for (const job of this.#ports.jobs.values()) {
      if (isOver(job.state)) continue;
      if (job.state === 'JOB_STATE_QUEUED' || job.state === 'JOB_STATE_PENDING') this.start(job);
      else if (job.state === 'JOB_STATE_CANCELLING') await this.#end(job.name, cancelled);
      else await this.#end(job.name, { state: 'JOB_STATE_FAILED', error: sandboxStopped() });
    }
  }

  start(job: JobRecord): void {
    this.#running.start(job.name, (abort) =>
      this.#run(job.name, abort).catch(async (error: unknown) => {
        // A bug or a full disk: the job must not stay running for ever.
        this.#log(job, `The sandbox failed: ${String(error)}`);
        await this.#end(job.name, { state: 'JOB_STATE_FAILED', error: internalError() });
      }),
    );
  }

  /** Asks the job to end; it is CANCELLED when it has. */
  async cancel(job: JobRecord): Promise<void> {
    if (isOver(job.state) || job.state === 'JOB_STATE_CANCELLING') return;
    // Both before the first wait, so that the job cannot take another state in between.
    const written = this.#set(job.name, { state: 'JOB_STATE_CANCELLING' });
    void this.#running.cancel(job.name);
    await written;
  }

  /** Kills what runs, without writing an end: the next start finds it cut off. */
  close(): Promise<void> {
    return this.#running.close();
  }

  async #run(name: string, abort: AbortController): Promise<void> {
    const { clock, lags } = this.#ports;
    await clock.sleep(lags.jobQueuedMs, abort.signal);
    if (!(await this.#advance(name, abort, 'JOB_STATE_PENDING'))) return;
    await clock.sleep(lags.jobPendingMs, abort.signal);
    if (!(await this.#advance(name, abort, 'JOB_STATE_RUNNING'))) return;
    const ending = await this.#execute(name, abort);
    if (!this.#running.isClosing()) await this.#end(name, ending);
  }

  /** False when the job has been cancelled, or the sandbox is closing. */
  async #advance(name: string, abort: AbortController, state: JobState): Promise<boolean> {
    if (this.#running.isClosing()) return false;
    if (abort.signal.aborted) {
      await this.#end(name, cancelled);
      return false;
    }
    const startTime = this.#ports.clock.now().toISOString();
    await this.#set(name, state === 'JOB_STATE_RUNNING' ? { state, startTime } : { state });
    return true;
  }

  async #execute(name: string, abort: AbortController): Promise<Ending> {
    const job = this.#get(name);
    const { project, tokens, origin } = this.#ports;
    const replicas = replicasOf(job, project);
    const timeoutSeconds = timeoutOf(job);
    const stop = new AbortController();
    abort.signal.addEventListener('abort', () => stop.abort('cancel'), { once: true });
    // An abort that came before the listener.
    if (abort.signal.aborted) stop.abort('cancel');
    void this.#ports.clock.sleep(timeoutSeconds * 1_000, stop.signal).then(() => {
      if (!stop.signal.aborted) stop.abort('timeout');
    });
    const metadata = await startMetadataServer(identityOf(job, project), project, tokens);
    const reach = { GCE_METADATA_HOST: metadata.host, TRAINYARD_GOOGLE_ENDPOINT: await origin };
    const ends = replicas.map(async ({ env, ...others }) => {
      const replica = { ...others, env: { ...env, ...reach } };
      const error = await this.#runReplica(job, replica, stop.signal);
      // One replica's failure, and the primary's success, end the job for all.
      if (error !== undefined) stop.abort(error);
      else if (replica.pool === 0) stop.abort('done');
    });
    await Promise.all(ends).finally(() => metadata.close());
    return endingOf(stop.signal.reason, timeoutSeconds);
  }

  async #runReplica(
    job: JobRecord,
    replica: Replica,
    signal: AbortSignal,
  ): Promise<RpcStatus | undefined> {
    const { executor, lags, project } = this.#ports;
    const noRetries = objectAt(job.jobSpec, 'scheduling')['disableRetries'] === true;
    for (let attempt = 0; ; attempt++) {
      const outcome = await executor.run({
        id: attempt === 0 ? `${job.id}-${replica.name}` : `${job.id}-${replica.name}-${attempt}`,
        ...replica,
        mounts: this.#ports.mounts(),
        log: (line, stream) => this.#log(job, line, replica.name, stream),
        signal,
      });
      const crashed = outcome.error === undefined && restartedExitCodes.has(exitCodeOf(outcome));
      if (crashed && !noRetries && attempt < lags.replicaRestarts && !signal.aborted) {
        this.#log(job, `Replica ${replica.name} exited with ${exitCodeOf(outcome)}. Restarting.`);
        continue;
      }
      return signal.aborted
        ? undefined
        : endOfReplica(outcome, exitCodeOf(outcome), {
            project,
            jobId: job.id,
            replica: replica.name,
            image: replica.image,
          });
    }
  }

  async #end(name: string, ending: Ending): Promise<void> {
    const { clock, jobs, lags } = this.#ports;
    const now = clock.now();
    const job = jobs.get(name);
    // Deleted meanwhile.
    if (job === undefined) return;
    if ('error' in ending) this.#log(job, `Job ${job.id}: ${ending.error.message}`);
    else this.#log(job, 'Job completed successfully.');
    const errorTime = new Date(now.getTime() + lags.jobErrorMs).toISOString();
    const late = 'error' in ending && lags.jobErrorMs > 0 ? { errorTime } : {};
    await this.#set(name, { ...ending, ...late, endTime: now.toISOString() });
  }

  async #set(name: string, change: Partial<JobRecord>): Promise<void> {
    const updateTime = this.#ports.clock.now().toISOString();
    await this.#ports.jobs.put(name, { ...this.#get(name), ...change, updateTime });
  }

  #get(name: string): JobRecord {
    const job = this.#ports.jobs.get(name);
    if (job === undefined) throw new Error(`the job ${name} is gone`);
    return job;
  }

  #log(
    job: JobRecord,
    line: string,
    task = 'service',
    stream: 'stdout' | 'stderr' = 'stdout',
  ): void {
    const { id, number } = this.#ports.project;
    this.#ports.log.write(
      {
        logName: `projects/${id}/logs/${task}`,
        resource: {
          type: 'ml_job',
          labels: { job_id: job.id, project_id: id, task_name: task },
        },
        labels: { 'ml.googleapis.com/endpoint': '', 'ml.googleapis.com/project_number': number },
      },
      line,
      stream,
    );
  }
}

/**
 * Without an account of its own a job is Google's agent, whose tokens have few scopes.
 * @see https://cloud.google.com/vertex-ai/docs/general/custom-service-account
 */
function identityOf(job: JobRecord, project: Project): Identity {
  const own = textAt(job.jobSpec, 'serviceAccount');
  const agent = `service-${project.number}@gcp-sa-aiplatform-cc.iam.gserviceaccount.com`;
  return { account: own === '' ? agent : own, hasCloudPlatform: own !== '' };
}

const cancelled: Ending = {
  state: 'JOB_STATE_CANCELLED',
  error: { code: 1, message: 'CANCELED' },
};

function endingOf(reason: unknown, timeoutSeconds: number): Ending {
  if (reason === 'done') return { state: 'JOB_STATE_SUCCEEDED' };
  if (reason === 'cancel' || reason === 'close') return cancelled;
  const error = reason === 'timeout' ? timedOut(timeoutSeconds) : (reason as RpcStatus);
  return { state: 'JOB_STATE_FAILED', error };
}

function timeoutOf(job: JobRecord): number {
  const text = textAt(objectAt(job.jobSpec, 'scheduling'), 'timeout');
  return text === '' ? defaultTimeoutSeconds : parseFloat(text);
}

/** As a shell gives it: 128 and the signal's number. */
const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

function exitCodeOf(outcome: JobOutcome): number {
  return outcome.exitCode ?? 128 + (signalNumbers[outcome.signal ?? ''] ?? 0);
}
