/**
 * Runs: created together with their command's verdict, held by one worker at a time through a lease in
 * the row (not a transaction, which would hold a connection for as long as an upload takes), and saved
 * only by the one who holds them and has seen their last version.
 */
import { sql, type Kysely, type Transaction } from 'kysely';
import type { Refusal } from '../../shared/policy/decision.ts';
import type { Ceilings } from '../../shared/policy/policy.ts';
import type { CancelRequest, Run, Superseded } from '../../shared/watch/run.ts';
import { lockBudget, reserve } from './budget.ts';
import { isRunId } from '../../shared/plan/run-id.ts';
import { decideCommand, type CommandKey } from './commands.ts';
import { appendEvent } from './events.ts';
import { toJsonb, toText } from './jsonb.ts';
import type { Publication, Tables } from './tables.ts';

interface NewRun {
  readonly run: Run;
  readonly key: CommandKey;
  readonly installationId: number;
  readonly admission: Admission;
  readonly now: Date;
}

/** What a run is let in on: the most that it may cost, and the ceilings that it has to fit below. */
export interface Admission {
  readonly usd: number;
  readonly limits: Ceilings;
}

/** A run that this process holds. */
export interface HeldRun {
  readonly id: string;
  /** Where its command was given. */
  readonly origin: string;
  readonly installationId: number;
  readonly run: Run;
  readonly publication: Publication;
  readonly failures: number;
  readonly version: number;
}

/** Somebody else took the run, or changed it: whoever gets this must forget what it knows and stop. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/**
 * Stores the run, what it may cost, its command's verdict and the audit event in one transaction.
 * @returns false when it was there already, and a Refusal when it does not fit below the ceilings
 */
export async function createRun(db: Kysely<Tables>, created: NewRun): Promise<boolean | Refusal> {
  const { run, key, installationId, admission, now } = created;
  const { subject, runId } = run.plan;
  return db.transaction().execute(async (trx) => {
    // From here on runs of the repository are created one after the other.
    await lockBudget(trx, key.repositoryId);
    if (await isCreated(trx, key)) return false;
    const { pullNumber, requestedBy } = subject;
    const owner = { repositoryId: key.repositoryId, pullNumber, actorId: requestedBy.id };
    const { usd, limits } = admission;
    const refusal = await reserve(trx, { ...owner, runId, usd }, limits, now);
    if (refusal !== undefined) return refusal;
    await trx
      .insertInto('runs')
      .values({
        id: runId,
        repository_id: key.repositoryId,
        origin: key.origin,
        installation_id: installationId,
        state: toJsonb(run),
        publication: toJsonb({ comment: {}, check: {} }),
        next_wake_at: now,
      })
      .execute();
    await decideCommand(trx, key, 'allowed', null);
    await appendEvent(trx, now, {
      kind: 'run_created',
      repositoryId: key.repositoryId,
      runId,
      actorId: requestedBy.id,
      detail: { headSha: subject.headSha, project: run.plan.project, reservedUsd: usd, limits },
    });
    return true;
  });
}

async function isCreated(trx: Transaction<Tables>, key: CommandKey): Promise<boolean> {
  const row = await trx
    .selectFrom('runs')
    .select('id')
    .where('repository_id', '=', key.repositoryId)
    .where('origin', '=', key.origin)
    .executeTakeFirst();
  return row !== undefined;
}

/** Takes hold of an open run; undefined when it is closed or somebody else's. */
export async function leaseRun(
  db: Kysely<Tables>,
  id: string,
  lease: { readonly holder: string; readonly now: Date; readonly until: Date },
): Promise<HeldRun | undefined> {
  const row = await db
    .updateTable('runs')
    .set({ lease_holder: lease.holder, lease_until: lease.until })
    .where('id', '=', id)
    .where('closed', '=', false)
    .where((column) =>
      column.or([column('lease_until', 'is', null), column('lease_until', '<', lease.now)]),
    )
    .returning(['id', 'installation_id', 'state', 'publication', 'failures', 'version'])
    .returning(['origin', 'cancel_requested', 'superseded'])
    .executeTakeFirst();
  return row === undefined
    ? undefined
    : {
        id: row.id,
        origin: row.origin,
        installationId: row.installation_id,
        run: withRequests(row),
        publication: row.publication,
        failures: row.failures,
        version: row.version,
      };
}

