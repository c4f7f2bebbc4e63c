/** The bodies of the two requests that cost money, made from a Run: Plan in, Build and CustomJob out. Pure. */
import { createHash } from 'node:crypto';
import type { BuildConfig } from '../config/build-config.ts';
import type { CustomJobSpec } from '../config/job-spec.ts';
import type { BuildRequest, JobRequest } from '../ports.ts';
import { withBuiltImage } from '../plan/built-image.ts';
import { recordLabels, recordLabelsIn, repositoryLabel, shaLabel } from '../plan/job-labels.ts';
import type { BuildPlace, BuildPlan, DockerfileBuild, Plan } from '../plan/plan.ts';
import { jobPlanOf, type Run, type StagedSource } from '../watch/run.ts';
import type { LaunchFacts, ResourceMac } from './resource-mac.ts';

/** The label and tag by which a run's own resources are found again. */
export const runLabel = 'trainyard-run';

/** Which installation of Trainyard a resource belongs to; nobody touches another's. */
export const ownerLabel = 'trainyard-owner';

/** The value of that label on what workflows start; an App's sweeper leaves it alone. */
export const workflowOwner = 'workflow';

/** Tells a run's launches apart: the one before must not be taken for the one after. */
export const attemptLabel = 'trainyard-attempt';

/** Proves that the other labels are ours: see resource-mac.ts. */
export const macLabel = 'trainyard-mac';

/** `1` for the first launch. */
export function attemptOf(run: Run): string {
  return String((run.attempts?.length ?? 0) + 1);
}

/** True for a job that this attempt of the run can have created. */
export function isOfAttempt(run: Run, labels: Readonly<Record<string, string>>): boolean {
  return labels[attemptLabel] === attemptOf(run);
}

/** A build has tags, not labels. */
export function runTag(runId: string): string {
  return `${runLabel}-${runId}`;
}

/** The owner's label as a build can carry it. */
export function ownerTag(owner: string): string {
  return `${ownerLabel}-${owner}`;
}

export function macTag(mac: string): string {
  return `${macLabel}-${mac}`;
}

export function buildFacts(plan: Plan): LaunchFacts {
  return { what: 'build', ...subjectFacts(plan), attempt: '1', images: [] };
}

/** Of the launch that the run is at. @param labels what the job says beside that */
export function jobFacts(run: Run, labels: Readonly<Record<string, string>> = {}): LaunchFacts {
  const [images, record] = [imagesOf(specOf(run)), recordLabelsIn(labels)];
  return { what: 'job', ...subjectFacts(run.plan), attempt: attemptOf(run), images, record };
}

function subjectFacts({ owner, runId, subject }: Plan) {
  return { owner, runId, repositoryId: subject.repository.id, headSha: subject.headSha };
}

/** As `JobSnapshot.images` has them: one for each pool. */
export function imagesOf(spec: CustomJobSpec): readonly string[] {
  return spec.workerPoolSpecs.map((pool) => pool.containerSpec?.imageUri ?? '');
}

/**
 * A tag made from everything that decides what an image becomes, and from who could have built it: another
 * trust tier's builder may put something else behind the same files. The image carries it for people, the
 * build so that it is found again; a run uses the digest that a build of ours reported.
 */
export function contentTag(plan: Plan, build: BuildPlan, contentHash: string): string {
  const parts = [contentHash, ...instructions(build), plan.tier, build.serviceAccount ?? ''];
  // Half of the hash is still far beyond finding two contexts with the same one.
  return `c-${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40)}`;
}

function instructions(build: BuildPlan): readonly unknown[] {
  if (build.kind === 'cloudbuild') return [build.kind, build.config];
  const { dockerfile, buildArgs = {}, target = '', platform = '' } = build;
  const args = Object.entries(buildArgs).sort(([a], [b]) => (a < b ? -1 : 1));
  return [dockerfile, args, target, platform];
}

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds */
export function toBuildRequest(
  plan: Plan,
  build: BuildPlan,
  source: StagedSource,
  mac?: ResourceMac,
): BuildRequest {
  const content = contentTag(plan, build, source.contentHash);
  const owner = plan.job.labels[ownerLabel] ?? plan.owner;
  const { repository, headSha } = plan.subject;
  const tags = [
    ...['trainyard', runTag(plan.runId), ownerTag(owner)],
    ...[`${repositoryLabel}-${repository.id}`, `${shaLabel}-${headSha}`],
    ...(mac === undefined ? [] : [macTag(mac(buildFacts(plan)))]),
    content,
  ];
  return {
    project: plan.project,
    region: build.region,
    source: { bucket: source.bucket, object: source.object, generation: source.generation },
    build:
      build.kind === 'cloudbuild'
        ? withDefaults(build.config, build, plan.project, tags)
        : withDefaults(dockerfileBuild(plan, build, content), build, plan.project, tags),
  };
}

