/**
 * Builds that kept triggers have started, shown as check runs on their commits. One look lists what is new in one
 * place (a project and region) since the last look; a check is found again by its build's id, so it does not
 * matter how often, or in how many replicas, anybody looks.
 */
import { ownCheck } from '../../shared/github/checks.ts';
import { commitPage, type GitHubPlace } from '../../shared/github/pages.ts';
import { publishOne } from '../../shared/github/publish-one.ts';
import { locationName } from '../../shared/google/resource-names.ts';
import { triggerBuildUsd } from '../../shared/policy/outside-cost.ts';
import type { TriggerPorts } from '../../shared/ports.ts';
import {
  isTriggeredBuildOver,
  renderBuildCheck,
  type TriggeredBuild,
} from '../../shared/triggers/report-build.ts';
import { recordOutside, type OutsideSpend } from '../store/outside-spend.ts';
import {
  forgetBuilds,
  knownBuilds,
  leasePlace,
  oldestOpen,
  openBuilds,
  returnPlace,
  saveBuild,
  type KnownBuild,
  type Place,
} from '../store/triggered-builds.ts';
import { getTriggerRepository, triggersIn, type KeptTrigger } from '../store/triggers.ts';
import type { TriggersContext } from './context.ts';
import { readLogTail } from './log-tail.ts';

const leaseMs = 60_000;
/** Lists lag, and clocks differ. */
const overlapMs = 2 * 60_000;
/** How far back a place's first look goes. */
const firstLookMs = 60 * 60_000;
const keptMs = 30 * 24 * 3_600_000;

/** Does not throw: the next look comes soon. @returns whether something there is not over yet */
export async function lookAtBuilds(
  { project, region }: Place,
  context: TriggersContext,
): Promise<{ readonly isBusy: boolean }> {
  const { db, clock, incarnation: holder, log, launchers } = context;
  const place = { project, region };
  const ports = launchers.ofProject(project);
  // Whoever asks may have it from a message that anybody could have sent: only our own places are looked at.
  const triggers = await triggersIn(db, project, region);
  if (ports === undefined || triggers.length === 0) return { isBusy: false };
  const now = clock.now();
  const until = new Date(now.getTime() + leaseMs);
  const held = await leasePlace(db, place, { holder, now, until });
  if (held === undefined) return { isBusy: false };
  let seenUntil: Date | undefined;
  let isBusy = false;
  try {
    const open = await openBuilds(db, place);
    const from = held.seenUntil?.getTime() ?? now.getTime() - firstLookMs;
    const oldest = oldestOpen(open)?.getTime() ?? from;
    const since = new Date(Math.min(from, oldest) - overlapMs);
    const triggerIds = triggers.map(({ id }) => id);
    const found = await ports.triggeredBuilds.list({ ...place, triggerIds, since });
    const ids = found.map(({ id }) => id);
    const known = new Map(
      [...(await knownBuilds(db, place, ids)), ...open].map((one) => [one.build.id, one]),
    );
    await Promise.all(
      merge(found, known, triggers).map((one) => showBuild(one, known, ports, context)),
    );
    isBusy = (await openBuilds(db, place)).length > 0;
    await forgetBuilds(db, new Date(now.getTime() - keptMs));
    seenUntil = now;
  } catch (error) {
    log.warn({ err: error, ...place }, 'triggered builds could not be looked at');
  }
  await returnPlace(db, place, holder, seenUntil);
  return { isBusy };
}

