/** The commit that a command is about: it carries none, and pull requests move. */
import type { Kysely } from 'kysely';
import type { PullRequest } from '../../shared/github/pulls.ts';
import { headAtComment, isReceived } from '../store/heads.ts';
import type { Tables } from '../store/tables.ts';
import type { CommandRequest } from './request.ts';

/**
 * The commit that the person can have meant. What no receipt tells of, a pull request that was never seen or a push
 * whose delivery was lost, is taken as it is now, unless its repository was pushed to since the comment: then only
 * a receipt can say.
 */
export async function pinHead(
  request: Pick<CommandRequest, 'retries' | 'repository' | 'pullNumber' | 'askedAt' | 'receivedAt'>,
  pull: Pick<PullRequest, 'headSha' | 'headPushedAt'>,
  db: Kysely<Tables>,
): Promise<string | undefined> {
  if (request.retries !== undefined) return request.retries.headSha;
  const where = { repositoryId: request.repository.id, pullNumber: request.pullNumber };
  const head = await headAtComment(db, {
    ...where,
    commentedAt: request.askedAt,
    commentReceivedAt: request.receivedAt,
  });
  if (head.kind === 'unknown') return undefined;
  const known = head.kind === 'known' ? head.sha : undefined;
  if (known === pull.headSha) return known;
  const isAsItWas = Date.parse(pull.headPushedAt ?? '') < request.askedAt.getTime();
  const isNews = !(await isReceived(db, { ...where, sha: pull.headSha }));
  return isAsItWas && isNews ? pull.headSha : known;
}
