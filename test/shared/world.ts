/**
 * A small world in memory for the run's loop: builds and jobs that move on with the clock, lists that
 * may lag, and a fuse that blows at the n-th effect, before or after it happened.
 */
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { CloudError } from '../../shared/errors.ts';
import { createEarlierBuilds } from '../../shared/google/earlier-builds.ts';
import type { Strange } from '../../shared/launch/adopt.ts';
import { imagesOf, ownerLabel, ownerTag } from '../../shared/launch/requests.ts';
import type { ResourceMac } from '../../shared/launch/resource-mac.ts';
import { dockerTagName } from '../../shared/google/resource-names.ts';
import { advance, newLogCursor, startRun, type RunPorts } from '../../shared/flow.ts';
import { substitute } from '../../shared/config/substitutions.ts';
import type { DockerfileBuild, Plan } from '../../shared/plan/plan.ts';
import type { BulkPorts, JobDescriptions, JobRequest, TaggedImage } from '../../shared/ports.ts';
import {
  isBuildOver,
  isJobOver,
  type BuildSnapshot,
  type JobSnapshot,
  type JobState,
  type Run,
} from '../../shared/watch/run.ts';

export const plan: Plan & { readonly build: DockerfileBuild } = {
  runId: 'k7q2m4xa',
  owner: 'test',
  subject: {
    repository: { id: 1, fullName: 'acme/digits' },
    pullNumber: 1,
    headSha: 'a'.repeat(40),
    requestedBy: { id: 7, login: 'olivia' },
  },
  tier: 'pull',
  project: 'demo-project',
  build: {
    kind: 'dockerfile',
    region: 'global',
    dockerfile: 'Dockerfile',
    imageName: 'us-central1-docker.pkg.dev/demo-project/trainyard/digits',
    sourceBucket: 'demo-project_cloudbuild',
    logsBucket: 'demo-project_cloudbuild',
    timeoutSeconds: 600,
  },
  job: {
    region: 'us-central1',
    displayName: 'digits',
    spec: { workerPoolSpecs: [{ replicaCount: '1', containerSpec: { imageUri: '$IMAGE' } }] },
    labels: { 'trainyard-run': 'k7q2m4xa' },
    machine: { machineType: 'n1-standard-8', gpu: 'T4', gpuCount: 1, replicas: 1 },
    outputUriPrefix: 'gs://results/1/k7q2m4xa/',
    timeoutSeconds: 3600,
    startTimeoutSeconds: 1800,
  },
  estimate: { usdPerHour: 0.73, ceilingUsd: 0.73, timeoutSeconds: 3600, pricesAsOf: '2025-03-06' },
  notes: [],
};

export const digest = `sha256:${'b'.repeat(64)}`;

/** Where the fuse blows: at that effect, before or after it took place, as a crash or an unclear answer. */
export interface Fuse {
  readonly at: number;
  readonly when: 'before' | 'after';
  readonly as: 'crash' | 'ambiguous';
}

export class Crash extends Error {}

