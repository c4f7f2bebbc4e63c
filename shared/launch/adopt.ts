/**
 * Which of the jobs or builds that carry a run's label are the run's: what was found and the Run in, those
 * that may be adopted and those that look like ours and are not out. Pure.
 *
 * A label alone proves nothing. Account, image and time must be those of the request that this attempt
 * sends, and where there is a key, so must the MAC; a workflow has no key to keep.
 */
import { secondsBetween } from '../units.ts';
import type { BuildSnapshot, JobSnapshot, Run, Tracked } from '../watch/run.ts';
import {
  buildFacts,
  imagesOf,
  isOfAttempt,
  jobFacts,
  macLabel,
  macTag,
  toBuildRequest,
  toJobRequest,
} from './requests.ts';
import { marksOf, type ResourceMac } from './resource-mac.ts';

/** A clock at Google may be behind ours; a resource older than that is not the one we meant to create. */
export const clockSkewSeconds = 60;

/** Whom Google names as a resource's account where the request named none. @see serviceAccountOf */
const defaultAccounts = {
  /** @see https://cloud.google.com/vertex-ai/docs/general/access-control#service-agents */
  job: /^service-\d+@gcp-sa-aiplatform(?:-cc)?\.iam\.gserviceaccount\.com$/,
  /** @see https://cloud.google.com/build/docs/cloud-build-service-account-updates */
  build: /^\d+(?:@cloudbuild|-compute@developer)\.gserviceaccount\.com$/,
} as const;

interface Found<S> {
  /** Oldest first: the first is the run's, the others are its extras. */
  readonly ours: readonly S[];
  /** Somebody else's, with our label; left alone. */
  readonly strange: readonly Strange[];
}

export interface Strange {
  readonly name: string;
  readonly why: 'mac' | 'account' | 'image' | 'older';
}

export function sortOutJobs(
  run: Run,
  tracked: Tracked<JobSnapshot>,
  found: readonly JobSnapshot[],
  mac: ResourceMac | undefined,
): Found<JobSnapshot> {
  const { spec } = toJobRequest(run);
  // An older version has written less into them.
  const marks = (job: JobSnapshot) => mac && marksOf(mac, jobFacts(run, job.labels));
  const images = imagesOf(spec);
  // A job of an earlier attempt is ours, and behind us.
  const ofAttempt = found.filter(({ labels }) => isOfAttempt(run, labels));
  return sortOut(ofAttempt, tracked, (job) => {
    if (marks(job)?.includes(job.labels[macLabel] ?? '') === false) return 'mac';
    if (!isAccount(job.serviceAccount, spec.serviceAccount, 'job')) return 'account';
    const its = job.images ?? [];
    return its.length === images.length && its.every((image, at) => image === images[at])
      ? undefined
      : 'image';
  });
}

export function sortOutBuilds(
  run: Run,
  tracked: Tracked<BuildSnapshot>,
  found: readonly BuildSnapshot[],
  mac: ResourceMac | undefined,
): Found<BuildSnapshot> {
  const { plan, source } = run;
  if (plan.build === undefined || source === undefined) return { ours: [], strange: [] };
  const { build } = toBuildRequest(plan, plan.build, source);
  const marks = mac && marksOf(mac, buildFacts(plan)).map(macTag);
  return sortOut(found, tracked, ({ tags, serviceAccount }) => {
    if (marks?.some((mark) => tags.includes(mark)) === false) return 'mac';
    return isAccount(serviceAccount, build.serviceAccount, 'build') ? undefined : 'account';
  });
}

function sortOut<S extends { readonly name: string; readonly createTime?: string }>(
  found: readonly S[],
  tracked: Tracked<S>,
  misfitOf: (one: S) => Strange['why'] | undefined,
): Found<S> {
  const { intent } = tracked;
  const since = intent.firstAt ?? intent.at;
  const ours: S[] = [];
  const strange: Strange[] = [];
  for (const one of found) {
    const { name, createTime } = one;
    const isYoung =
      createTime !== undefined && secondsBetween(since, createTime) > -clockSkewSeconds;
    const why = misfitOf(one) ?? (isYoung ? undefined : 'older');
    if (why === undefined) ours.push(one);
    else strange.push({ name, why });
  }
  ours.sort((a, b) => ((a.createTime ?? '') < (b.createTime ?? '') ? -1 : 1));
  return { ours, strange };
}

function isAccount(
  actual: string | undefined,
  wanted: string | undefined,
  what: keyof typeof defaultAccounts,
): boolean {
  const name = emailOf(actual);
  if (emailOf(wanted) !== '') return name === emailOf(wanted);
  return name === '' || defaultAccounts[what].test(name);
}

/** Cloud Build writes `projects/P/serviceAccounts/EMAIL`. */
function emailOf(account: string | undefined): string {
  return (account ?? '').replace(/^.*\//, '');
}
