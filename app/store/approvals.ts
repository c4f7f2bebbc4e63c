/** Commits of forks that somebody with write access has read and approved: one pull request, one commit. */
import type { Kysely } from 'kysely';
import { appendEvent } from './events.ts';
import type { Tables } from './tables.ts';

interface Approval {
  readonly repositoryId: number;
  readonly pullNumber: number;
  /** 40 hex digits. */
  readonly sha: string;
}

/** The last approval of a commit counts; all of them are in the audit trail. */
export async function storeApproval(
  db: Kysely<Tables>,
  { repositoryId, pullNumber, sha }: Approval,
  approverId: number,
  now: Date,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx
      .insertInto('approvals')
      .values({
        repository_id: repositoryId,
        pull_number: pullNumber,
        sha,
        approver_id: approverId,
        approved_at: now,
      })
      .onConflict((conflict) =>
        conflict
          .columns(['repository_id', 'pull_number', 'sha'])
          .doUpdateSet({ approver_id: approverId, approved_at: now }),
      )
      .execute();
    await appendEvent(trx, now, {
      kind: 'approval',
      repositoryId,
      actorId: approverId,
      detail: { pullNumber, sha },
    });
  });
}

/**
 * The numeric id of whoever approved that very commit of that pull request, and nothing else was pushed to it
 * since: who comes back to an approved commit by another push asks again.
 */
export async function approverOf(
  db: Kysely<Tables>,
  { repositoryId, pullNumber, sha }: Approval,
): Promise<number | undefined> {
  const row = await db
    .selectFrom('approvals')
    .select('approver_id')
    .where('repository_id', '=', repositoryId)
    .where('pull_number', '=', pullNumber)
    .where('sha', '=', sha)
    .where((where) =>
      where.not(
        where.exists(
          where
            .selectFrom('heads')
            .select('delivery_id')
            .where('repository_id', '=', repositoryId)
            .where('pull_number', '=', pullNumber)
            .where('sha', '!=', sha)
            .whereRef('received_at', '>', 'approvals.approved_at'),
        ),
      ),
    )
    .executeTakeFirst();
  return row?.approver_id;
}
