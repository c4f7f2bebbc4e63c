/**
 * What is spent for a repository by what the App did not begin, one row a resource: written as often as it is seen,
 * counted once, and left as it is once it has ended.
 */
import { sql, type Kysely } from 'kysely';
import { monthOf } from './month.ts';
import type { Tables } from './tables.ts';

export interface OutsideSpend {
  /** Its name at Google, which is unique. */
  readonly resource: string;
  readonly repositoryId: number;
  readonly kind: 'trigger_build' | 'workflow_job';
  /** When it was created. */
  readonly begunAt: Date;
  /** When it ended, which is in the month that it counts in; undefined while it has not. */
  readonly endedAt: Date | undefined;
  /** Until now, or in all. */
  readonly usd: number;
  /** Whose it is, is certain enough to refuse runs for. */
  readonly binds: boolean;
}

/** In parts, since a statement takes 65,535 parameters at most. */
const atOnce = 1_000;

export async function recordOutside(
  db: Kysely<Tables>,
  spent: readonly OutsideSpend[],
  now: Date,
): Promise<void> {
  // Pages of a list move while they are read; a statement cannot write the same row twice.
  const distinct = [...new Map(spent.map((one) => [one.resource, one])).values()];
  for (let from = 0; from < distinct.length; from += atOnce) {
    const rows = distinct.slice(from, from + atOnce).map((one) => ({
      resource: one.resource,
      repository_id: one.repositoryId,
      kind: one.kind,
      month: monthOf(one.endedAt ?? now),
      usd: one.usd,
      binds: one.binds,
      begun_at: one.begunAt,
      settled_at: one.endedAt ?? null,
    }));
    await db
      .insertInto('outside_spend')
      .values(rows)
      .onConflict((conflict) =>
        conflict
          .column('resource')
          .doUpdateSet((column) => ({
            usd: column.ref('excluded.usd'),
            month: column.ref('excluded.month'),
            binds: column.ref('excluded.binds'),
            settled_at: column.ref('excluded.settled_at'),
          }))
          .where('outside_spend.settled_at', 'is', null),
      )
      .execute();
  }
}

/** How far a place's jobs have been looked through. */
interface SpendLook {
  readonly seenUntil: Date;
  /** When the oldest of those that had not ended was created. */
  readonly oldestOpen: Date | undefined;
}

interface Place {
  readonly project: string;
  readonly region: string;
}

export async function lastSpendLook(
  db: Kysely<Tables>,
  { project, region }: Place,
): Promise<SpendLook | undefined> {
  const row = await db
    .selectFrom('spend_looks')
    .select(['seen_until', 'oldest_open'])
    .where('project', '=', project)
    .where('region', '=', region)
    .executeTakeFirst();
  return row && { seenUntil: row.seen_until, oldestOpen: row.oldest_open ?? undefined };
}

/** What was seen, and how far, at once: a look that died in between is done again. */
export async function recordSpendLook(
  db: Kysely<Tables>,
  { project, region }: Place,
  { seenUntil, oldestOpen }: SpendLook,
  spent: readonly OutsideSpend[],
): Promise<void> {
  const look = { seen_until: seenUntil, oldest_open: oldestOpen ?? null };
  await db.transaction().execute(async (trx) => {
    await recordOutside(trx, spent, seenUntil);
    await trx
      .insertInto('spend_looks')
      .values({ project, region, ...look })
      .onConflict((conflict) => conflict.columns(['project', 'region']).doUpdateSet(look))
      .execute();
  });
}

/** Months that are over are of no interest here for long; triggers may start hundreds of builds a day. */
export async function forgetOutside(db: Kysely<Tables>, before: Date): Promise<void> {
  await db
    .deleteFrom('outside_spend')
    .where('begun_at', '<', before)
    .where('settled_at', 'is not', null)
    .execute();
}

interface OutsideOfMonth {
  readonly triggerBuildsUsd: number;
  readonly workflowsUsd: number;
  /** Of both, what counts against the ceiling. */
  readonly bindingUsd: number;
}

export async function outsideOfMonth(
  db: Kysely<Tables>,
  repositoryId: number,
  month: string,
): Promise<OutsideOfMonth> {
  const sum = (condition: string) =>
    sql<number>`coalesce(sum(usd) filter (where ${sql.raw(condition)}), 0)::float8`;
  return db
    .selectFrom('outside_spend')
    .select([
      sum(`kind = 'trigger_build'`).as('triggerBuildsUsd'),
      sum(`kind = 'workflow_job'`).as('workflowsUsd'),
      sum('binds').as('bindingUsd'),
    ])
    .where('repository_id', '=', repositoryId)
    .where('month', '=', month)
    .executeTakeFirstOrThrow();
}
