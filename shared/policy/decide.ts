/** Whether a person may have their command: facts asked for just now in, a Decision out. Pure. */
import { formatDuration, shortSha } from '../units.ts';
import {
  permissions,
  type CommandFacts,
  type Decision,
  type Permission,
  type Refusal,
} from './decision.ts';

/** The least permission that may spend money. */
const requiredPermission: Permission = 'write';
/** After an outage a command may be days late, and nobody waits for its run any more. */
const maxAgeSeconds = 600;

export function decide(facts: CommandFacts): Decision {
  const { actor, pull } = facts;
  if (actor.isBot) {
    return reject(
      'no_permission',
      'Bots cannot start runs.',
      'Ask somebody with write access to comment.',
    );
  }
  if (permissions.indexOf(facts.permission) < permissions.indexOf(requiredPermission)) {
    return reject(
      'no_permission',
      'Only people with write access to this repository can start runs.',
      'Ask somebody with write access to comment the command.',
    );
  }
  if (facts.ageSeconds > maxAgeSeconds) {
    return reject(
      'stale_command',
      `The comment was written ${formatDuration(facts.ageSeconds)} ago and could not be handled until now.`,
      'If the run is still wanted, comment the command again.',
    );
  }
  if (pull.state !== 'open') {
    return reject('pull_closed', 'This pull request is closed.', 'Reopen it and comment again.');
  }
  // A deleted head repository was a fork.
  if (pull.headRepositoryId !== pull.baseRepositoryId) {
    return reject(
      'fork_not_approved',
      'This pull request comes from a fork, and code from forks is not run.',
      'Push the branch to this repository after reading it, and open a pull request from there.',
    );
  }
  if (pull.headShaAtComment === undefined) {
    return reject(
      'head_moved',
      'A push may lie between the comment and now, so it is not clear which commit is meant.',
      `To train \`${shortSha(pull.headSha)}\`, the newest commit, comment the command again.`,
    );
  }
  return { kind: 'allowed', tier: 'pull' };
}

/** Whether a person may see to runs that exist: a closed pull request's and a fork's too, above all those. */
export function decideControl(facts: Pick<CommandFacts, 'permission'>): Refusal | undefined {
  if (permissions.indexOf(facts.permission) >= permissions.indexOf(requiredPermission)) {
    return undefined;
  }
  return reject(
    'no_permission',
    'Only people with write access to this repository can see to its runs.',
    'Ask somebody with write access to comment the command.',
  );
}

function reject(
  reason: 'no_permission' | 'stale_command' | 'pull_closed' | 'fork_not_approved' | 'head_moved',
  message: string,
  fix: string,
): Refusal {
  return { kind: 'rejected', reason, message, fix };
}
