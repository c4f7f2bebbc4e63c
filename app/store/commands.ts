/** Commands: one row for each that was ever given, written before anything is done about it. */
import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

export interface CommandKey {
  readonly repositoryId: number;
  /** Where it was given; unique in the repository. */
  readonly origin: string;
}

/** `line` counts from 1 in the comment's text. */
export function commentOrigin(commentId: number, line: number): string {
  return `comment/${commentId}/${line}`;
}

/** The comment that a command was given in; undefined for clicks and pushes. */
export function commentIdOf(origin: string): number | undefined {
  const [, id] = /^comment\/(\d+)\/\d+$/.exec(origin) ?? [];
  return id === undefined ? undefined : Number(id);
}

interface CommandRecord {
  /** True when this call wrote the row: nobody can have answered it yet. */
  readonly fresh: boolean;
  readonly verdict: string | null;
  readonly answered: boolean;
}

/** Registers a command, or says what became of it when it was seen before. */
export async function registerCommand(
  db: Kysely<Tables>,
  key: CommandKey,
  { actorId, pullNumber }: { readonly actorId: number; readonly pullNumber: number | undefined },
  now: Date,
): Promise<CommandRecord> {
  const inserted = await db
    .insertInto('commands')
    .values({
      repository_id: key.repositoryId,
      origin: key.origin,
      actor_id: actorId,
      pull_number: pullNumber ?? null,
      created_at: now,
    })
    .onConflict((conflict) => conflict.columns(['repository_id', 'origin']).doNothing())
    .returning('origin')
    .executeTakeFirst();
  if (inserted !== undefined) return { fresh: true, verdict: null, answered: false };
  const row = await db
    .selectFrom('commands')
    .select(['verdict', 'answered_at'])
    .where('repository_id', '=', key.repositoryId)
    .where('origin', '=', key.origin)
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

function at(db: Kysely<Tables> | Transaction<Tables>, key: CommandKey) {
  return db
    .updateTable('commands')
    .where('repository_id', '=', key.repositoryId)
    .where('origin', '=', key.origin);
}