export class World {
  now = new Date('2026-01-02T03:00:00.000Z');
  saved: Run;
  readonly builds: BuildSnapshot[] = [];
  readonly jobs: JobSnapshot[] = [];
  /** What each job was asked for with, by its name. */
  readonly jobRequests = new Map<string, Pick<JobRequest, 'displayName' | 'spec'>>();
  readonly lines: string[] = [];
  effects = 0;
  fuse: Fuse | undefined;
  listLagMs = 0;
  /** What becomes of a job, in order; the last state stays. */
  jobStates: readonly JobState[] = ['queued', 'pending', 'running', 'succeeded'];
  jobError: { code: number; message: string } | undefined;
  /** Regions without machines, and what becomes of a job there: refused, or failed after a while. */
  readonly shortages = new Map<string, 'refused' | 'failed'>();
  /** How many more requests are refused because too many came, and what the service says about when to ask again. */
  readonly tooMany = { builds: 0, jobs: 0 };
  retryAfterSeconds: number | undefined;
  /** When builds and jobs were asked for. */
  readonly askedAt: { readonly builds: number[]; readonly jobs: number[] } = {
    builds: [],
    jobs: [],
  };
  buildOutcome: BuildSnapshot['status'] = 'success';
  cancelled = new Set<string>();
  /** Jobs and builds that cannot be cancelled, and the status that says so. */
  readonly uncancellable = new Map<string, number>();
  /** What somebody cleaned out of the registry. */
  deletedImages = new Set<string>();
  /** `name:tag` → what steps pushed under it. */
  readonly tags = new Map<string, TaggedImage>();
  /** What the registry answers, one status a question, before it says what a tag stands for. */
  registryTroubles: number[] = [];
  /** The installation's key; undefined for a workflow, which has none. */
  mac: ResourceMac | undefined;
  readonly strangers: Strange[] = [];
  /** Seconds of a run that could not be cancelled, and why. */
  readonly extrasLeft: [name: string, status: number][] = [];
  /** What each job leaves behind from now on, by path below its results. */
  results: Readonly<Record<string, string>> = {};
  /** No permission to look into the registry. */
  lookUpFails = false;

  constructor(chosen: Plan = plan) {
    this.saved = startRun(chosen, this.now);
  }

  /** An effect that the fuse may hit. */
  private effect<T>(what: string, act: () => T): T {
    this.effects += 1;
    const blows = this.fuse !== undefined && this.effects === this.fuse.at;
    if (blows && this.fuse?.when === 'before') this.blow(what);
    const result = act();
    if (blows) this.blow(what);
    return result;
  }

  private blow(what: string): never {
    if (this.fuse?.as === 'crash') throw new Crash(what);
    throw new CloudError(what, 'socket hang up', { status: 0, retryable: true, ambiguous: true });
  }

  private refuseCancel(operation: string, name: string): void {
    const status = this.uncancellable.get(name);
    if (status === undefined) return;
    const retryable = status === 429 || status >= 500;
    const ambiguous = status >= 500;
    throw new CloudError(operation, 'not cancelled', { status, retryable, ambiguous });
  }

  private take(what: 'builds' | 'jobs'): void {
    this.askedAt[what].push(this.now.getTime());
    if (this.tooMany[what] === 0) return;
    this.tooMany[what] -= 1;
    const { retryAfterSeconds } = this;
    throw new CloudError(`${what}.create`, 'too many requests per minute', {
      ...{ status: 429, retryable: true, ambiguous: false, rateLimited: true },
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    });
  }

  private listed<S extends { createTime?: string }>(all: readonly S[]): S[] {
    return all.filter(
      (one) => this.now.getTime() - new Date(one.createTime ?? 0).getTime() >= this.listLagMs,
    );
  }

