/** Whether a person may approve a commit of a fork: facts asked for just now in, a Refusal or nothing out. Pure. */
import { shortSha } from '../units.ts';
import { refuseActor, refuseRepository, tierOf } from './decide.ts';
import { reject, type CommandFacts, type Refusal } from './decision.ts';
import { hasPermission } from './policy.ts';

export type ApprovalFacts = Omit<CommandFacts, 'usage' | 'ageSeconds'>;

/** @param sha the commit that is to be approved; the pusher among the facts is its */
export function decideApproval(facts: ApprovalFacts, sha: string): Refusal | undefined {
  const { actor, permission, policy, pull } = facts;
  if (actor.isBot || !hasPermission(permission, 'write')) {
    return reject(
      'no_permission',
      'Only people with write access can approve the code of a fork.',
      'Ask somebody with write access to read and approve it.',
    );
  }
  const refusal = refuseActor(facts) ?? refuseRepository(facts.repository);
  if (refusal !== undefined) return refusal;
  if (pull.state !== 'open')
    return reject('pull_closed', 'This pull request is closed.', 'Reopen it and comment again.');
  if (tierOf(facts) !== 'fork') {
    return reject(
      'bad_argument',
      'This pull request comes from the repository itself and needs no approval.',
      'Comment `/train`.',
    );
  }
  if (policy.forks === 'never') {
    return reject(
      'fork_not_approved',
      'Code from forks is not run in this repository, approved or not.',
      'Push the branch to this repository after reading it, and open a pull request from there.',
    );
  }
  // The owner of the fork can have pushed, whoever opened the pull request.
  if ([pull.author.id, pull.pusher?.id, pull.forkOwnerId].includes(actor.id)) {
    return reject(
      'no_permission',
      'Nobody can approve code of their own.',
      'Ask somebody else with write access to read and approve it.',
    );
  }
  // A push after the comment was written is seen here or voids the approval later: it is of one commit.
  return sha === pull.headSha
    ? undefined
    : reject(
        'head_moved',
        `\`${shortSha(sha)}\` is not the newest commit of this pull request.`,
        `Read \`${shortSha(pull.headSha)}\`, and comment \`/approve ${pull.headSha}\`.`,
      );
}
