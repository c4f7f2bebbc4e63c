/** Deliveries: stored as they arrive, claimed one by one, kept until they are processed. */
import type { Kysely } from 'kysely';
import { toText } from './jsonb.ts';
import type { Tables } from './tables.ts';

export interface NewDelivery {
  readonly id: string;
  readonly event: string;
  readonly body: Uint8Array;
  readonly receivedAt: Date;
  /** Where a pull request's head is, when the delivery says so. */
  readonly head?: HeadReceipt;
  /** Nothing is to be done about it. */
  readonly isDone?: boolean;
}

export interface HeadReceipt {
  readonly repositoryId: number;
  readonly pullNumber: number;
  readonly sha: string;
  /** By GitHub's clock. */
  readonly happenedAt: Date;
  /** Whose push, or opening, it is of. */
  readonly pusher?: { readonly id: number; readonly isBot: boolean };
}

export interface ClaimedDelivery {
  readonly id: string;
  readonly event: string;
  readonly body: Uint8Array;
  readonly receivedAt: Date;
  /** This attempt included. */
  readonly attempts: number;
}

/** Longer than any handler takes; a crashed worker's claim is void after it. */
const claimMs = 60_000;

/**
 * Stores a delivery with its head receipt, durably before it resolves.
 * @returns false when it was there already
 */
export async function insertDelivery(db: Kysely<Tables>, delivery: NewDelivery): Promise<boolean> {
  // One statement is durable by itself, and most deliveries are one.
  if (delivery.head === undefined) return insertOne(db, delivery);
  const { id, receivedAt, head } = delivery;
  return db.transaction().execute(async (trx) => {
    if (!(await insertOne(trx, delivery))) return false;
    await trx
      .insertInto('heads')
      .values({
        delivery_id: id,
        repository_id: head.repositoryId,
        pull_number: head.pullNumber,
        sha: head.sha,
        happened_at: head.happenedAt,
        received_at: receivedAt,
        pusher_id: head.pusher?.id ?? null,
        pushed_by_bot: head.pusher?.isBot ?? null,
      })
      // The same body under another delivery's id is the same push: its first receipt stays, and its order.
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return true;
  });
}

async function insertOne(db: Kysely<Tables>, delivery: NewDelivery): Promise<boolean> {
  const { id, event, body, receivedAt, isDone = false } = delivery;
  const inserted = await db
    .insertInto('deliveries')
    .values({
      id,
      event,
      body,
      received_at: receivedAt,
      next_attempt_at: receivedAt,
      processed_at: isDone ? receivedAt : null,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirst();
  return inserted.numInsertedOrUpdatedRows === 1n;
}

/** Takes a delivery for processing; undefined when it is done, somebody else's, or not due yet. */
export async function claimDelivery(
  db: Kysely<Tables>,
  id: string,
  now: Date,
): Promise<ClaimedDelivery | undefined> {
  const row = await db
    .updateTable('deliveries')
    .set((column) => ({
      attempts: column('attempts', '+', 1),
      next_attempt_at: new Date(now.getTime() + claimMs),
    }))
    .where('id', '=', id)
    .where('processed_at', 'is', null)
    .where('next_attempt_at', '<=', now)
    .returning(['id', 'event', 'body', 'received_at', 'attempts'])
    .executeTakeFirst();
  return row === undefined
    ? undefined
    : {
        id: row.id,
        event: row.event,
        body: row.body,
        receivedAt: row.received_at,
        attempts: row.attempts,
      };
}

/** Those of the ids that are stored. */
export async function knownDeliveries(
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db.selectFrom('deliveries').select('id').where('id', 'in', ids).execute();
  return new Set(rows.map(({ id }) => id));
}

/** A delivery's bytes, when it arrived, and how often it was claimed. */
export async function getDelivery(
  db: Kysely<Tables>,
  id: string,
): Promise<Pick<ClaimedDelivery, 'body' | 'receivedAt' | 'attempts'>> {
  const row = await db
    .selectFrom('deliveries')
    .select(['body', 'received_at', 'attempts'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return { body: row.body, receivedAt: row.received_at, attempts: row.attempts };
}

/** Marks a delivery as done; with an error when it was given up. */
export async function finishDelivery(
  db: Kysely<Tables>,
  id: string,
  now: Date,
  error: string | null = null,
): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ processed_at: now, error: error === null ? null : toText(error) })
    .where('id', '=', id)
    .execute();
}

/** Leaves a delivery for a later attempt. */
export async function postponeDelivery(
  db: Kysely<Tables>,
  id: string,
  until: Date,
  error: string,
): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ next_attempt_at: until, error: toText(error) })
    .where('id', '=', id)
    .execute();
}

/** Ids of deliveries that wait and are due, oldest first. */
export async function dueDeliveries(
  db: Kysely<Tables>,
  now: Date,
  limit: number,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select('id')
    .where('processed_at', 'is', null)
    .where('next_attempt_at', '<=', now)
    .orderBy('received_at')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** Voids every claim. Only for a store that no other process can have open. */
export async function releaseDeliveries(db: Kysely<Tables>, now: Date): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ next_attempt_at: now })
    .where('processed_at', 'is', null)
    .where('next_attempt_at', '>', now)
    .execute();
}