/** Adds what is ours to every build; account, logs and timeout only where it names none itself. */
function withDefaults(
  config: BuildConfig,
  place: BuildPlace,
  project: string,
  tags: readonly string[],
): BuildConfig {
  const account = place.serviceAccount;
  const { logging = 'GCS_ONLY', defaultLogsBucketBehavior } = config.options ?? {};
  // An account of one's own needs a bucket for the log, or none at all.
  const needsBucket = ['GCS_ONLY', 'LEGACY', 'LOGGING_UNSPECIFIED'].includes(logging);
  const takesOurs = needsBucket && defaultLogsBucketBehavior === undefined;
  return {
    timeout: `${place.timeoutSeconds}s`,
    ...(takesOurs ? { logsBucket: `gs://${place.logsBucket}` } : {}),
    ...(account === undefined
      ? {}
      : { serviceAccount: `projects/${project}/serviceAccounts/${account}` }),
    ...config,
    options: { ...config.options, logging },
    tags: [...(config.tags ?? []), ...tags],
  };
}

function dockerfileBuild(plan: Plan, build: DockerfileBuild, content: string): BuildConfig {
  const image = `${build.imageName}:${content}`;
  const caches = cacheImages(plan, build);
  const args = [...dockerBuild(build, image), ...cacheArguments(caches), '.'];
  return {
    steps: [
      {
        name: 'gcr.io/cloud-builders/docker',
        // Cloud Build expands $NAME in arguments; ours are literal.
        args: args.map((text) => text.replaceAll('$', '$$$$')),
        env: ['DOCKER_BUILDKIT=1'],
      },
    ],
    // Listed here, so that Cloud Build pushes them and reports their digests.
    images: [image, ...caches.slice(0, 1)],
    ...(build.workerMachineType === undefined
      ? {}
      : { options: { machineType: build.workerMachineType } }),
  };
}

/** An argument vector: nothing in it passes through a shell. */
function dockerBuild(build: DockerfileBuild, image: string): string[] {
  const buildArgs = Object.entries(build.buildArgs ?? {});
  return [
    ...['build', '-t', image, '-f', build.dockerfile],
    ...buildArgs.flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...(build.target === undefined ? [] : ['--target', build.target]),
    ...(build.platform === undefined ? [] : ['--platform', build.platform]),
  ];
}

/**
 * Images whose layers may be used: the tier's own, which this build writes too, and the base branch's,
 * which others only read. Undefined `layerCache` means yes.
 */
function cacheImages(plan: Plan, build: DockerfileBuild): string[] {
  if (build.layerCache === false) return [];
  return [...new Set([plan.tier, 'base'])].map((tier) => `${build.imageName}:cache-${tier}`);
}

/** Layers travel inside the image itself. @see https://docs.docker.com/build/cache/backends/inline/ */
function cacheArguments(caches: readonly string[]): string[] {
  const [own] = caches;
  if (own === undefined) return [];
  const from = caches.flatMap((image) => ['--cache-from', image]);
  return ['-t', own, ...from, '--build-arg', 'BUILDKIT_INLINE_CACHE=1'];
}

/** The run's image, `name@sha256:…`, replaces the placeholder in every pool. */
export function toJobRequest(run: Run, mac?: ResourceMac): JobRequest {
  const { plan } = run;
  const job = jobPlanOf(run);
  const record = recordLabels(plan);
  return {
    project: plan.project,
    region: job.region,
    displayName: job.displayName,
    spec: specOf(run),
    labels: {
      ...job.labels,
      [runLabel]: plan.runId,
      [attemptLabel]: attemptOf(run),
      ...(mac === undefined ? {} : { ...record, [macLabel]: mac(jobFacts(run, record)) }),
    },
  };
}

function specOf(run: Run): CustomJobSpec {
  const { spec } = jobPlanOf(run);
  return run.image === undefined ? spec : withBuiltImage(spec, run.image);
}
