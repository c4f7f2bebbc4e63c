/**
 * Counts what jobs of workflows cost into the months of their repositories: looked for at start and every few
 * minutes, one list a project and region, of what is new or had not ended.
 *
 * Whose such a job is, its label says, and a workflow has no key to prove it. So a label is believed only of a
 * repository that the operator serves with that very project, and it binds where no other repository uses it:
 * elsewhere it is shown, and nothing is refused for it.
 */
import type { Kysely } from 'kysely';
import type { ProjectSettings } from '../shared/config/project-settings.ts';
import type { ServerConfig } from '../shared/config/server-config.ts';
import { CloudError } from '../shared/errors.ts';
import { workflowOwner } from '../shared/launch/requests.ts';
import { repositoryLabel } from '../shared/plan/job-labels.ts';
import { workflowJobUsd } from '../shared/policy/outside-cost.ts';
import type { Clock, JobDescription } from '../shared/ports.ts';
import { isJobOver } from '../shared/watch/run.ts';
import type { Launchers } from './launchers.ts';
import type { Logger } from './log.ts';
import { lastSpendLook, recordSpendLook, type OutsideSpend } from './store/outside-spend.ts';
import type { Tables } from './store/tables.ts';

interface WorkflowSpendOptions {
  readonly db: Kysely<Tables>;
  readonly config: ServerConfig;
  readonly launchers: Launchers;
  readonly clock: Pick<Clock, 'now'>;
  readonly log: Logger;
}

interface Place {
  readonly project: string;
  readonly region: string;
}

const intervalMs = 5 * 60_000;
/** Lists lag, and clocks differ. */
const overlapMs = 10 * 60_000;

/** Looks at once and then every few minutes. @returns what ends that, once what is at hand is seen to */
export function startWorkflowSpend(options: WorkflowSpendOptions): () => Promise<void> {
  const ending = new AbortController();
  let look = countWorkflows(options, ending.signal);
  const timer = setInterval(() => {
    // One after the other, however slow they are.
    look = look.then(() => countWorkflows(options, ending.signal));
  }, intervalMs);
  return async () => {
    clearInterval(timer);
    ending.abort();
    await look;
  };
}

/** Does not throw: what could not be looked at is looked at the next time, from where it was left. */
async function countWorkflows(options: WorkflowSpendOptions, ending: AbortSignal): Promise<void> {
  for (const place of placesOf(options.config)) {
    if (ending.aborted) return;
    try {
      await countPlace(place, options);
    } catch (error) {
      const level = error instanceof CloudError ? 'warn' : 'error';
      options.log[level]({ err: error, ...place }, 'could not count what workflows have spent');
    }
  }
}

function placesOf({ repositories }: ServerConfig): readonly Place[] {
  const places = [...repositories.values()].flatMap(({ project, regions }) =>
    regions.map((region) => ({ project, region })),
  );
  return [...new Map(places.map((place) => [JSON.stringify(place), place])).values()];
}

async function countPlace(
  place: Place,
  { db, config, launchers, clock }: WorkflowSpendOptions,
): Promise<void> {
  const google = launchers.ofProject(place.project);
  if (google === undefined) return;
  const now = clock.now();
  const last = await lastSpendLook(db, place);
  const from = last === undefined ? monthBegin(now) : earlier(last.seenUntil, last.oldestOpen);
  const since = new Date(from.getTime() - (last === undefined ? 0 : overlapMs));
  const jobs = await google.startedJobs.list({ ...place, owner: workflowOwner, since });
  const spent = jobs.flatMap((job) => spendOf(job, place, config, now) ?? []);
  const open = spent
    .filter(({ endedAt }) => endedAt === undefined)
    .map(({ begunAt }) => begunAt.getTime());
  const oldestOpen = open.length === 0 ? undefined : new Date(Math.min(...open));
  await recordSpendLook(db, place, { seenUntil: now, oldestOpen }, spent);
}

function spendOf(
  job: JobDescription,
  { project, region }: Place,
  { repositories }: ServerConfig,
  now: Date,
): OutsideSpend | undefined {
  const { name, state, labels, createTime, endTime } = job.snapshot;
  const repositoryId = Number(labels[repositoryLabel]);
  const settings = repositories.get(repositoryId);
  if (settings?.project !== project || createTime === undefined) return undefined;
  return {
    resource: name,
    repositoryId,
    kind: 'workflow_job',
    begunAt: new Date(createTime),
    usd: workflowJobUsd(job, region, settings, now),
    endedAt: isJobOver(state) ? new Date(endTime ?? now) : undefined,
    binds: isAlone(settings, [...repositories.values()]),
  };
}

/** Whoever starts a job in the project can only mean this repository. */
function isAlone({ project }: ProjectSettings, all: readonly ProjectSettings[]): boolean {
  return all.filter((one) => one.project === project).length === 1;
}

/** UTC, as months are counted. */
function monthBegin(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1));
}

function earlier(a: Date, b: Date | undefined): Date {
  return b === undefined || a < b ? a : b;
}
