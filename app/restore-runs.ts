/**
 * Gives jobs whose run is not on record theirs back, after the database was lost or restored from a backup: what the
 * sweep noted in one look, and nobody knew in the next, in; a Run with its card and check out, which is then followed
 * as any other. It launches nothing.
 */
import { CloudError } from '../shared/errors.ts';
import { findOwnCheck } from '../shared/github/checks.ts';
import type { Octokit, RepositoryName } from '../shared/github/client.ts';
import { findOwnComment } from '../shared/github/comments.ts';
import { listInstallations, listInstalledRepositories } from '../shared/github/repositories.ts';
import { judgeLostJob, lostRun, type LostJobContext } from '../shared/launch/lost-job.ts';
import { fromOpenJob, repositoryIdOf, runIdOf } from '../shared/launch/orphans.ts';
import { runLabel } from '../shared/launch/requests.ts';
import type { JobDescription } from '../shared/ports.ts';
import { parseMarker } from '../shared/report/marker.ts';
import type { JobSnapshot } from '../shared/watch/run.ts';
import type { OctokitFor } from './github-app.ts';
import type { LauncherPorts } from './launchers.ts';
import { summaryCheck } from './publish.ts';
import { appendEvent } from './store/events.ts';
import { lostJobs, restoreRun } from './store/restored-runs.ts';
import { newestRunOfCommit } from './store/runs.ts';
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
export type Installed = (repositoryId: number) => Promise<Installation | undefined>;

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
  const shown = await shownOf(description, { runId, headSha, ...installation }, options);
  const { owner, repo } = installation.name;
  const run = lostRun(
    description,
    { ...context, settings },
    {
      ...{ runId, headSha, pullNumber: shown.pullNumber, hasSummary: shown.summary !== undefined },
      repository: { id: repositoryIdOf(resource), fullName: `${owner}/${repo}` },
    },
  );
  const publication = {
    ...{ comment: idOf(shown.card), check: {} },
    ...(shown.summary === undefined ? {} : { summary: idOf(shown.summary) }),
  };
  const { installationId } = installation;
  if (await restoreRun(db, { run, installationId, publication }, clock.now()))
    log.warn({ run: runId, name, ...shown }, 'a run was restored');
}

function idOf(id: number | undefined): { readonly id?: number } {
  return id === undefined ? {} : { id };
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

interface Shown {
  readonly pullNumber: number | undefined;
  readonly card: number | undefined;
  readonly summary: number | undefined;
}

/**
 * What GitHub shows of the run. The job's label says where to look for the card; that it is the run's, and so that the
 * run is the pull request's, is proved by a comment of ours alone. The run's own check is found when it is published.
 */
async function shownOf(
  { snapshot }: JobDescription,
  { runId, headSha, installationId, name }: Installation & Record<'runId' | 'headSha', string>,
  { db, octokitFor, appId }: RestoreOptions,
): Promise<Shown> {
  const octokit = octokitFor(installationId);
  const label = /^[1-9]\d{0,8}$/.exec(snapshot.labels['trainyard-pr'] ?? '')?.[0];
  const card =
    label === undefined
      ? undefined
      : await unlessGone(
          findOwnComment(
            octokit,
            { ...name, issueNumber: Number(label), author: { appId } },
            (body) => parseMarker(body)?.runId === runId,
          ),
        );
  const repositoryId = repositoryIdOf(fromOpenJob(snapshot));
  // A run that is on record sees to its commit's check.
  const isTaken = (await newestRunOfCommit(db, repositoryId, headSha)) !== undefined;
  const own = { ...name, ...summaryCheck, headSha, appId };
  const summary = isTaken ? undefined : await unlessGone(findOwnCheck(octokit, own, 'open'));
  return { pullNumber: card === undefined ? undefined : Number(label), card, summary };
}

/** A pull request or commit that is not there any more shows nothing. */
async function unlessGone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof CloudError && goneStatuses.has(error.status)) return undefined;
    throw error;
  }
}

const goneStatuses: ReadonlySet<number> = new Set([404, 410, 422]);
