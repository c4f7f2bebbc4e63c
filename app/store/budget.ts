/**
 * What runs hold of their repository's ceilings: the most that each may cost from before it begins, what it has
 * cost once it has ended. Reserved in the transaction that creates the run, so that commands which come at the
 * same time cannot each see room for themselves.
 */
import { sql, type Kysely, type Transaction } from 'kysely';
import type { Refusal } from '../../shared/policy/decision.ts';
import type { Ceilings } from '../../shared/policy/policy.ts';
import { checkUsage, type Usage } from '../../shared/policy/usage.ts';
import { appendEvent } from './events.ts';
import { monthOf } from './month.ts';
import { outsideOfMonth } from './outside-spend.ts';
import type { Tables } from './tables.ts';

/** Whose run it is, for the ceilings that count runs. */
interface RunOwner {
  readonly repositoryId: number;
  readonly pullNumber: number | undefined;
  readonly actorId: number;
}

interface Reservation extends RunOwner {
  readonly runId: string;
  /** The most that the run may cost. */
  readonly usd: number;
}

interface MonthSpend {
  /** By runs that ended in it. */
  readonly settledUsd: number;
  /** What open runs may cost at most, whenever they were asked for. */
  readonly reservedUsd: number;
  readonly runs: number;
}

/**
 * What the runs that ended in that month have cost, and what those may yet cost that have not. One that was asked
 * for in the last month, and waited for its machine, can spend all of it in this one.
 */
export async function monthSpend(
  db: Kysely<Tables> | Transaction<Tables>,
  repositoryId: number,
  month: string,
): Promise<MonthSpend> {
  return db
    .selectFrom('budget')
    .select([
      sql<number>`coalesce(sum(settled_usd), 0)::float8`.as('settledUsd'),
      sql<number>`coalesce(sum(reserved_usd) filter (where settled_at is null), 0)::float8`.as(
        'reservedUsd',
      ),
      sql<number>`count(*)::int`.as('runs'),
    ])
    .where('repository_id', '=', repositoryId)
    .where((column) => column.or([column('month', '=', month), column('settled_at', 'is', null)]))
    .executeTakeFirstOrThrow();
}

/** What holds of the ceilings now; it may have changed when it is read, except below the lock. */
export async function usageOf(
  db: Kysely<Tables> | Transaction<Tables>,
  { repositoryId, pullNumber, actorId }: RunOwner,
  now: Date,
): Promise<Usage> {
  const open = await db
    .selectFrom('budget')
    .select([
      sql<number>`count(*)::int`.as('repository'),
      sql<number>`count(*) filter (where pull_number = ${pullNumber ?? null})::int`.as('pull'),
      sql<number>`count(*) filter (where actor_id = ${actorId})::int`.as('user'),
    ])
    .where('repository_id', '=', repositoryId)
    .where('settled_at', 'is', null)
    .executeTakeFirstOrThrow();
  const month = monthOf(now);
  const { settledUsd, reservedUsd } = await monthSpend(db, repositoryId, month);
  const { bindingUsd } = await outsideOfMonth(db, repositoryId, month);
  return {
    openRunsOfPull: open.pull,
    openRunsOfUser: open.user,
    openRunsOfRepository: open.repository,
    monthUsd: settledUsd + reservedUsd + bindingUsd,
    ...(bindingUsd === 0 ? {} : { outsideUsd: bindingUsd }),
  };
}

/** Until the transaction ends nobody else can reserve for the repository. */
export async function lockBudget(trx: Transaction<Tables>, repositoryId: number): Promise<void> {
  const lock = `trainyard-budget/${repositoryId}`;
  await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(trx);
}

/** Reserves what the run may cost, or says why it does not fit. Only while the budget is locked. */
export async function reserve(
  trx: Transaction<Tables>,
  reservation: Reservation,
  limits: Ceilings,
  now: Date,
): Promise<Refusal | undefined> {
  const refusal = checkUsage(limits, await usageOf(trx, reservation, now), reservation.usd);
  if (refusal === undefined) await hold(trx, reservation, now);
  return refusal;
}

/** Reserves without asking whether it fits: for what is being spent already. */
export async function hold(
  trx: Transaction<Tables>,
  { runId, repositoryId, pullNumber, actorId, usd }: Reservation,
  now: Date,
): Promise<void> {
  await trx
    .insertInto('budget')
    .values({
      run_id: runId,
      repository_id: repositoryId,
      pull_number: pullNumber ?? null,
      actor_id: actorId,
      month: monthOf(now),
      reserved_usd: usd,
      reserved_at: now,
    })
    .execute();
}

/**
 * Puts what the run has cost in place of what it might have, in the month in which it ended; the first time counts.
 * @param usd undefined: what was reserved
 */
export async function settle(
  db: Kysely<Tables>,
  runId: string,
  usd: number | undefined,
  now: Date,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const settled = await trx
      .updateTable('budget')
      .set((column) => ({
        settled_usd: usd ?? column.ref('reserved_usd'),
        settled_at: now,
        month: monthOf(now),
      }))
      .where('run_id', '=', runId)
      .where('settled_at', 'is', null)
      .returning(['repository_id', 'reserved_usd', 'settled_usd'])
      .executeTakeFirst();
    if (settled === undefined) return;
    await appendEvent(trx, now, {
      kind: 'budget_settled',
      repositoryId: settled.repository_id,
      runId,
      detail: { reservedUsd: settled.reserved_usd, settledUsd: settled.settled_usd },
    });
  });
}
