/**
 * Everything that a command is decided by, asked for now: the request and what its repository may use in,
 * facts out. What GitHub does not say is taken for the worse.
 */
import type { ProjectSettings } from '../../shared/config/project-settings.ts';
import { getPull, isTeamMember, type PullRequest } from '../../shared/github/pulls.ts';
import type {
  CommandFacts,
  Decision,
  PullFacts,
  RepositoryFacts,
} from '../../shared/policy/decision.ts';
import type { Policy } from '../../shared/policy/policy.ts';
import { hasForkPlaces } from '../../shared/policy/settings-of-tier.ts';
import { secondsBetween } from '../../shared/units.ts';
import { approverOf } from '../store/approvals.ts';
import { usageOf } from '../store/budget.ts';
import { appendEvent } from '../store/events.ts';
import { pusherOf } from '../store/heads.ts';
import { pinHead } from './pin-head.ts';
import type { CommandContext, CommandRequest } from './request.ts';

/** @throws {CloudError} */
export async function gatherFacts(
  request: CommandRequest,
  context: CommandContext,
  settings: ProjectSettings,
  policy: Policy,
): Promise<CommandFacts> {
  const { db, octokit } = context;
  const { repository, pullNumber, actor } = request;
  const now = context.now();
  const pull = await getPull(octokit, repository, pullNumber);
  const owner = { repositoryId: repository.id, pullNumber, actorId: actor.id };
  return {
    actor: {
      id: actor.id,
      login: actor.login,
      isBot: actor.isBot === true,
      teams: await teamsOf(request, context, policy),
    },
    permission: request.permission,
    policy,
    ageSeconds: Math.max(0, secondsBetween(request.askedAt, now)),
    repository: repositoryFacts(request, pull, settings),
    pull: await pullFacts(request, context, pull, settings),
    usage: await usageOf(db, owner, now),
  };
}

/** Of the teams that the policy names, those that the person is in; only as far as it matters. */
export async function teamsOf(
  { actor, repository }: CommandRequest,
  { octokit }: CommandContext,
  { members }: Policy,
): Promise<readonly string[]> {
  const names = members.flatMap(({ teams, users }) => (users.includes(actor.id) ? [] : teams));
  const asked = await Promise.all(
    [...new Set(names)].map(async (team) =>
      (await isTeamMember(octokit, repository.owner, team, actor.login)) ? [team] : [],
    ),
  );
  return asked.flat();
}

export function repositoryFacts(
  { repository }: Pick<CommandRequest, 'repository'>,
  pull: PullRequest,
  settings: ProjectSettings,
): RepositoryFacts {
  return {
    id: repository.id,
    idByName: pull.baseRepositoryId,
    isArchived: pull.isBaseArchived,
    ownerId: pull.baseOwnerId,
    requiredOwnerId: settings.ownerId,
  };
}

async function pullFacts(
  request: CommandRequest,
  { db }: CommandContext,
  pull: PullRequest,
  settings: ProjectSettings,
): Promise<PullFacts> {
  const headShaAtComment = await pinHead(request, pull, db);
  const place = { repositoryId: request.repository.id, pullNumber: request.pullNumber };
  const head = { ...place, sha: headShaAtComment ?? pull.headSha };
  return {
    number: pull.number,
    state: pull.state,
    // An account that is gone is nobody whom one could know.
    author: { id: pull.authorId ?? 0, isBot: pull.isAuthorBot },
    headRepositoryId: pull.headRepositoryId,
    headSha: pull.headSha,
    headShaAtComment,
    pusher: await pusherOf(db, head),
    isApproved: (await approverOf(db, head)) !== undefined,
    hasForkPlaces: hasForkPlaces(settings),
  };
}

/** For the audit: what was decided, and by what. There is nothing secret in it. */
export async function recordDecision(
  { key, actor }: CommandRequest,
  { db, now }: CommandContext,
  decision: Decision,
  facts: CommandFacts,
): Promise<void> {
  const { kind: verdict } = decision;
  const why = verdict === 'allowed' ? { tier: decision.tier } : { reason: decision.reason };
  await appendEvent(db, now(), {
    kind: 'decision',
    repositoryId: key.repositoryId,
    actorId: actor.id,
    detail: { origin: key.origin, verdict, ...why, facts },
  });
}
