/** Where a pull request's head was when somebody commented, by our own receipts. */
import type { Kysely } from 'kysely';
import type { HeadReceipt } from './deliveries.ts';
import type { Tables } from './tables.ts';

type HeadAtComment =
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

/** True when a receipt tells of that commit, whenever it came. */
export async function isReceived(
  db: Kysely<Tables>,
  head: { readonly repositoryId: number; readonly pullNumber: number; readonly sha: string },
): Promise<boolean> {
  const row = await db
    .selectFrom('heads')
    .select('sha')
    .where('repository_id', '=', head.repositoryId)
    .where('pull_number', '=', head.pullNumber)
    .where('sha', '=', head.sha)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Who brought that commit to the pull request; undefined when no receipt says so. The same commit may come
 * again, so the first one counts: whoever pushed it then has written it.
 */
export async function pusherOf(
  db: Kysely<Tables>,
  head: { readonly repositoryId: number; readonly pullNumber: number; readonly sha: string },
): Promise<{ readonly id: number; readonly isBot: boolean } | undefined> {
  const row = await db
    .selectFrom('heads')
    .select(['pusher_id', 'pushed_by_bot'])
    .where('repository_id', '=', head.repositoryId)
    .where('pull_number', '=', head.pullNumber)
    .where('sha', '=', head.sha)
    .where('pusher_id', 'is not', null)
    .orderBy('happened_at')
    .executeTakeFirst();
  return row?.pusher_id == null
    ? undefined
    : { id: row.pusher_id, isBot: row.pushed_by_bot === true };
}

/** When a push was first heard of: what is sent again later is the same push. */
export async function firstReceivedAt(
  db: Kysely<Tables>,
  { repositoryId, pullNumber, sha, happenedAt }: HeadReceipt,
): Promise<Date | undefined> {
  const row = await db
    .selectFrom('heads')
    .select('received_at')
    .where('repository_id', '=', repositoryId)
    .where('pull_number', '=', pullNumber)
    .where('sha', '=', sha)
    .where('happened_at', '=', happenedAt)
    .executeTakeFirst();
  return row?.received_at;
}
