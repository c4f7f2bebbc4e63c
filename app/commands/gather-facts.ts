/**
 * Everything that a command is decided by, asked for now: the request and what its repository may use in,
 * facts out. What GitHub does not say is taken for the worse.
 */
import type { ProjectSettings } from '../../shared/config/project-settings.ts';
import { badConfig } from '../../shared/config/bad-config.ts';
import {
  noRepoConfig,
  parseRepoConfig,
  repoConfigPath,
  type RepoConfig,
} from '../../shared/config/repo-config.ts';
import { refusalReasons, UserError } from '../../shared/errors.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { getPull, isTeamMember, type PullRequest } from '../../shared/github/pulls.ts';
import type { BaseFacts } from '../../shared/policy/decide-base.ts';
import type {
  CommandFacts,
  Decision,
  PullFacts,
  Refusal,
  RepositoryFacts,
} from '../../shared/policy/decision.ts';
import type { Policy } from '../../shared/policy/policy.ts';
import { hasForkPlaces, policyOf } from '../../shared/policy/settings-of-tier.ts';
import { secondsBetween } from '../../shared/units.ts';
import { approverOf } from '../store/approvals.ts';
import { usageOf } from '../store/budget.ts';
import { appendEvent } from '../store/events.ts';
import { pusherOf } from '../store/heads.ts';
import { pinHead } from './pin-head.ts';
import type { CommandContext, CommandRequest, Request } from './request.ts';

/**
 * The facts by the operator's rules alone: who has no authority learns nothing of the repository's file.
 * @param sha the commit that is meant, where the command names one
 * @throws {CloudError}
 */
export async function gatherFacts(
  request: CommandRequest,
  context: CommandContext,
  settings: ProjectSettings,
  sha?: string,
): Promise<CommandFacts> {
  const policy = policyOf(settings);
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
    pull: await pullFacts(request, context, pull, { settings, sha }),
    usage: await usageOf(db, owner, now),
  };
}

/** The facts by what the default branch says as well, and that; or why it cannot be read. */
export async function narrowFacts(
  facts: CommandFacts,
  request: CommandRequest,
  context: CommandContext,
  settings: ProjectSettings,
): Promise<{ readonly facts: CommandFacts; readonly repoConfig: RepoConfig } | Refusal> {
  const repoConfig = await readRepoConfig(request, context);
  if ('kind' in repoConfig) return repoConfig;
  const policy = policyOf(settings, repoConfig);
  const teams = await teamsOf(request, context, policy);
  return { facts: { ...facts, policy, actor: { ...facts.actor, teams } }, repoConfig };
}

/** A pull request must not configure its own limits: without a ref this is the default branch. */
export async function readRepoConfig(
  { repository }: CommandRequest,
  { octokit }: CommandContext,
): Promise<RepoConfig | Refusal> {
  try {
    const text = await readTextFile(octokit, repository, repoConfigPath);
    if (text === undefined) return noRepoConfig();
    const parsed = parseRepoConfig(text, repoConfigPath);
    return parsed.ok ? parsed.value : badConfig(parsed.problems);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return toRefusal(error);
  }
}

/** Of the teams that the policy names, those that the person is in; only as far as it matters. */
export async function teamsOf(
  { actor, repository }: Pick<Request, 'actor' | 'repository'>,
  { octokit }: Pick<CommandContext, 'octokit'>,
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

function repositoryFacts(
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
  { settings, sha }: { readonly settings: ProjectSettings; readonly sha: string | undefined },
): Promise<PullFacts> {
  const headShaAtComment = await pinHead(request, pull, db);
  const place = { repositoryId: request.repository.id, pullNumber: request.pullNumber };
  const head = { ...place, sha: sha ?? headShaAtComment ?? pull.headSha };
  return {
    number: pull.number,
    state: pull.state,
    // An account that is gone is nobody whom one could know.
    author: { id: pull.authorId ?? 0, isBot: pull.isAuthorBot },
    headRepositoryId: pull.headRepositoryId,
    forkOwnerId: pull.headRepositoryId === pull.baseRepositoryId ? undefined : pull.headOwnerId,
    headSha: pull.headSha,
    headShaAtComment,
    pusher: await pusherOf(db, head),
    isApproved: (await approverOf(db, head)) !== undefined,
    hasForkPlaces: hasForkPlaces(settings),
  };
}

export function toRefusal(error: UserError): Refusal {
  const reason = refusalReasons.find((known) => known === error.reason) ?? 'bad_config';
  return { kind: 'rejected', reason, message: error.message, fix: error.fix };
}

/** For the audit: what was decided, and by what. There is nothing secret in it. */
export async function recordDecision(
  { key, actor }: Pick<Request, 'key' | 'actor'>,
  { db, now }: CommandContext,
  decision: Decision,
  facts: CommandFacts | BaseFacts,
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
