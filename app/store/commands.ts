/** Commands: one row per line of a comment, written before anything is done about it. */
import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

export interface CommandKey {
  readonly repositoryId: number;
  readonly commentId: number;
  readonly line: number;
}

export interface CommandRecord {
  /** True when this call wrote the row: nobody can have answered it yet. */
  readonly fresh: boolean;
  readonly verdict: string | null;
  readonly answered: boolean;
}

/** Registers a command, or says what became of it when it was seen before. */
export async function registerCommand(
  db: Kysely<Tables>,
  key: CommandKey,
  actorId: number,
  now: Date,
): Promise<CommandRecord> {
  const inserted = await db
    .insertInto('commands')
    .values({
      repository_id: key.repositoryId,
      comment_id: key.commentId,
      line: key.line,
      actor_id: actorId,
      created_at: now,
    })
    .onConflict((conflict) => conflict.columns(['repository_id', 'comment_id', 'line']).doNothing())
    .returning('line')
    .executeTakeFirst();
  if (inserted !== undefined) return { fresh: true, verdict: null, answered: false };
  const row = await db
    .selectFrom('commands')
    .select(['verdict', 'answered_at'])
    .where('repository_id', '=', key.repositoryId)
    .where('comment_id', '=', key.commentId)
    .where('line', '=', key.line)
    .executeTakeFirstOrThrow();
  return { fresh: false, verdict: row.verdict, answered: row.answered_at !== null };
}

/** Stores what was decided. */
export async function decideCommand(
  db: Kysely<Tables> | Transaction<Tables>,
  key: CommandKey,
  verdict: string,
  reason: string | null,
): Promise<void> {
  await at(db, key).set({ verdict, reason }).execute();
}

/** Stores that the person has been told. */
export async function markAnswered(db: Kysely<Tables>, key: CommandKey, now: Date): Promise<void> {
  await at(db, key).set({ answered_at: now }).execute();
}

/** How many answers a person without authority was given since then. */
export async function countUnauthorised(
  db: Kysely<Tables>,
  actorId: number,
  since: Date,
): Promise<number> {
  const row = await db
    .selectFrom('commands')
    .select((column) => column.fn.countAll<number>().as('count'))
    .where('actor_id', '=', actorId)
    .where('created_at', '>=', since)
    .where('answered_at', 'is not', null)
    .executeTakeFirstOrThrow();
  return row.count;
}

function at(db: Kysely<Tables> | Transaction<Tables>, key: CommandKey) {
  return db
    .updateTable('commands')
    .where('repository_id', '=', key.repositoryId)
    .where('comment_id', '=', key.commentId)
    .where('line', '=', key.line);
}