  ports(): RunPorts {
    return {
      clock: { now: () => this.now, sleep: () => Promise.resolve() },
      logCursor: newLogCursor(),
      random: () => 0.5,
      ...(this.mac === undefined ? {} : { mac: this.mac }),
      strangers: (found) => this.strangers.push(...found),
      extraLeft: (name, { status }) => this.extrasLeft.push([name, status]),
      source: () =>
        Promise.resolve({
          async *files() {
            await Promise.resolve();
            yield {
              path: 'Dockerfile',
              executable: false,
              size: 12,
              open: () => Readable.from([Buffer.from('FROM scratch')]),
              read: () => Promise.resolve(Buffer.from('FROM scratch')),
            };
          },
        }),
      save: async (run) => {
        await Promise.resolve();
        this.effect('save', () => (this.saved = structuredClone(run)));
      },
      log: (lines) => this.lines.push(...lines),
      objects: {
        put: async (_where, open) => {
          await buffer(open());
          return this.effect('put', () => ({ generation: '1' }));
        },
        list: ({ prefix }) =>
          Promise.resolve(
            Object.entries(this.results).map(([path, text]) => ({
              ...{ name: `${prefix}${path}`, size: text.length, generation: '1' },
              createdAt: this.now.toISOString(),
            })),
          ),
        read: ({ object }) => {
          const path = Object.keys(this.results).find((one) => object.endsWith(`/${one}`));
          return Promise.resolve(Buffer.from(this.results[path ?? ''] ?? ''));
        },
      },
      buildLogs: {
        read: ({ offset }) =>
          Promise.resolve(
            offset === 0 ? { text: 'built\n', nextOffset: 6 } : { text: '', nextOffset: offset },
          ),
      },
      jobLogs: {
        read: () =>
          Promise.resolve({
            entries: [
              { insertId: 'a', timestamp: '2026-01-02T03:01:00Z', text: 'epoch=1/2 loss=0.5' },
            ],
          }),
      },
      earlierBuilds: createEarlierBuilds({
        findByTag: ({ tag }) =>
          Promise.resolve(this.listed(this.builds.filter((one) => one.tags.includes(tag)))),
      }),
      images: {
        exists: (image) => {
          const failure = { status: 403, retryable: false, ambiguous: false };
          return this.lookUpFails
            ? Promise.reject(new CloudError('dockerImages.get', 'denied', failure))
            : Promise.resolve(!this.deletedImages.has(image));
        },
        resolve: async (image) => {
          dockerTagName(image);
          await Promise.resolve();
          const status = this.registryTroubles.shift();
          if (status === undefined) return this.tags.get(image);
          const failure = { status, retryable: status !== 403, ambiguous: false };
          throw new CloudError('tags.get', 'denied', failure);
        },
      },
      builds: {
        create: async (request) => {
          await Promise.resolve();
          this.take('builds');
          return this.effect('builds.create', () => {
            const id = `b${this.builds.length}`;
            const { images = [], tags = [], substitutions } = request.build;
            const known = { ...substitutions, PROJECT_ID: request.project, BUILD_ID: id };
            const build: BuildSnapshot = {
              name: `projects/demo-project/locations/global/builds/${id}`,
              id,
              status: 'queued',
              createTime: this.now.toISOString(),
              tags,
              ...(request.build.serviceAccount === undefined
                ? {}
                : { serviceAccount: request.build.serviceAccount }),
              images: images.map((name) => ({ name: substitute(name, known), digest })),
            };
            this.builds.push(build);
            return build;
          });
        },
        get: (name) => this.step(this.builds, name, (one) => this.buildNow(one)),
        findByTag: ({ tag }) =>
          Promise.resolve(this.listed(this.builds.filter((one) => one.tags.includes(tag)))),
        cancel: async (name) => {
          await Promise.resolve();
          this.refuseCancel('builds.cancel', name);
          this.effect('builds.cancel', () => this.cancelled.add(name));
        },
      },
      jobs: {
        create: async (request) => {
          await Promise.resolve();
          this.take('jobs');
          if (this.shortages.get(request.region) === 'refused') {
            throw new CloudError('customJobs.create', 'no quota', {
              ...{ status: 429, retryable: true, ambiguous: false },
            });
          }
          return this.effect('jobs.create', () => {
            const id = `j${this.jobs.length}`;
            const job: JobSnapshot = {
              name: `projects/demo-project/locations/${request.region}/customJobs/${id}`,
              id,
              state: 'queued',
              createTime: this.now.toISOString(),
              labels: request.labels,
              images: imagesOf(request.spec),
              ...(request.spec.serviceAccount === undefined
                ? {}
                : { serviceAccount: request.spec.serviceAccount }),
            };
            this.jobs.push(job);
            this.jobRequests.set(job.name, request);
            return job;
          });
        },
        get: (name) => this.step(this.jobs, name, (one) => this.jobNow(one)),
        findByLabel: ({ region, key, value }) => {
          const mine = this.jobs.filter(
            (one) => one.labels[key] === value && one.name.includes(`/locations/${region}/`),
          );
          return Promise.resolve(this.listed(mine));
        },
        cancel: async (name) => {
          await Promise.resolve();
          this.refuseCancel('customJobs.cancel', name);
          this.effect('jobs.cancel', () => this.cancelled.add(name));
        },
      },
    };
  }

