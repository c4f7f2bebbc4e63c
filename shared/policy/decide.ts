/** Whether a person may have their command: facts asked for just now in, a Decision out. Pure. */
import { formatDuration, shortSha } from '../units.ts';
import {
  reject,
  type CommandFacts,
  type Decision,
  type Permission,
  type PullFacts,
  type Refusal,
  type RepositoryFacts,
  type TrustTier,
} from './decision.ts';
import { controlPermission, hasPermission, type Policy, type PolicyRules } from './policy.ts';
import { checkUsage } from './usage.ts';

/** After an outage a command may be days late, and nobody waits for its run any more. */
const maxAgeSeconds = 600;

export function decide(facts: CommandFacts): Decision {
  const { ageSeconds, pull, policy, usage } = facts;
  const refusal =
    refuseActor(facts) ??
    refuseRepository(facts.repository) ??
    (ageSeconds > maxAgeSeconds ? tooLate(ageSeconds) : undefined) ??
    (pull.state === 'open' ? undefined : closed) ??
    refuseCommit(facts) ??
    checkUsage(policy, usage, 0);
  return refusal ?? { kind: 'allowed', tier: tierOf(facts) };
}

/**
 * Whether somebody may see to runs that exist: a closed pull request's and a fork's too, above all those.
 * @param policy the operator's rules
 */
export function decideControl(
  {
    permission,
    actor,
  }: Pick<CommandFacts, 'permission'> & { readonly actor?: { readonly id: number } },
  policy: Pick<PolicyRules, 'permission' | 'bots'> = {},
): Refusal | undefined {
  const least = controlPermission(policy);
  const isNamedBot = actor !== undefined && policy.bots?.includes(actor.id) === true;
  return isNamedBot || hasPermission(permission, least)
    ? undefined
    : reject(
        'no_permission',
        `Only people with ${least} access to this repository can see to its runs.`,
        `Ask somebody with ${least} access to comment the command.`,
      );
}

/** Why that person, or that bot, may not start runs. */
export function refuseActor({
  actor,
  permission,
  policy,
}: Pick<CommandFacts, 'actor' | 'permission' | 'policy'>): Refusal | undefined {
  if (actor.isBot) {
    return policy.bots.includes(actor.id)
      ? undefined
      : reject(
          'no_permission',
          'Bots cannot start runs here.',
          `Ask somebody with ${policy.permission} access to comment.`,
        );
  }
  if (!hasPermission(permission, policy.permission)) return needsPermission(policy.permission);
  const isMember = policy.members.every(
    ({ teams, users }) =>
      users.includes(actor.id) || teams.some((team) => actor.teams.includes(team)),
  );
  return isMember ? undefined : needsMembership(policy);
}

/** Whose code the commit is. A deleted head repository was a fork; what a bot wrote nobody has read. */
export function tierOf({ pull, repository }: Pick<CommandFacts, 'pull' | 'repository'>): TrustTier {
  const isOwn =
    pull.headRepositoryId === repository.id && !pull.author.isBot && pull.pusher?.isBot !== true;
  return isOwn ? 'pull' : 'fork';
}

/** Why nothing is run for what answers to the repository's name. */
export function refuseRepository(repository: RepositoryFacts): Refusal | undefined {
  const { id, idByName, isArchived, ownerId, requiredOwnerId } = repository;
  if (id !== idByName) {
    return reject(
      'repository_not_allowed',
      "The repository's name leads to another repository now.",
      'Comment again; if that does not help, ask the operator of Trainyard.',
    );
  }
  if (requiredOwnerId !== undefined && ownerId !== requiredOwnerId) {
    return reject(
      'repository_not_allowed',
      'This repository belongs to another account than the one that Trainyard serves it for.',
      'Ask the operator of Trainyard to correct its `owner_id`, if it should be served.',
    );
  }
  return isArchived
    ? reject(
        'repository_not_allowed',
        'This repository is archived.',
        'Unarchive it and comment again.',
      )
    : undefined;
}

function refuseCommit(facts: CommandFacts): Refusal | undefined {
  const { pull, policy } = facts;
  const tier = tierOf(facts);
  if (tier === 'fork' && policy.forks === 'never') return forksNeverRun(facts);
  if (pull.headShaAtComment === undefined) return headMoved(pull);
  if (tier !== 'fork') return undefined;
  if (!pull.hasForkPlaces) return noForkPlaces;
  // An approval is void once something was pushed, though the commit before it may be asked for again.
  const isNewest = pull.headShaAtComment === pull.headSha;
  return pull.isApproved && isNewest ? undefined : notApproved(pull.headSha);
}

function needsPermission(permission: Permission): Refusal {
  return reject(
    'no_permission',
    `Only people with ${permission} access to this repository can start runs.`,
    `Ask somebody with ${permission} access to comment the command.`,
  );
}

function needsMembership({ members }: Policy): Refusal {
  const teams = [...new Set(members.flatMap((circle) => circle.teams))];
  const names = teams.slice(0, 5).map((team) => `\`${team}\``);
  return reject(
    'no_permission',
    'Only the people whom the policy of this repository names can start runs.',
    names.length === 0
      ? 'Ask one of them to comment the command.'
      : `Ask a member of ${names.join(' or ')} to comment the command.`,
  );
}

function tooLate(ageSeconds: number): Refusal {
  return reject(
    'stale_command',
    `The comment was written ${formatDuration(ageSeconds)} ago and could not be handled until now.`,
    'If the run is still wanted, comment the command again.',
  );
}

const closed = reject(
  'pull_closed',
  'This pull request is closed.',
  'Reopen it and comment again.',
);

function forksNeverRun({ pull, repository }: CommandFacts): Refusal {
  return pull.headRepositoryId === repository.id
    ? reject(
        'fork_not_approved',
        'A bot wrote this pull request or its commit, and what nobody has read is not run.',
        'After reading it, push it yourself to a branch of your own, and open a pull request from there.',
      )
    : reject(
        'fork_not_approved',
        'This pull request comes from a fork, and code from forks is not run.',
        'Push the branch to this repository after reading it, and open a pull request from there.',
      );
}

function headMoved({ headSha }: PullFacts): Refusal {
  return reject(
    'head_moved',
    'A push may lie between the comment and now, so it is not clear which commit is meant.',
    `To train \`${shortSha(headSha)}\`, the newest commit, comment the command again.`,
  );
}

const noForkPlaces = reject(
  'fork_not_approved',
  'Code from forks needs a builder, a trainer and a registry of its own, which are not there.',
  'Ask the operator of Trainyard to name them for the tier `fork`.',
);

function notApproved(sha: string): Refusal {
  return reject(
    'fork_not_approved',
    `Nobody has approved \`${shortSha(sha)}\`, which comes from a fork or a bot.`,
    `Read it, and comment \`/approve ${sha}\`; then comment the command again.`,
  );
}
