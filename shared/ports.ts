/**
 * What the domain asks of the outside world. Each port is as small as its callers need; the adapters in
 * google/ and github/ implement them, the Action and the App pass them in.
 *
 * Every method may throw `CloudError`. `ambiguous` on a create means: look it up before trying again.
 */
import type { Readable } from 'node:stream';
import type { BuildConfig } from './config/build-config.ts';
import type { CustomJobSpec } from './config/job-spec.ts';
import type { BuildTrigger, TriggerRequest, TriggerRunSource } from './triggers/build-trigger.ts';
import type { TriggeredBuild } from './triggers/report-build.ts';
import type { BuildSnapshot, JobSnapshot } from './watch/run.ts';

/** Time as a port, so that tests do not sleep. */
export interface Clock {
  now(): Date;
  /** Resolves after `ms`, or earlier when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) {
        resolve();
        return;
      }
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
    }),
};

export interface BuildRequest {
  readonly project: string;
  readonly region: string;
  readonly source: {
    readonly bucket: string;
    readonly object: string;
    readonly generation: string;
  };
  /** Everything else of the Build, in REST's JSON form. */
  readonly build: BuildConfig;
}

export interface Builds {
  create(request: BuildRequest): Promise<BuildSnapshot>;
  get(name: string): Promise<BuildSnapshot>;
  /** All builds with that tag, newest first. */
  findByTag(where: {
    readonly project: string;
    readonly region: string;
    readonly tag: string;
  }): Promise<readonly BuildSnapshot[]>;
  /** Succeeds when the build is already over. */
  cancel(name: string): Promise<void>;
}

/** What our own builds have reported; never what a tag says, because whoever may push can move a tag. */
export interface EarlierBuilds {
  /** The builds with that content tag that succeeded, newest first. */
  find(where: {
    readonly project: string;
    readonly region: string;
    readonly contentTag: string;
  }): Promise<readonly EarlierBuild[]>;
}

interface EarlierBuild {
  /** Its resource name. */
  readonly build: string;
  readonly images: BuildSnapshot['images'];
}

export interface Images {
  /** True when the registry still has `name@sha256:…`. */
  exists(image: string): Promise<boolean>;
  /** What `name:tag` stands for now, and when that came into the registry; undefined when it has no such tag. */
  resolve(image: string): Promise<TaggedImage | undefined>;
}

export interface TaggedImage {
  /** `sha256:…` */
  readonly digest: string;
  readonly uploadedAt: string | undefined;
}

