/** The audit trail: appended to, never changed (the database refuses it). */
import { sql, type Kysely, type Transaction } from 'kysely';
import { toJsonb } from './jsonb.ts';
import type { Tables } from './tables.ts';

interface AuditEvent {
  readonly kind:
    | 'command'
    | 'decision'
    | 'approval'
    | 'budget_settled'
    | 'run_created'
    | 'run_ended'
    | 'delivery_given_up'
    | 'foreign_resource'
    | 'orphan_found'
    | 'orphan_ended'
    | 'run_restored'
    | 'restore_refused'
    | 'trigger_created'
    | 'trigger_updated'
    | 'trigger_deleted'
    | 'trigger_run';
  readonly repositoryId?: number;
  readonly runId?: string;
  readonly actorId?: number;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export async function appendEvent(
  db: Kysely<Tables> | Transaction<Tables>,
  at: Date,
  event: AuditEvent,
): Promise<void> {
  await db
    .insertInto('events')
    .values({
      at,
      kind: event.kind,
      repository_id: event.repositoryId ?? null,
      run_id: event.runId ?? null,
      actor_id: event.actorId ?? null,
      detail: toJsonb(event.detail ?? {}),
    })
    .execute();
}

/** Whether such an event of the cloud resource with that name is there already. */
export async function hasResourceEvent(
  db: Kysely<Tables>,
  kind: 'foreign_resource' | 'orphan_found',
  name: string,
): Promise<boolean> {
  const row = await db
    .selectFrom('events')
    .select('id')
    .where('kind', '=', kind)
    .where(sql<boolean>`detail ->> 'name' = ${name}`)
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether such an event of the run is there already. */
export async function hasEvent(
  db: Kysely<Tables>,
  runId: string,
  kind: AuditEvent['kind'],
): Promise<boolean> {
  const row = await db
    .selectFrom('events')
    .select('id')
    .where('run_id', '=', runId)
    .where('kind', '=', kind)
    .executeTakeFirst();
  return row !== undefined;
}
