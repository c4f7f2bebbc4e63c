/** Where a pull request's head was when somebody commented, by our own receipts. */
import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';

export type HeadAtComment =
  | { readonly kind: 'known'; readonly sha: string }
  /** There are receipts, but all of them are later than the comment. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'never_seen' };

/**
 * The head that the comment's author can have seen. Both instants are GitHub's, in whole seconds; within
 * the same second the order of arrival here decides.
 */
export async function headAtComment(
  db: Kysely<Tables>,
  where: {
    readonly repositoryId: number;
    readonly pullNumber: number;
    readonly commentedAt: Date;
    /** When the comment's delivery arrived here. */
    readonly commentReceivedAt: Date;
  },
): Promise<HeadAtComment> {
  const receipts = await db
    .selectFrom('heads')
    .select(['sha', 'happened_at', 'received_at'])
    .where('repository_id', '=', where.repositoryId)
    .where('pull_number', '=', where.pullNumber)
    .orderBy('happened_at', 'desc')
    .orderBy('received_at', 'desc')
    .limit(100)
    .execute();
  if (receipts.length === 0) return { kind: 'never_seen' };
  const commented = where.commentedAt.getTime();
  const before = receipts.find(({ happened_at, received_at }) => {
    const happened = happened_at.getTime();
    return (
      happened < commented || (happened === commented && received_at < where.commentReceivedAt)
    );
  });
  return before === undefined ? { kind: 'unknown' } : { kind: 'known', sha: before.sha };
}