export interface JobRequest {
  readonly project: string;
  readonly region: string;
  readonly displayName: string;
  readonly spec: CustomJobSpec;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Jobs {
  create(request: JobRequest): Promise<JobSnapshot>;
  get(name: string): Promise<JobSnapshot>;
  /** All jobs with that label, newest first. */
  findByLabel(where: {
    readonly project: string;
    readonly region: string;
    readonly key: string;
    readonly value: string;
  }): Promise<readonly JobSnapshot[]>;
  /** Succeeds when the job is already over. */
  cancel(name: string): Promise<void>;
}

/** A job as it is, for those who follow one that they did not plan. */
export interface JobDescription {
  readonly snapshot: JobSnapshot;
  readonly displayName: string;
  /** Only what a follower needs: no environment, no identity. */
  readonly spec: CustomJobSpec;
}

export interface JobDescriptions {
  describe(name: string): Promise<JobDescription>;
}

export interface SucceededJobs {
  /** Those with all of these labels that were created at or after `since`, in any order. */
  list(where: {
    readonly project: string;
    readonly region: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly since: Date;
  }): Promise<readonly JobDescription[]>;
}

export interface LogEntry {
  readonly insertId: string;
  /** ISO 8601 in UTC, as precise as the service has it. */
  readonly timestamp: string;
  /** Raw and hostile: may hold anything but a line end. */
  readonly text: string;
}

/** A part of a log. */
export interface LogPage {
  /** Oldest first. */
  readonly entries: readonly LogEntry[];
  /** There is more, to be read from that instant on; undefined at what is the log's end by now. */
  readonly continueAt?: string;
}

export interface JobLogs {
  /** Entries of one job at or after `since`, at most `limit` or a few more. The service may add older ones later. */
  read(where: {
    readonly project: string;
    readonly jobId: string;
    readonly since: string;
    readonly limit: number;
    /** The job is over: these may be its last lines, so what was read a moment ago will not do. */
    readonly isOver?: boolean;
  }): Promise<LogPage>;
}

/** For whom log entries are read: a person's question, the last lines of what is over, or how far it is. */
export type LogReader = 'question' | 'last_lines' | 'progress';

/** The end of a job's log, for whoever has not followed it. */
export interface LogTails {
  /** The newest entries at or after `since`, at most `limit` or a few more, oldest first. */
  tail(where: {
    readonly project: string;
    readonly jobId: string;
    readonly since: string;
    readonly limit: number;
  }): Promise<readonly LogEntry[]>;
}

/** The logs of many jobs of a project for the price of one request. */
export interface ManyJobLogs {
  /** At most `maxJobs` at once. */
  readonly maxJobs: number;
  /**
   * The entries of each job by its id. One page is shared by all, so `continueAt` is where each of them goes on
   * that has not asked for something later.
   */
  readMany(where: {
    readonly project: string;
    readonly jobs: readonly { readonly jobId: string; readonly since: string }[];
    readonly limit: number;
  }): Promise<{
    readonly entriesOf: ReadonlyMap<string, readonly LogEntry[]>;
    readonly continueAt?: string;
  }>;
}

/** All of an owner's jobs, or builds, that are not over, however many; lists lag, so one may be missing. */
export interface OpenResources<Snapshot> {
  list(where: {
    readonly project: string;
    readonly region: string;
    readonly owner: string;
  }): Promise<readonly Snapshot[]>;
}

export interface BuildLogs {
  /** The log's bytes from `offset` as text; empty while there is nothing new. `uri` is `gs://bucket[/prefix]`. */
  read(where: {
    readonly uri: string;
    readonly buildId: string;
    readonly offset: number;
    /** Where the build writes to Cloud Logging alone: its project, and since when. `uri` does not count then. */
    readonly logged?: { readonly project: string; readonly since: string };
  }): Promise<{
    readonly text: string;
    readonly nextOffset: number;
  }>;
}

export interface StoredObject {
  readonly name: string;
  readonly size: number;
  readonly generation: string;
  readonly createdAt: string;
}

export interface ObjectStore {
  /**
   * Creates the object; when the same bytes are there already, their generation is returned and nothing is
   * written; anything else under the name is replaced.
   * @param open called for each attempt; what it gives is destroyed, however far it was read
   */
  put(
    where: { readonly bucket: string; readonly object: string },
    open: () => NodeJS.ReadableStream,
  ): Promise<{ readonly generation: string }>;
  /** At most `limit` objects below the prefix. */
  list(where: {
    readonly bucket: string;
    readonly prefix: string;
    readonly limit: number;
  }): Promise<readonly StoredObject[]>;
  /** The first `maxBytes` of the object, of that generation when one is given. */
  read(where: {
    readonly bucket: string;
    readonly object: string;
    readonly generation?: string;
    readonly maxBytes: number;
  }): Promise<Buffer>;
}

/** One file of a build context; its content is given from the start, as often as it is asked for. */
export interface SourceFile {
  /** Relative, with `/`, never absolute and never with `..`. */
  readonly path: string;
  readonly executable: boolean;
  readonly size: number;
  /** As a stream, for files of any size. Its pieces are given away: their memory may be taken back. */
  open(): Readable;
  /** At once, for small files: opening a stream takes longer than reading one. */
  read(): Promise<Buffer>;
}

/** The files that go into a build: a commit (App) or a working directory (Action). */
export interface Source {
  files(): AsyncIterable<SourceFile>;
}

/** All of an owner's jobs that were created at or after `since`, in whatever state. */
export interface StartedJobs {
  list(where: {
    readonly project: string;
    readonly region: string;
    readonly owner: string;
    readonly since: Date;
  }): Promise<readonly JobDescription[]>;
}

/** Looks at many things at once, for whoever watches many runs. */
export interface BulkPorts {
  readonly startedJobs: StartedJobs;
  readonly openJobs: OpenResources<JobSnapshot>;
  readonly openBuilds: OpenResources<BuildSnapshot>;
  readonly manyJobLogs: ManyJobLogs;
}

/** What an image runs when nobody says otherwise. */
export interface ImageProgram {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
}

export interface ImagePrograms {
  /** Of `name@sha256:…` in Artifact Registry. */
  read(image: string): Promise<ImageProgram>;
}

export interface Secrets {
  /** The value of `projects/P/secrets/S/versions/V`. Whoever asks keeps it out of logs and files. */
  read(version: string): Promise<string>;
}

interface TriggersPlace {
  readonly project: string;
  readonly region: string;
}

/** Cloud Build's triggers. `id` may also be a trigger's name, which is unique in its place. */
export interface Triggers {
  list(where: TriggersPlace): Promise<readonly BuildTrigger[]>;
  get(where: TriggersPlace & { readonly id: string }): Promise<BuildTrigger>;
  create(request: TriggerRequest): Promise<BuildTrigger>;
  /** Sets the named top-level fields to what they are in `trigger`, and unsets those that it does not have. */
  update(
    request: TriggerRequest & { readonly id: string; readonly updateMask: readonly string[] },
  ): Promise<BuildTrigger>;
  /** Succeeds when it is gone already. */
  remove(where: TriggersPlace & { readonly id: string }): Promise<void>;
  run(
    where: TriggersPlace & { readonly id: string; readonly source: TriggerRunSource },
  ): Promise<{ readonly buildId: string | undefined }>;
}

export interface TriggeredBuilds {
  /** Those of these triggers that were created at or after `since`. */
  list(
    where: TriggersPlace & { readonly triggerIds: readonly string[]; readonly since: Date },
  ): Promise<readonly TriggeredBuild[]>;
}

/** Repositories that are connected as 2nd generation. */
export interface Connections {
  /** The resource name under which that connection has the repository; undefined when it has not. */
  findRepository(
    where: TriggersPlace & { readonly connection: string; readonly remoteUri: string },
  ): Promise<string | undefined>;
}

/** The cloud as a repository's triggers need it. */
export interface TriggerPorts {
  readonly triggers: Triggers;
  readonly triggeredBuilds: TriggeredBuilds;
  readonly connections: Connections;
  readonly buildLogs: BuildLogs;
}

/** The cloud as a run needs it. */
export interface CloudPorts {
  readonly builds: Builds;
  readonly buildLogs: BuildLogs;
  readonly earlierBuilds: EarlierBuilds;
  readonly images: Images;
  readonly jobs: Jobs;
  readonly jobLogs: JobLogs;
  readonly objects: ObjectStore;
  /** Only where people ask for logs. */
  readonly logTails?: LogTails;
  /** These two only where a run may have secrets. */
  readonly imagePrograms?: ImagePrograms;
  readonly secrets?: Secrets;
}