  /** Everything that is not over, as one owner's labels select it. */
  bulk(): Pick<BulkPorts, 'openJobs' | 'openBuilds'> & { jobDescriptions: JobDescriptions } {
    return {
      jobDescriptions: {
        describe: async (name) => {
          const snapshot = await this.step(this.jobs, name, (one) => this.jobNow(one));
          const { displayName = '', spec = { workerPoolSpecs: [] } } =
            this.jobRequests.get(name) ?? {};
          return { snapshot, displayName, spec };
        },
      },
      openJobs: {
        list: ({ region, owner }) =>
          Promise.resolve(
            this.listed(this.jobs.map((one) => this.jobNow(one))).filter(
              ({ labels, name, state }) =>
                labels[ownerLabel] === owner &&
                name.includes(`/locations/${region}/`) &&
                !isJobOver(state),
            ),
          ),
      },
      openBuilds: {
        list: ({ owner }) =>
          Promise.resolve(
            this.listed(this.builds.map((one) => this.buildNow(one))).filter(
              ({ tags, status }) => tags.includes(ownerTag(owner)) && !isBuildOver(status),
            ),
          ),
      },
    };
  }

  private step<S extends { name: string }>(all: S[], name: string, at: (one: S) => S): Promise<S> {
    const index = all.findIndex((one) => one.name === name);
    const one = all[index];
    if (one === undefined) throw new Error(`no ${name}`);
    const moved = at(one);
    all[index] = moved;
    return Promise.resolve(moved);
  }

  private age(createTime: string | undefined): number {
    return Math.floor((this.now.getTime() - new Date(createTime ?? 0).getTime()) / 5_000);
  }

  private buildNow(build: BuildSnapshot): BuildSnapshot {
    if (this.cancelled.has(build.name)) return { ...build, status: 'cancelled' };
    const status = (['queued', 'working', this.buildOutcome] as const)[
      Math.min(this.age(build.createTime), 2)
    ];
    return { ...build, status: status ?? 'unknown' };
  }

  private jobNow(job: JobSnapshot): JobSnapshot {
    if (job.endTime !== undefined) return job;
    const now = this.now.toISOString();
    if (this.cancelled.has(job.name)) return { ...job, state: 'cancelled', endTime: now };
    if (this.shortages.has(job.name.split('/')[3] ?? '') && this.age(job.createTime) >= 2) {
      const error = { code: 8, message: 'Resources are insufficient in region: here.' };
      return { ...job, state: 'failed', endTime: now, error };
    }
    const state =
      this.jobStates[Math.min(this.age(job.createTime), this.jobStates.length - 1)] ?? 'unknown';
    const over = isJobOver(state);
    return {
      ...job,
      state,
      ...(state === 'running' ? { startTime: job.startTime ?? now } : {}),
      ...(over
        ? { endTime: now, ...(this.jobError === undefined ? {} : { error: this.jobError }) }
        : {}),
    };
  }

  /** Runs one process life until the run ends or the fuse crashes it; the clock moves while it waits. */
  async live(maxLooks = 400): Promise<'ended' | 'crashed'> {
    let run = this.saved;
    const ports = this.ports();
    for (let look = 0; look < maxLooks; look++) {
      try {
        const outcome = await advance(run, ports, { settleMs: 20_000, pollMs: 1_000 });
        run = outcome.run;
        if (outcome.waitMs === undefined) return 'ended';
        this.now = new Date(this.now.getTime() + Math.max(1, outcome.waitMs));
      } catch (error) {
        if (error instanceof Crash) return 'crashed';
        throw error;
      }
    }
    throw new Error(`the run did not end: ${JSON.stringify(run, null, 1)}`);
  }
}
