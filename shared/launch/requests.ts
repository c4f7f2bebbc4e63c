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
 * The image's name with a tag made from what goes into it. The tag is for people: a run uses the digest
 * that its own build reported, because whoever may push can move a tag.
 */
export function imageTag(build: BuildPlan, source: StagedSource): string {
  const hash = createHash('sha256')
    .update(source.contentHash)
    .update('\0')
    .update(build.dockerfile);
  return `${build.imageName}:c-${hash.digest('hex').slice(0, 20)}`;
}

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds */
export function toBuildRequest(plan: Plan, build: BuildPlan, source: StagedSource): BuildRequest {
  const image = imageTag(build, source);
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
    tags: ['trainyard', runTag(plan.runId)],
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
