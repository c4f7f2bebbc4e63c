/** The commit that a command is about: it carries none, and pull requests move. */
import type { Kysely } from 'kysely';
import type { PullRequest } from '../../shared/github/pulls.ts';
import { headAtComment } from '../store/heads.ts';
import type { Tables } from '../store/tables.ts';
import type { CommandRequest } from './request.ts';

/**
 * The commit that the person can have meant. A pull request that was never seen is taken as it is now,
 * unless its repository was pushed to since the comment: then nobody can say.
 */
export async function pinHead(
  request: CommandRequest,
  pull: PullRequest,
  db: Kysely<Tables>,
): Promise<string | undefined> {
  if (request.retries !== undefined) return request.retries.headSha;
  const head = await headAtComment(db, {
    repositoryId: request.repository.id,
    pullNumber: request.pullNumber,
    commentedAt: request.askedAt,
    commentReceivedAt: request.receivedAt,
  });
  if (head.kind === 'known') return head.sha;
  if (head.kind === 'unknown' || pull.headPushedAt === undefined) return undefined;
  return Date.parse(pull.headPushedAt) < request.askedAt.getTime() ? pull.headSha : undefined;
}