/** What is to be shown: builds as they are now, and those that are over but not yet shown so. */
function merge(
  found: readonly TriggeredBuild[],
  known: ReadonlyMap<string, KnownBuild>,
  triggers: readonly KeptTrigger[],
): readonly KnownBuild[] {
  const kept = new Map(triggers.map((trigger) => [trigger.id, trigger]));
  const current = found.flatMap((build): KnownBuild[] => {
    const before = known.get(build.id);
    const trigger = kept.get(build.triggerId);
    if (before?.closed === true || trigger === undefined) return [];
    const fresh = {
      repositoryId: trigger.repositoryId,
      name: trigger.name,
      logTail: [],
      published: {},
      closed: false,
    };
    return [{ ...(before ?? fresh), build }];
  });
  const seen = new Set(current.map(({ build }) => build.id));
  const late = [...known.values()].filter(({ closed, build }) => !closed && !seen.has(build.id));
  return [...current, ...late];
}

async function showBuild(
  one: KnownBuild,
  known: ReadonlyMap<string, KnownBuild>,
  ports: Pick<TriggerPorts, 'buildLogs'>,
  context: TriggersContext,
): Promise<void> {
  const { db, log } = context;
  const before = known.get(one.build.id);
  const isOver = isTriggeredBuildOver(one.build);
  const hasEndedNow = isOver && (before === undefined || !isTriggeredBuildOver(before.build));
  const logTail = hasEndedNow ? await readLogTail(one.build, ports, log) : one.logTail;
  const published = await publishBuild({ ...one, logTail }, context);
  // Without a commit there is nowhere to show it.
  const closed = published.closed === true;
  const spent = spendOf(one, context);
  await db.transaction().execute(async (trx) => {
    await saveBuild(trx, { ...one, logTail, published, closed });
    await recordOutside(trx, spent, context.clock.now());
  });
}

/** What it costs the repository whose trigger it is: Cloud Build says which trigger, and the trigger is one of ours. */
function spendOf(
  { build, repositoryId }: KnownBuild,
  { config, clock }: TriggersContext,
): readonly OutsideSpend[] {
  const settings = config.repositories.get(repositoryId);
  if (settings === undefined || build.createTime === undefined) return [];
  const now = clock.now();
  return [
    {
      resource: `${locationName(build)}/builds/${build.id}`,
      repositoryId,
      kind: 'trigger_build',
      begunAt: new Date(build.createTime),
      binds: true,
      usd: triggerBuildUsd(build, settings, now),
      endedAt: isTriggeredBuildOver(build) ? new Date(build.finishTime ?? now) : undefined,
    },
  ];
}

async function publishBuild(
  { build, name, repositoryId, logTail, published }: KnownBuild,
  { db, clock, octokitFor, appId, githubUrl, sandbox, log }: TriggersContext,
): Promise<KnownBuild['published']> {
  const repository = await getTriggerRepository(db, repositoryId);
  const { commitSha } = build;
  if (repository === undefined || commitSha === undefined) return { closed: true };
  const octokit = octokitFor(repository.installationId, 'state');
  const check = renderBuildCheck(build, logTail, { sandbox });
  const isOver = isTriggeredBuildOver(build);
  const now = clock.now();
  const content = {
    ...check,
    detailsUrl: detailsOf(build, { githubUrl, ...repository }, sandbox),
    startedAt: build.startTime ?? build.createTime ?? now.toISOString(),
    ...(isOver ? { completedAt: build.finishTime ?? now.toISOString() } : {}),
  };
  const where = {
    owner: repository.owner,
    repo: repository.repo,
    name: `trainyard/build ${name}`,
    headSha: commitSha,
    externalId: build.id,
    appId,
  };
  return publishOne(published, ownCheck(octokit, where, content), {
    now,
    phase: build.status,
    ended: isOver,
    intervalMs: 60_000,
    onFailure: (error) => {
      log.warn({ err: error, build: build.id }, 'GitHub did not take a check of a build');
    },
  });
}

/** Its page in the console, which the sandbox does not have. */
function detailsOf(
  { logUrl, commitSha = '' }: TriggeredBuild,
  place: GitHubPlace,
  sandbox: boolean,
): string {
  const isPage = !sandbox && logUrl?.startsWith('https://') === true && URL.canParse(logUrl);
  return isPage ? logUrl : commitPage(place, commitSha);
}
