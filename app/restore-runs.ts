/**
 * Gives jobs whose run is not on record theirs back, after the database was lost or restored from a backup: what the
 * sweep noted in one look, and nobody knew in the next, in; a Run with its card and check out, which is then followed
 * as any other. It launches nothing.
 */
import { CloudError } from '../shared/errors.ts';
import type { Octokit, RepositoryName } from '../shared/github/client.ts';
import { findOwnComment } from '../shared/github/comments.ts';
import { listInstallations, listInstalledRepositories } from '../shared/github/repositories.ts';
import { judgeLostJob, lostRun, type LostJobContext } from '../shared/launch/lost-job.ts';
import { fromOpenJob, repositoryIdOf, runIdOf } from '../shared/launch/orphans.ts';
import { runLabel } from '../shared/launch/requests.ts';
import { pullLabel } from '../shared/plan/job-labels.ts';
import type { JobDescription } from '../shared/ports.ts';
import { parseMarker } from '../shared/report/marker.ts';
import type { JobSnapshot } from '../shared/watch/run.ts';
import type { OctokitFor } from './github-app.ts';
import type { LauncherPorts } from './launchers.ts';
import { appendEvent } from './store/events.ts';
import { lostJobs, restoreRun } from './store/restored-runs.ts';
import type { OrphanSweepOptions } from './sweep-orphans.ts';

export interface RestoreOptions extends OrphanSweepOptions {
  /** Acts as the App itself. */
  readonly octokitAsApp: Octokit;
  readonly octokitFor: OctokitFor;
  readonly appId: number;
  /** How long a job must have been without a run: one that is just being stored is not lost. */
  readonly settleMs: number;
}

/** How long a job may wait for GitHub or Google to say whose it is; it may be over by then. */
const patienceMs = 3 * 24 * 3_600_000;

interface Place {
  readonly project: string;
  readonly region: string;
}

/** Where the App is installed, asked for once and only when somebody needs it. */
type Installed = (repositoryId: number) => Promise<Installation | undefined>;

interface Installation {
  readonly installationId: number;
  readonly name: RepositoryName;
}

export function findInstalled({
  octokitAsApp,
  octokitFor,
}: Pick<RestoreOptions, 'octokitAsApp' | 'octokitFor'>): Installed {
  const ask = async (): Promise<ReadonlyMap<number, Installation>> => {
    const found = new Map<number, Installation>();
    for (const installationId of await listInstallations(octokitAsApp)) {
      for (const { id, name } of await listInstalledRepositories(octokitFor(installationId)))
        found.set(id, { installationId, name });
    }
    return found;
  };
  let asked: ReturnType<typeof ask> | undefined;
  return async (repositoryId) => (await (asked ??= ask())).get(repositoryId);
}

/** @returns whether there are jobs that will be looked at again when they have been without a run for long enough */
export async function restoreLostRuns(
  google: LauncherPorts,
  place: Place,
  installed: Installed,
  options: RestoreOptions,
): Promise<boolean> {
  const { db, clock, settleMs, log } = options;
  const now = clock.now().getTime();
  const lost = await lostJobs(db, place, new Date(now - patienceMs));
  const isRipe = ({ foundAt }: { readonly foundAt: Date }): boolean =>
    now - foundAt.getTime() >= settleMs;
  for (const { name } of lost.filter(isRipe)) {
    try {
      await restoreLost(google, name, place, installed, options);
    } catch (error) {
      // One that cannot be had now must not keep the others from theirs.
      const level = error instanceof CloudError ? 'warn' : 'error';
      log[level]({ err: error, name }, 'a run could not be restored');
    }
  }
  return !lost.every(isRipe);
}

async function restoreLost(
  google: LauncherPorts,
  name: string,
  place: Place,
  installed: Installed,
  options: RestoreOptions,
): Promise<void> {
  const { db, config, mac, clock, log } = options;
  const description = await google.jobDescriptions.describe(name);
  const resource = fromOpenJob(description.snapshot);
  const settings = config.repositories.get(repositoryIdOf(resource));
  const context = { ...place, owner: config.owner, mac, settings };
  const namesakes = await namesakesOf(google, runIdOf(resource), context);
  const verdict = judgeLostJob(description.snapshot, namesakes, context);
  if (verdict.kind === 'refuse' || settings === undefined) {
    const detail = { name, why: verdict.kind === 'refuse' ? verdict.why : 'place' };
    log.warn(detail, 'a job is not given a run');
    await appendEvent(db, clock.now(), { kind: 'restore_refused', detail });
    return;
  }
  const installation = await installed(repositoryIdOf(resource));
  if (installation === undefined) {
    log.warn({ name }, 'the App is not installed where a lost run belongs');
    return;
  }
  const { runId, headSha } = verdict;
  const card = await cardOf(description, runId, installation, options);
  const { owner, repo } = installation.name;
  const run = lostRun(
    description,
    { ...context, settings },
    {
      runId,
      headSha,
      pullNumber: card?.pullNumber,
      repository: { id: repositoryIdOf(resource), fullName: `${owner}/${repo}` },
    },
  );
  // Its check is looked for when it is published.
  const publication = { comment: card === undefined ? {} : { id: card.id }, check: {} };
  const { installationId } = installation;
  if (await restoreRun(db, { run, installationId, publication }, clock.now()))
    log.warn({ run: runId, name, card: card?.id }, 'a run was restored');
}

/** All jobs with the run's label, in whatever state, in the regions that the repository has. */
async function namesakesOf(
  { jobs }: LauncherPorts,
  runId: string,
  { project, settings }: LostJobContext,
): Promise<readonly JobSnapshot[]> {
  if (settings?.project !== project) return [];
  const found = await Promise.all(
    settings.regions.map((region) =>
      jobs.findByLabel({ project, region, key: runLabel, value: runId }),
    ),
  );
  return found.flat();
}

interface Card {
  readonly pullNumber: number;
  /** Its comment's id. */
  readonly id: number;
}

/**
 * The job's label says in which pull request to look; that the card is the run's, and the run the pull request's, is
 * proved by a comment of ours alone. Undefined: none is there any more.
 */
async function cardOf(
  { snapshot }: JobDescription,
  runId: string,
  { installationId, name }: Installation,
  { octokitFor, appId }: RestoreOptions,
): Promise<Card | undefined> {
  const label = /^[1-9]\d{0,8}$/.exec(snapshot.labels[pullLabel] ?? '')?.[0];
  if (label === undefined) return undefined;
  const pullNumber = Number(label);
  try {
    const id = await findOwnComment(
      octokitFor(installationId),
      { ...name, issueNumber: pullNumber, author: { appId } },
      (body) => parseMarker(body)?.runId === runId,
    );
    return id === undefined ? undefined : { pullNumber, id };
  } catch (error) {
    if (error instanceof CloudError && (error.status === 404 || error.status === 410))
      return undefined;
    throw error;
  }
}
