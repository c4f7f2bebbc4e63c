/**
 * What becomes of an open job or build that carries our owner label: the resource and what is on record of its
 * run in, a verdict out. Pure.
 *
 * Ours is what has the MAC of its own labels; everything else is left alone, whatever it says. Ours is ended when
 * nothing will come of it: its run is over, has another job in its place, or nobody knows it and its time is up.
 */
import { recordLabelsIn, repositoryLabel, shaLabel } from '../plan/job-labels.ts';
import { secondsBetween } from '../units.ts';
import type { BuildSnapshot, JobSnapshot, Run } from '../watch/run.ts';
import { attemptLabel, attemptOf, macLabel, ownerLabel, runLabel } from './requests.ts';
import { marksOf, type LaunchFacts, type ResourceMac } from './resource-mac.ts';

/** A job or build in the same terms. */
export interface OpenResource {
  readonly what: 'build' | 'job';
  readonly name: string;
  readonly createTime: string | undefined;
  readonly isCancelling: boolean;
  /** A build's tags as labels. */
  readonly labels: Readonly<Record<string, string>>;
  readonly images: readonly string[];
  readonly timeoutSeconds: number | undefined;
}

export type OrphanVerdict =
  /** Its run sees to it. */
  | { readonly kind: 'followed' }
  /** Not ours: forged, or of a key that is gone. */
  | { readonly kind: 'foreign' }
  /** Ours, of a run that is not on record; it may still do what it was started for. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'end'; readonly why: 'run_over' | 'extra' | 'not_served' | 'expired' };

/** Between an answer and its being stored lie seconds; a run that is behind is not told apart from it. */
const graceSeconds = 600;
/** How long a job may wait for a machine, where its run is not there to say; and a build for its turn. */
const longestWaitSeconds = 24 * 3_600;
/** Where the resource does not say: Cloud Build's longest timeout. */
const longestTimeoutSeconds = 24 * 3_600;

const labelKeys = [runLabel, ownerLabel, repositoryLabel, shaLabel, macLabel];

export function fromOpenJob(job: JobSnapshot): OpenResource {
  return {
    what: 'job',
    name: job.name,
    createTime: job.createTime,
    labels: job.labels,
    images: job.images ?? [],
    timeoutSeconds: job.timeoutSeconds,
    isCancelling: job.state === 'cancelling',
  };
}

export function fromOpenBuild(build: BuildSnapshot): OpenResource {
  const labels = labelKeys.flatMap((key) => {
    // Ours come after those of a repository's own build config.
    const tag = build.tags.findLast((one) => one.startsWith(`${key}-`));
    return tag === undefined ? [] : [[key, tag.slice(key.length + 1)] as const];
  });
  return {
    what: 'build',
    name: build.name,
    createTime: build.createTime,
    labels: { ...Object.fromEntries(labels), [attemptLabel]: '1' },
    images: [],
    timeoutSeconds: undefined,
    isCancelling: false,
  };
}

/** The run that it says it is of. */
export function runIdOf({ labels }: OpenResource): string {
  return labels[runLabel] ?? '';
}

/** The repository that it says it is of; believed only with a MAC. */
export function repositoryIdOf({ labels }: OpenResource): number {
  return Number(labels[repositoryLabel]);
}

export interface OrphanContext {
  readonly owner: string;
  readonly mac: ResourceMac;
  readonly now: Date;
  readonly isServed: (repositoryId: number) => boolean;
}

/** @param run what is on record under the id that the resource says */
export function judgeOrphan(
  resource: OpenResource,
  run: Run | undefined,
  { owner, mac, now, isServed }: OrphanContext,
): OrphanVerdict {
  if (!isMarked(resource, { owner, mac })) return { kind: 'foreign' };
  if (resource.isCancelling) return { kind: 'followed' };
  const age = secondsBetween(resource.createTime ?? now, now);
  if (run !== undefined) return judgeKnown(resource, run, age);
  if (!isServed(repositoryIdOf(resource))) return { kind: 'end', why: 'not_served' };
  const lifetime = longestWaitSeconds + (resource.timeoutSeconds ?? longestTimeoutSeconds);
  return age > lifetime ? { kind: 'end', why: 'expired' } : { kind: 'unknown' };
}

/** Whether it has the mark that only we can make of its own labels and images. */
export function isMarked(
  resource: OpenResource,
  { owner, mac }: Pick<OrphanContext, 'owner' | 'mac'>,
): boolean {
  const marks = marksOf(mac, factsOf(resource, owner));
  return marks.includes(resource.labels[macLabel] ?? '');
}

function factsOf(resource: OpenResource, owner: string): LaunchFacts {
  const { what, labels, images } = resource;
  return {
    what,
    owner,
    images,
    runId: runIdOf(resource),
    repositoryId: repositoryIdOf(resource),
    headSha: labels[shaLabel] ?? '',
    attempt: labels[attemptLabel] ?? '',
    record: recordLabelsIn(labels),
  };
}

function judgeKnown(resource: OpenResource, run: Run, age: number): OrphanVerdict {
  const tracked = resource.what === 'build' ? run.build : run.job;
  if (run.end !== undefined) return { kind: 'end', why: 'run_over' };
  if (tracked?.name === resource.name) return { kind: 'followed' };
  const isOfCurrent = resource.what === 'build' || resource.labels[attemptLabel] === attemptOf(run);
  // Without a name on record the run is looking for it, or a later state of it is on its way.
  const isBehind = isOfCurrent && tracked?.name === undefined;
  const isAhead = Number(resource.labels[attemptLabel]) > Number(attemptOf(run));
  if (isBehind || isAhead || age < graceSeconds) return { kind: 'followed' };
  return { kind: 'end', why: 'extra' };
}
