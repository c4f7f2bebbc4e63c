/**
 * Whether a job whose run is not on record may have it back, and as what: the job, all that carry its run's label and
 * what the operator's file says of its repository in, a verdict out; then what it says of itself in, a Run out. Pure.
 *
 * The mark covers run, repository, commit, attempt, images, who asked and whether the commit's summary check shows it.
 * It can be copied with them onto a younger job, so of several the oldest of the newest attempt is taken, wherever they
 * are. What the mark does not cover is believed only as far as nobody gains by it: see `lostRun`.
 */
import type { ProjectSettings } from '../config/project-settings.ts';
import { askerIn, shaLabel, summaryLabel, tierLabel } from '../plan/job-labels.ts';
import { isRunId } from '../plan/run-id.ts';
import type { Plan } from '../plan/plan.ts';
import type { TrustTier } from '../policy/decision.ts';
import type { JobDescription } from '../ports.ts';
import { isJobOver, type JobSnapshot, type Run } from '../watch/run.ts';
import { followJob, type JobPlace } from './follow-job.ts';
import { fromOpenJob, isMarked, repositoryIdOf, runIdOf, type OrphanContext } from './orphans.ts';
import { attemptLabel } from './requests.ts';

type LostJobVerdict =
  | { readonly kind: 'restore'; readonly runId: string; readonly headSha: string }
  | {
      readonly kind: 'refuse';
      /** No mark of ours; not where its repository's jobs run; its labels on a younger job. */
      readonly why: 'foreign' | 'place' | 'copy';
    };

export interface LostJobContext extends Pick<OrphanContext, 'owner' | 'mac'>, JobPlace {
  /** The operator's, for the repository that the job says; undefined: it is not served. */
  readonly settings: ProjectSettings | undefined;
}

/** @param namesakes jobs with the same run label, in any state and in all of the repository's regions */
export function judgeLostJob(
  job: JobSnapshot,
  namesakes: readonly JobSnapshot[],
  context: LostJobContext,
): LostJobVerdict {
  const { settings, project, region } = context;
  const resource = fromOpenJob(job);
  const runId = runIdOf(resource);
  const headSha = job.labels[shaLabel] ?? '';
  if (!isMarked(resource, context) || !isRunId(runId) || !/^[0-9a-f]{40}$/.test(headSha))
    return { kind: 'refuse', why: 'foreign' };
  // Marks are the same in every project: a copy in another repository's must not become this one's run.
  if (settings?.project !== project || !settings.regions.includes(region))
    return { kind: 'refuse', why: 'place' };
  const ours = namesakes.filter((one) => {
    const other = fromOpenJob(one);
    return (
      runIdOf(other) === runId &&
      repositoryIdOf(other) === repositoryIdOf(resource) &&
      isMarked(other, context)
    );
  });
  return ours.some((one) => comesFirst(one, job))
    ? { kind: 'refuse', why: 'copy' }
    : { kind: 'restore', runId, headSha };
}

/** Whether that one is the run's rather than this: a later attempt, or the older job of the same. */
function comesFirst(one: JobSnapshot, other: JobSnapshot): boolean {
  if (one.name === other.name) return false;
  const [mine, its] = [one, other].map(({ labels }) => Number(labels[attemptLabel])) as [
    number,
    number,
  ];
  if (mine !== its) return mine > its;
  return (one.createTime ?? '') <= (other.createTime ?? '');
}

/** As long as a job of a plan waits for its machine, and what it may run beyond its timeout. */
const startTimeoutSeconds = 6 * 3_600;
/** Cheap machines are taken away and waited for, and whether it has one is not on the job's description. */
const deadlineGraceSeconds = 24 * 3_600;

const tiers: ReadonlySet<string> = new Set<TrustTier>(['base', 'pull', 'fork']);

const restoredNote = (isAskerKnown: boolean): string =>
  `The record of this run was lost and made anew from its job: ${isAskerKnown ? '' : 'who asked for it, '}with which words it was asked for and by which metric it is judged is not known, and it is not launched again.`;
const noResultsNote =
  'Its results are not read, because they are not where those of this repository and trust tier belong.';

interface Known {
  readonly runId: string;
  readonly headSha: string;
  readonly repository: Plan['subject']['repository'];
  /** Where its card is; undefined: none was found. */
  readonly pullNumber: number | undefined;
}

/**
 * A tier is a label that is not marked, so it decides nothing but where results may lie: there only accounts of that
 * repository and tier may write. Anywhere else nothing is read.
 */
export function lostRun(
  description: JobDescription,
  { owner, settings, ...place }: LostJobContext & { readonly settings: ProjectSettings },
  { runId, headSha, repository, pullNumber }: Known,
): Run {
  const { snapshot } = description;
  const { labels } = snapshot;
  const [tier, asker] = [tierOf(labels), askerIn(labels)];
  const run = followJob(description, place, {
    runId,
    owner,
    tier,
    startTimeoutSeconds,
    subject: {
      repository,
      headSha,
      ...(pullNumber === undefined ? {} : { pullNumber }),
      requestedBy: asker ?? { id: 0, login: '' },
    },
  });
  const {
    job: { outputUriPrefix, ...job },
    notes,
  } = run.plan;
  const bucket = settings.resultsBuckets[place.region];
  const results = `gs://${bucket}/${repository.id}/${tier}/`;
  const isPlaced = bucket !== undefined && outputUriPrefix?.startsWith(results) === true;
  const plan: Plan = {
    ...run.plan,
    ...(labels[summaryLabel] === 'true' ? { summary: true } : {}),
    job: {
      ...job,
      ...(isPlaced ? { outputUriPrefix } : {}),
      deadlineSeconds: job.timeoutSeconds + deadlineGraceSeconds,
    },
    notes: [
      restoredNote(asker !== undefined),
      ...(isPlaced || outputUriPrefix === undefined ? [] : [noResultsNote]),
      ...notes,
    ],
  };
  // While it goes on it is shown as it is from the start; of one that is over the log is still to be read.
  const isOver = isJobOver(snapshot.state);
  return run.job === undefined || isOver
    ? { ...run, plan }
    : { ...run, plan, job: { ...run.job, snapshot } };
}

/** The least that is trusted, where the label says nothing. */
function tierOf(labels: Readonly<Record<string, string>>): TrustTier {
  const label = labels[tierLabel] ?? '';
  return tiers.has(label) ? (label as TrustTier) : 'fork';
}
