/** What people without authority were shown, put on record before it is shown: their comments come all at once. */
import { sql, type Kysely } from 'kysely';
import type { Tables } from './tables.ts';

interface StrangerComment {
  readonly id: number;
  readonly actorId: number;
  readonly repositoryId: number;
  readonly pullNumber: number;
}

/** How many signs a person may have. */
interface SignLimit {
  /** In all repositories together, within the window. */
  readonly recently: number;
  readonly windowMs: number;
}

/** One answer in a pull request, reactions from then on, and nothing beyond the limit. */
type Sign = 'answer' | 'reaction' | 'silence';

/** Whether the person has had all of them for now. */
export async function hasAllSigns(
  db: Kysely<Tables>,
  actorId: number,
  limit: SignLimit,
  now: Date,
): Promise<boolean> {
  const { count } = await db
    .selectFrom('stranger_signs')
    .select(sql<number>`count(*)::int`.as('count'))
    .where('actor_id', '=', actorId)
    .where('given_at', '>', new Date(now.getTime() - limit.windowMs))
    .executeTakeFirstOrThrow();
  return count >= limit.recently;
}

/** What that comment gets; the same for the same comment, however often it is asked for. */
export async function claimSign(
  db: Kysely<Tables>,
  comment: StrangerComment,
  limit: SignLimit,
  now: Date,
): Promise<Sign> {
  const { id, actorId, repositoryId, pullNumber } = comment;
  return db.transaction().execute(async (trx) => {
    // From here on a person's comments are looked at one after the other.
    const lock = `trainyard-stranger/${actorId}`;
    await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(trx);
    const known = await trx
      .selectFrom('stranger_signs')
      .select('kind')
      .where('repository_id', '=', repositoryId)
      .where('comment_id', '=', id)
      .executeTakeFirst();
    if (known !== undefined) return known.kind;
    if (await hasAllSigns(trx, actorId, limit, now)) return 'silence';
    const place = { repository_id: repositoryId, pull_number: pullNumber, actor_id: actorId };
    const answered = await trx
      .selectFrom('stranger_signs')
      .select('comment_id')
      .where('repository_id', '=', repositoryId)
      .where('pull_number', '=', pullNumber)
      .where('actor_id', '=', actorId)
      .where('kind', '=', 'answer')
      .executeTakeFirst();
    const kind = answered === undefined ? 'answer' : 'reaction';
    await trx
      .insertInto('stranger_signs')
      .values({ ...place, comment_id: id, kind, given_at: now })
      .execute();
    return kind;
  });
}
