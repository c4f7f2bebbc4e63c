/** The bodies of the two requests that cost money, made from a Run: Plan in, Build and CustomJob out. Pure. */
import { createHash } from 'node:crypto';
import type { CustomJobSpec } from '../config/job-spec.ts';
import type { BuildRequest, JobRequest } from '../ports.ts';
import { imagePlaceholder, type BuildPlan, type Plan } from '../plan/plan.ts';
import type { StagedSource } from '../watch/run.ts';

/** The label and tag by which a run's own resources are found again. */
export const runLabel = 'trainyard-run';

/** A build has tags, not labels. */
export function runTag(runId: string): string {
  return `${runLabel}-${runId}`;
}

/**
 * A tag made from everything that decides what an image becomes, and from who could have built it: another
 * trust tier's builder may put something else behind the same files. The image carries it for people, the
 * build so that it is found again; a run uses the digest that a build of ours reported.
 */
export function contentTag(plan: Plan, build: BuildPlan, contentHash: string): string {
  const parts = [contentHash, build.dockerfile, plan.tier, build.serviceAccount ?? ''];
  // Half of the hash is still far beyond finding two contexts with the same one.
  return `c-${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 40)}`;
}

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds */
export function toBuildRequest(plan: Plan, build: BuildPlan, source: StagedSource): BuildRequest {
  const content = contentTag(plan, build, source.contentHash);
  const image = `${build.imageName}:${content}`;
  return {
    project: plan.project,
    region: build.region,
    source: { bucket: source.bucket, object: source.object, generation: source.generation },
    steps: [
      {
        name: 'gcr.io/cloud-builders/docker',
        args: ['build', '-t', image, '-f', build.dockerfile, '.'],
        env: ['DOCKER_BUILDKIT=1'],
      },
    ],
    // Listed here, so that Cloud Build pushes it and reports its digest.
    images: [image],
    tags: ['trainyard', runTag(plan.runId), content],
    timeoutSeconds: build.timeoutSeconds,
    logsBucket: `gs://${build.logsBucket}`,
    ...(build.serviceAccount === undefined ? {} : { serviceAccount: build.serviceAccount }),
  };
}

/** @param image `name@sha256:…`; replaces the placeholder in every pool. */
export function toJobRequest(plan: Plan, image: string | undefined): JobRequest {
  return {
    project: plan.project,
    region: plan.job.region,
    displayName: plan.job.displayName,
    spec: image === undefined ? plan.job.spec : withImage(plan.job.spec, image),
    labels: { ...plan.job.labels, [runLabel]: plan.runId },
  };
}

function withImage(spec: CustomJobSpec, image: string): CustomJobSpec {
  return {
    ...spec,
    workerPoolSpecs: spec.workerPoolSpecs.map((pool) =>
      pool.containerSpec?.imageUri === imagePlaceholder
        ? { ...pool, containerSpec: { ...pool.containerSpec, imageUri: image } }
        : pool,
    ),
  };
}