/** What others than its holder have asked of the run, put into it. */
function withRequests(row: {
  readonly state: Run;
  readonly cancel_requested: CancelRequest | null;
  readonly superseded: Superseded | null;
}): Run {
  const { state: run, cancel_requested: cancel, superseded } = row;
  const isCancelled = cancel !== null && run.cancel === undefined && run.end === undefined;
  return {
    ...run,
    ...(isCancelled ? { cancel } : {}),
    ...(superseded === null ? {} : { superseded }),
  };
}

/** Asks for the end of runs that have none yet; whoever holds them sees to it. @returns the ids of those */
export async function requestCancel(
  db: Kysely<Tables>,
  ids: readonly string[],
  cancel: CancelRequest,
  now: Date,
): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .updateTable('runs')
    .set({ cancel_requested: toJsonb(cancel), next_wake_at: now })
    .where('id', 'in', ids)
    .where('closed', '=', false)
    .where('cancel_requested', 'is', null)
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** A pull request's newest runs. */
export async function runsOfPull(
  db: Kysely<Tables>,
  where: { readonly repositoryId: number; readonly pullNumber: number },
  limit: number,
): Promise<readonly Run[]> {
  const subject = sql`state -> 'plan' -> 'subject'`;
  const rows = await db
    .selectFrom('runs')
    .select(['state', 'cancel_requested', 'superseded'])
    .where('repository_id', '=', where.repositoryId)
    .where(sql<boolean>`(${subject} ->> 'pullNumber')::int = ${where.pullNumber}`)
    .orderBy(sql`state ->> 'createdAt'`, 'desc')
    .limit(limit)
    .execute();
  return rows.map(withRequests);
}

/** The run with that id, if it is the repository's. */
export async function runOfRepository(
  db: Kysely<Tables>,
  repositoryId: number,
  runId: string,
): Promise<Run | undefined> {
  const row = await db
    .selectFrom('runs')
    .select(['state', 'cancel_requested', 'superseded'])
    .where('repository_id', '=', repositoryId)
    .where('id', '=', toText(runId))
    .executeTakeFirst();
  return row && withRequests(row);
}

/** The newest run of a commit. */
export async function newestRunOfCommit(
  db: Kysely<Tables>,
  repositoryId: number,
  headSha: string,
): Promise<Run | undefined> {
  const row = await db
    .selectFrom('runs')
    .select(['state', 'cancel_requested', 'superseded'])
    .where('repository_id', '=', repositoryId)
    .where(sql<boolean>`state -> 'plan' -> 'subject' ->> 'headSha' = ${toText(headSha)}`)
    .orderBy(sql`state ->> 'createdAt'`, 'desc')
    .executeTakeFirst();
  return row && withRequests(row);
}

/**
 * Marks the pull request's runs of other commits that were there before a push as superseded, and has each looked at
 * once more, so that its card says so.
 * @returns the ids of those that were not marked yet
 */
