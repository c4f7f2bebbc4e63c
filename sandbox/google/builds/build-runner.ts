/**
 * Takes builds through their statuses: a stored build in, the same build with its results out.
 *
 * After a restart of the sandbox, queued builds go on; those that were working have lost their worker and
 * end as INTERNAL_ERROR.
 */
import { rm } from 'node:fs/promises';
import type { BuildOutcome, BuildStep, Executor } from '../../executor/executor.ts';
import type { LogWriter } from '../logging/log-writer.ts';
import type { Lags } from '../options.ts';
import type { SandboxClock } from '../state/clock.ts';
import type { Documents } from '../state/documents.ts';
import type { Project } from '../state/project.ts';
import { Running } from '../state/running.ts';
import type { Buckets } from '../storage/buckets.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { objectAt, objectsAt, textAt, textsAt, type JsonObject } from '../wire/json.ts';
import { createBuildLog, type BuildLog } from './build-log.ts';
import type { BuildRecord } from './build-record.ts';
import { fetchGitSource, isGitSource, type GitSourcePorts } from './git-source.ts';

export interface BuildPorts extends GitSourcePorts {
  readonly project: Project;
  readonly executor: Pick<Executor, 'build'>;
  readonly builds: Documents<BuildRecord>;
  readonly buckets: Buckets;
  readonly objects: ObjectStore;
  readonly log: LogWriter;
  readonly clock: SandboxClock;
  readonly lags: Lags;
}

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds (timeout: 60 minutes) */
const defaultTimeoutSeconds = 3_600;

type Change = Partial<
  Pick<BuildRecord, 'status' | 'statusDetail' | 'failureInfo' | 'images' | 'failedStep'>
>;

export class BuildRunner {
  readonly #ports: BuildPorts;
  readonly #running = new Running();

  constructor(ports: BuildPorts) {
    this.#ports = ports;
  }

  async resume(): Promise<void> {
    for (const build of this.#ports.builds.values()) {
      if (build.status === 'QUEUED') this.start(build);
      else if (build.status === 'WORKING') {
        await this.#end(build.id, {
          status: 'INTERNAL_ERROR',
          statusDetail: 'The sandbox was stopped while this build ran.',
        });
      }
    }
  }

  start(build: BuildRecord): void {
    this.#running.start(build.id, (abort) =>
      this.#run(build.id, abort).catch((error: unknown) =>
        this.#end(build.id, { status: 'INTERNAL_ERROR', statusDetail: String(error) }),
      ),
    );
  }

  /** Resolves when the build has ended, as the API's answer shows it CANCELLED. */
  async cancel(id: string): Promise<void> {
    const build = this.#get(id);
    if (build.status === 'PENDING') {
      const approval = { ...build.approval, state: 'CANCELLED' };
      await this.#ports.builds.put(id, { ...build, approval });
      return this.#end(id, { status: 'CANCELLED' });
    }
    await this.#running.cancel(id);
  }

  close(): Promise<void> {
    return this.#running.close();
  }

  async #run(id: string, abort: AbortController): Promise<void> {
    const { clock, lags } = this.#ports;
    await clock.sleep(lags.buildQueuedMs, abort.signal);
    if (this.#running.isClosing()) return;
    const build = this.#get(id);
    if (abort.signal.aborted) return this.#end(id, { status: 'CANCELLED' });
    const startTime = clock.now().toISOString();
    const working = { ...build, status: 'WORKING' as const, startTime };
    await this.#ports.builds.put(id, working);
    const problem = this.#logProblem(working);
    if (problem !== undefined) return this.#end(id, failed('LOGGING_FAILURE', problem));
    const log = this.#openLog(working);
    const change = await this.#work(working, log, abort);
    if (this.#running.isClosing()) return;
    log.line(lastLine(change));
    await log.finish();
    await this.#end(id, change);
  }

  async #work(build: BuildRecord, log: BuildLog, abort: AbortController): Promise<Change> {
    log.line(`starting build "${build.id}"\n`);
    const source = await this.#fetchSource(build, log);
    if (source !== undefined && 'change' in source) return source.change;
    const seconds = parseFloat(textAt(build.build, 'timeout')) || defaultTimeoutSeconds;
    const stop = new AbortController();
    abort.signal.addEventListener('abort', () => stop.abort('cancel'), { once: true });
    if (abort.signal.aborted) stop.abort('cancel');
    void this.#ports.clock.sleep(seconds * 1_000, stop.signal).then(() => {
      if (!stop.signal.aborted) stop.abort('timeout');
    });
    try {
      log.line('BUILD');
      const outcome = await this.#ports.executor.build({
        id: build.id,
        ...(source === undefined ? {} : { sourceArchive: source.path }),
        steps: objectsAt(build.build, 'steps').map((step) => toStep(step, build.build)),
        images: imagesOf(build.build),
        log: (line) => log.line(line),
        signal: stop.signal,
      });
      return toChange(outcome, stop.signal.reason);
    } finally {
      stop.abort('done');
      if (source !== undefined) await rm(source.path, { force: true });
    }
  }

  async #fetchSource(
    build: BuildRecord,
    log: BuildLog,
  ): Promise<{ readonly path: string } | { readonly change: Change } | undefined> {
    const source = objectAt(build.build, 'source');
    const storage = objectAt(source, 'storageSource');
    const { buckets, objects } = this.#ports;
    if (Object.keys(source).length === 0) return undefined;
    if (isGitSource(source)) {
      const path = `${objects.incomingPath()}.tgz`;
      log.line('FETCHSOURCE');
      const fetched = await fetchGitSource(this.#ports, source, path);
      if ('problem' in fetched) return { change: failed('FETCH_SOURCE_FAILED', fetched.problem) };
      for (const line of fetched.lines) log.line(line);
      return { path };
    }
    const bucket = textAt(storage, 'bucket');
    const name = textAt(storage, 'object');
    const generation = textAt(storage, 'generation');
    log.line('FETCHSOURCE');
    if (bucket === '') {
      return {
        change: failed(
          'FETCH_SOURCE_FAILED',
          'the sandbox builds from Cloud Storage and from git only',
        ),
      };
    }
    log.line(`Fetching storage object: gs://${bucket}/${name}#${generation}`);
    const wanted = generation === '' || generation === '0' ? undefined : generation;
    const found =
      buckets.find(bucket) === undefined ? undefined : await objects.find(bucket, name, wanted);
    const path = `${objects.incomingPath()}.tgz`;
    if (found === undefined || !(await objects.exportTo(found, path))) {
      const detail = `could not resolve source: googleapi: Error 404: No such object: ${bucket}/${name}, notFound`;
      return { change: failed('FETCH_SOURCE_FAILED', detail) };
    }
    return { path };
  }

  #logProblem({ logs }: BuildRecord): string | undefined {
    if (logs === undefined || this.#ports.buckets.find(logs.bucket) !== undefined) return undefined;
    return `the logs bucket gs://${logs.bucket} does not exist`;
  }

  #openLog(build: BuildRecord): BuildLog {
    const { objects, log, project } = this.#ports;
    const logging = textAt(objectAt(build.build, 'options'), 'logging');
    const toLogging = !['GCS_ONLY', 'NONE'].includes(logging);
    return createBuildLog(build, { objects, log, projectId: project.id, toLogging });
  }

  async #end(id: string, change: Change): Promise<void> {
    const finishTime = this.#ports.clock.now().toISOString();
    await this.#ports.builds.put(id, { ...this.#get(id), ...change, finishTime });
  }

  #get(id: string): BuildRecord {
    const build = this.#ports.builds.get(id);
    if (build === undefined) throw new Error(`the build ${id} is gone`);
    return build;
  }
}

