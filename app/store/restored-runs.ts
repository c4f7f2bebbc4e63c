/** Runs whose record was lost: which jobs wait for theirs, and storing one without a command. */
import { sql, type Kysely } from 'kysely';
import type { Run } from '../../shared/watch/run.ts';
import { hold, lockBudget } from './budget.ts';
import { appendEvent } from './events.ts';
import { toJsonb } from './jsonb.ts';
import type { Publication, Tables } from './tables.ts';

/** Stands where the command of a run was given, which nobody knows any more. */
export function restoredOrigin(runId: string): string {
  return `restored/${runId}`;
}

interface LostJob {
  /** Its resource name. */
  readonly name: string;
  readonly foundAt: Date;
}

/** Jobs of that place that were found without a run since then, still have none, and were not refused one. */
export async function lostJobs(
  db: Kysely<Tables>,
  place: { readonly project: string; readonly region: string },
  since: Date,
): Promise<readonly LostJob[]> {
  const isOpen = sql<boolean>`
    not exists (select from runs where runs.id = found.run_id)
    and not exists (
      select from events as refused
      where refused.kind = 'restore_refused' and refused.detail ->> 'name' = found.detail ->> 'name'
    )`;
  const rows = await db
    .selectFrom('events as found')
    .select(sql<string>`found.detail ->> 'name'`.as('name'))
    .select(({ fn }) => fn.min('at').as('found_at'))
    .where('kind', '=', 'orphan_found')
    .where('at', '>=', since)
    .where(sql<boolean>`detail ->> 'what' = 'job'`)
    .where(sql<boolean>`detail ->> 'project' = ${place.project}`)
    .where(sql<boolean>`detail ->> 'region' = ${place.region}`)
    .where(isOpen)
    .groupBy(sql`found.detail ->> 'name'`)
    .execute();
  return rows.map(({ name, found_at }) => ({ name, foundAt: found_at }));
}

interface RestoredRun {
  readonly run: Run;
  readonly installationId: number;
  /** What GitHub shows of it already. */
  readonly publication: Publication;
}

/**
 * Stores the run and what it may cost, which is being spent whatever the ceilings say, in one transaction.
 * @returns false when it is on record already
 */
export async function restoreRun(
  db: Kysely<Tables>,
  { run, installationId, publication }: RestoredRun,
  now: Date,
): Promise<boolean> {
  const { runId, subject, project, estimate } = run.plan;
  const { repository, pullNumber, headSha, requestedBy } = subject;
  return db.transaction().execute(async (trx) => {
    await lockBudget(trx, repository.id);
    const stored = await trx
      .insertInto('runs')
      .values({
        id: runId,
        repository_id: repository.id,
        origin: restoredOrigin(runId),
        installation_id: installationId,
        state: toJsonb(run),
        publication: toJsonb(publication),
        next_wake_at: now,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('id')
      .executeTakeFirst();
    if (stored === undefined) return false;
    const owner = { repositoryId: repository.id, pullNumber, actorId: requestedBy.id };
    await hold(trx, { ...owner, runId, usd: estimate.ceilingUsd }, now);
    await appendEvent(trx, now, {
      kind: 'run_restored',
      repositoryId: repository.id,
      runId,
      detail: {
        name: run.job?.name,
        headSha,
        project,
        reservedUsd: estimate.ceilingUsd,
        pullNumber: pullNumber ?? null,
        card: publication.comment.id ?? null,
      },
    });
    return true;
  });
}