export async function supersedeRuns(
  db: Kysely<Tables>,
  pull: {
    readonly repositoryId: number;
    readonly pullNumber: number;
    readonly headSha: string;
    readonly before: Date;
  },
  now: Date,
): Promise<readonly string[]> {
  const subject = sql`state -> 'plan' -> 'subject'`;
  const rows = await db
    .updateTable('runs')
    .set({
      superseded: toJsonb({ at: now.toISOString(), by: pull.headSha }),
      closed: false,
      next_wake_at: now,
    })
    .where('repository_id', '=', pull.repositoryId)
    .where('superseded', 'is', null)
    .where(sql<boolean>`(${subject} ->> 'pullNumber')::int = ${pull.pullNumber}`)
    .where(sql<boolean>`${subject} ->> 'headSha' <> ${pull.headSha}`)
    .where(sql<boolean>`(state ->> 'createdAt')::timestamptz <= ${pull.before}`)
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** @returns false when the lease is no longer ours */
export async function renewLease(
  db: Kysely<Tables>,
  id: string,
  lease: { readonly holder: string; readonly until: Date },
): Promise<boolean> {
  const row = await db
    .updateTable('runs')
    .set({ lease_until: lease.until })
    .where('id', '=', id)
    .where('lease_holder', '=', lease.holder)
    .returning('id')
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Writes what changed of a held run.
 * @returns the new version
 * @throws {LeaseLost} when the lease or the version is no longer ours
 */
export async function saveRun(
  db: Kysely<Tables>,
  held: { readonly id: string; readonly version: number; readonly holder: string },
  changes: { readonly run?: Run; readonly publication?: Publication },
): Promise<number> {
  const row = await db
    .updateTable('runs')
    .set((column) => ({
      version: column('version', '+', 1),
      ...(changes.run === undefined ? {} : { state: toJsonb(changes.run) }),
      ...(changes.publication === undefined ? {} : { publication: toJsonb(changes.publication) }),
    }))
    .where('id', '=', held.id)
    .where('lease_holder', '=', held.holder)
    .where('version', '=', held.version)
    .returning('version')
    .executeTakeFirst();
  if (row === undefined) throw new LeaseLost(`run ${held.id} is no longer held by this process`);
  return row.version;
}

/** Gives a run back: when to look at it again, or that it is closed, unless it was superseded meanwhile. */
export async function returnRun(
  db: Kysely<Tables>,
  held: { readonly id: string; readonly holder: string },
  next: {
    readonly wakeAt: Date;
    readonly failures: number;
    readonly closed: boolean;
    /** Whether the run that was held is known to be superseded. */
    readonly superseded: boolean;
  },
): Promise<void> {
  await db
    .updateTable('runs')
    .set({
      lease_holder: null,
      lease_until: null,
      next_wake_at: next.wakeAt,
      failures: next.failures,
      closed: next.closed ? sql<boolean>`superseded is null or ${sql.lit(next.superseded)}` : false,
    })
    .where('id', '=', held.id)
    .where('lease_holder', '=', held.holder)
    .execute();
}

/** Ids of open runs that are due and held by nobody who lives. */
export async function dueRuns(
  db: Kysely<Tables>,
  now: Date,
  limit: number,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('runs')
    .select('id')
    .where('closed', '=', false)
    .where('next_wake_at', '<=', now)
    .where((column) =>
      column.or([column('lease_until', 'is', null), column('lease_until', '<', now)]),
    )
    .orderBy('next_wake_at')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}

/** Voids every lease and makes every open run due. Only for a store that no other process can have open. */
export async function releaseRuns(db: Kysely<Tables>, now: Date): Promise<void> {
  await db
    .updateTable('runs')
    .set({ lease_holder: null, lease_until: null, next_wake_at: now })
    .where('closed', '=', false)
    .execute();
}

/** Those that are on record under these ids, which may be anybody's texts. */
export async function runsById(
  db: Kysely<Tables>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Run>> {
  const known = ids.filter((id) => isRunId(id));
  if (known.length === 0) return new Map();
  const rows = await db
    .selectFrom('runs')
    .select(['id', 'state'])
    .where('id', 'in', known)
    .execute();
  return new Map(rows.map(({ id, state }) => [id, state]));
}

/** The newest runs, for the dashboard and the metrics. */
export async function listRuns(
  db: Kysely<Tables>,
  limit: number,
): Promise<readonly { readonly run: Run; readonly closed: boolean }[]> {
  const rows = await db
    .selectFrom('runs')
    .select(['state', 'closed'])
    .orderBy((column) => column.ref('state', '->>').key('createdAt'), 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ state, closed }) => ({ run: state, closed }));
}