function toStep(step: JsonObject, build: JsonObject): BuildStep {
  const entrypoint = textAt(step, 'entrypoint');
  const dir = textAt(step, 'dir');
  const id = textAt(step, 'id');
  const script = textAt(step, 'script');
  return {
    name: textAt(step, 'name'),
    args: textsAt(step, 'args'),
    // The options' variables are every step's; a step's own come later and win.
    env: [...textsAt(objectAt(build, 'options'), 'env'), ...textsAt(step, 'env')],
    ...(entrypoint === '' ? {} : { entrypoint }),
    ...(dir === '' ? {} : { dir }),
    ...(id === '' ? {} : { id }),
    ...(script === '' ? {} : { script }),
  };
}

function imagesOf(build: JsonObject): string[] {
  return [...textsAt(build, 'images'), ...textsAt(objectAt(build, 'artifacts'), 'images')];
}

function failed(type: string, detail: string): Change {
  return { status: 'FAILURE', statusDetail: detail, failureInfo: { type, detail } };
}

function toChange(outcome: BuildOutcome, aborted: unknown): Change {
  if (aborted === 'timeout') return { status: 'TIMEOUT', statusDetail: 'build timed out' };
  if (aborted !== undefined) return { status: 'CANCELLED' };
  switch (outcome.status) {
    case 'SUCCESS':
      return { status: 'SUCCESS', images: outcome.images.map((image) => ({ ...image })) };
    case 'CANCELLED':
      return { status: 'CANCELLED' };
    case 'FAILURE': {
      const { type = 'USER_BUILD_STEP', detail = 'Build step failure' } = outcome.failure ?? {};
      const step = outcome.failedStep;
      const statusDetail = step === undefined ? detail : `Build step failure: ${detail}`;
      const failureInfo = { type, detail: statusDetail };
      const at = step === undefined ? {} : { failedStep: step };
      return { status: 'FAILURE', statusDetail, failureInfo, ...at };
    }
  }
}

function lastLine(change: Change): string {
  switch (change.status) {
    case 'SUCCESS':
      return 'DONE';
    case 'CANCELLED':
      return 'CANCELLED\nERROR: context canceled';
    case 'TIMEOUT':
      return 'TIMEOUT\nERROR: context deadline exceeded';
    default:
      return `ERROR\nERROR: ${change.statusDetail ?? 'build failed'}`;
  }
}
