/**
 * Repositories whose triggers are kept, each held by one process at a time; and the triggers themselves, with
 * what was last written to each, so that a change by hand is known as one.
 */
import { sql, type Kysely } from 'kysely';
import type { WrittenTrigger } from '../../shared/triggers/diff-triggers.ts';
import { toJsonb, toText } from './jsonb.ts';
import type { ShownCheck, Tables } from './tables.ts';

interface TriggerRepository {
  readonly id: number;
  readonly installationId: number;
  readonly owner: string;
  readonly repo: string;
}

/** A repository that this process holds. */
export interface HeldTriggers extends TriggerRepository {
  readonly askedAt: Date;
  readonly failures: number;
  /** The check that shows how its triggers are, as far as we know. */
  readonly shown: ShownCheck | undefined;
}

/** Its triggers are looked at as soon as nobody else does: something may have changed. */
export async function askForTriggers(
  db: Kysely<Tables>,
  repository: TriggerRepository,
  now: Date,
): Promise<void> {
  const { id, installationId, owner, repo } = repository;
  const place = { installation_id: installationId, owner: toText(owner), repo: toText(repo) };
  const asked = { ...place, asked_at: now, next_look_at: now };
  await db
    .insertInto('trigger_repositories')
    .values({ repository_id: id, ...asked })
    .onConflict((conflict) => conflict.column('repository_id').doUpdateSet(asked))
    .execute();
}

/** For a repository that is only made known: one that is known already is looked at in its own time. */
export async function noteTriggers(
  db: Kysely<Tables>,
  { id, installationId, owner, repo }: TriggerRepository,
  now: Date,
): Promise<void> {
  const place = { installation_id: installationId, owner: toText(owner), repo: toText(repo) };
  await db
    .insertInto('trigger_repositories')
    .values({ repository_id: id, ...place, asked_at: now, next_look_at: now })
    .onConflict((conflict) => conflict.column('repository_id').doUpdateSet(place))
    .execute();
}

/** What Cloud Build has of it stays. */
export async function forgetRepository(db: Kysely<Tables>, repositoryId: number): Promise<void> {
  await db.deleteFrom('trigger_repositories').where('repository_id', '=', repositoryId).execute();
}

/** As above, where nobody has asked for it since it was taken. */
export async function forgetUnlessAsked(
  db: Kysely<Tables>,
  { id, askedAt }: HeldTriggers,
): Promise<void> {
  await db
    .deleteFrom('trigger_repositories')
    .where('repository_id', '=', id)
    .where('asked_at', '<=', askedAt)
    .execute();
}

/** For all of an installation that was removed or suspended. */
export async function forgetInstallation(
  db: Kysely<Tables>,
  installationId: number,
): Promise<void> {
  await db
    .deleteFrom('trigger_repositories')
    .where('installation_id', '=', installationId)
    .execute();
}

export async function dueTriggers(
  db: Kysely<Tables>,
  now: Date,
  limit: number,
): Promise<readonly number[]> {
  const rows = await db
    .selectFrom('trigger_repositories')
    .select('repository_id')
    .where('next_look_at', '<=', now)
    .where((column) =>
      column.or([column('lease_until', 'is', null), column('lease_until', '<', now)]),
    )
    .orderBy('next_look_at')
    .limit(limit)
    .execute();
  return rows.map((row) => row.repository_id);
}

export async function getTriggerRepository(
  db: Kysely<Tables>,
  repositoryId: number,
): Promise<TriggerRepository | undefined> {
  const row = await db
    .selectFrom('trigger_repositories')
    .select(['installation_id', 'owner', 'repo'])
    .where('repository_id', '=', repositoryId)
    .executeTakeFirst();
  return (
    row && {
      id: repositoryId,
      installationId: row.installation_id,
      owner: row.owner,
      repo: row.repo,
    }
  );
}

/** Undefined when it is unknown or somebody else's. */
export async function leaseTriggers(
  db: Kysely<Tables>,
  repositoryId: number,
  lease: { readonly holder: string; readonly now: Date; readonly until: Date },
): Promise<HeldTriggers | undefined> {
  const row = await db
    .updateTable('trigger_repositories')
    .set({ lease_holder: lease.holder, lease_until: lease.until })
    .where('repository_id', '=', repositoryId)
    .where((column) =>
      column.or([column('lease_until', 'is', null), column('lease_until', '<', lease.now)]),
    )
    .returning(['installation_id', 'owner', 'repo', 'asked_at', 'failures', 'shown'])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    id: repositoryId,
    installationId: row.installation_id,
    owner: row.owner,
    repo: row.repo,
    askedAt: row.asked_at,
    failures: row.failures,
    shown: row.shown ?? undefined,
  };
}

/** Gives it back. Whoever asked for it meanwhile has it looked at again at once. */
export async function returnTriggers(
  db: Kysely<Tables>,
  { id, askedAt }: HeldTriggers,
  next: {
    readonly holder: string;
    readonly lookAt: Date;
    readonly failures: number;
    readonly shown: ShownCheck | undefined;
  },
): Promise<void> {
  await db
    .updateTable('trigger_repositories')
    .set({
      lease_holder: null,
      lease_until: null,
      next_look_at: sql<Date>`case when asked_at > ${askedAt} then asked_at else ${next.lookAt} end`,
      failures: next.failures,
      shown: next.shown === undefined ? null : toJsonb(next.shown),
    })
    .where('repository_id', '=', id)
    .where('lease_holder', '=', next.holder)
    .execute();
}

export interface KeptTrigger {
  readonly project: string;
  readonly region: string;
  readonly id: string;
  readonly name: string;
  readonly repositoryId: number;
}

/** @param written undefined for one that was found as it should be, so that what is known of it stays */
export async function recordTrigger(
  db: Kysely<Tables>,
  { project, region, id, name, repositoryId }: KeptTrigger,
  written: WrittenTrigger | undefined,
): Promise<void> {
  const changes = {
    repository_id: repositoryId,
    name: toText(name),
    ...(written === undefined ? {} : { written: toJsonb(written) }),
  };
  await db
    .insertInto('triggers')
    .values({ project, region, trigger_id: id, ...changes })
    .onConflict((conflict) =>
      conflict.columns(['project', 'region', 'trigger_id']).doUpdateSet(changes),
    )
    .execute();
}

export async function removeTrigger(
  db: Kysely<Tables>,
  { project, region, id }: Pick<KeptTrigger, 'project' | 'region' | 'id'>,
): Promise<void> {
  await db
    .deleteFrom('triggers')
    .where('project', '=', project)
    .where('region', '=', region)
    .where('trigger_id', '=', id)
    .execute();
}

/** Somebody else has deleted those that are not there any more. */
export async function forgetGoneTriggers(
  db: Kysely<Tables>,
  repositoryId: number,
  there: readonly string[],
): Promise<void> {
  const rows = db.deleteFrom('triggers').where('repository_id', '=', repositoryId);
  await (there.length === 0 ? rows : rows.where('trigger_id', 'not in', there)).execute();
}

/** What was last written to a repository's triggers, by their ids. */
export async function writtenTriggers(
  db: Kysely<Tables>,
  repositoryId: number,
): Promise<ReadonlyMap<string, WrittenTrigger>> {
  const rows = await db
    .selectFrom('triggers')
    .select(['trigger_id', 'written'])
    .where('repository_id', '=', repositoryId)
    .execute();
  return new Map(rows.flatMap((row) => (row.written ? [[row.trigger_id, row.written]] : [])));
}

/** Where triggers are kept. */
export async function triggerPlaces(
  db: Kysely<Tables>,
): Promise<readonly { readonly project: string; readonly region: string }[]> {
  return db.selectFrom('triggers').select(['project', 'region']).distinct().execute();
}

export async function triggersIn(
  db: Kysely<Tables>,
  project: string,
  region: string,
): Promise<readonly KeptTrigger[]> {
  const rows = await db
    .selectFrom('triggers')
    .select(['trigger_id', 'name', 'repository_id'])
    .where('project', '=', project)
    .where('region', '=', region)
    .execute();
  return rows.map((row) => ({
    project,
    region,
    id: row.trigger_id,
    name: row.name,
    repositoryId: row.repository_id,
  }));
}

/** False when it was asked for before, by the same command: its answer must be looked for, not sent again. */
export async function beginTriggerRun(
  db: Kysely<Tables>,
  key: { readonly repositoryId: number; readonly origin: string },
  now: Date,
): Promise<{ readonly isNew: boolean; readonly requestedAt: Date; readonly buildId?: string }> {
  const place = { repository_id: key.repositoryId, origin: key.origin };
  const inserted = await db
    .insertInto('trigger_runs')
    .values({ ...place, requested_at: now })
    .onConflict((conflict) => conflict.columns(['repository_id', 'origin']).doNothing())
    .returning('requested_at')
    .executeTakeFirst();
  if (inserted !== undefined) return { isNew: true, requestedAt: now };
  const row = await db
    .selectFrom('trigger_runs')
    .select(['requested_at', 'build_id'])
    .where('repository_id', '=', key.repositoryId)
    .where('origin', '=', key.origin)
    .executeTakeFirstOrThrow();
  const buildId = row.build_id ?? undefined;
  return {
    isNew: false,
    requestedAt: row.requested_at,
    ...(buildId === undefined ? {} : { buildId }),
  };
}

export async function endTriggerRun(
  db: Kysely<Tables>,
  key: { readonly repositoryId: number; readonly origin: string },
  buildId: string | undefined,
): Promise<void> {
  await db
    .updateTable('trigger_runs')
    .set({ build_id: buildId ?? null })
    .where('repository_id', '=', key.repositoryId)
    .where('origin', '=', key.origin)
    .execute();
}

/** Voids every lease. Only for a store that no other process can have open. */
export async function releaseTriggers(db: Kysely<Tables>): Promise<void> {
  const free = { lease_holder: null, lease_until: null };
  await db.updateTable('trigger_repositories').set(free).execute();
  await db.updateTable('build_looks').set(free).execute();
}

/** A repository's triggers of that name: one for each place. */
export async function keptTriggerNamed(
  db: Kysely<Tables>,
  repositoryId: number,
  name: string,
): Promise<readonly KeptTrigger[]> {
  const rows = await db
    .selectFrom('triggers')
    .select(['project', 'region', 'trigger_id'])
    .where('repository_id', '=', repositoryId)
    .where('name', '=', name)
    .execute();
  return rows.map(({ project, region, trigger_id }) => ({
    project,
    region,
    id: trigger_id,
    name,
    repositoryId,
  }));
}
