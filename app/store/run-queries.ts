/** Questions about runs that commands ask; what changes runs is in runs.ts. */
import { sql, type Kysely } from 'kysely';
import type { TrustTier } from '../../shared/policy/decision.ts';
import type { Run } from '../../shared/watch/run.ts';
import { toText } from './jsonb.ts';
import { restoredOrigin } from './restored-runs.ts';
import type { Tables } from './tables.ts';

/**
 * The default branch's newest run that has measured something: a pull request cannot have made it up. Newest by
 * when it was asked for, since the run of an older commit may end after that of a newer one. The index
 * `runs_base_records` has them in this order.
 */
export async function newestBaseRecord(
  db: Kysely<Tables>,
  repositoryId: number,
): Promise<Run | undefined> {
  const row = await db
    .selectFrom('runs')
    .select('state')
    .where('repository_id', '=', repositoryId)
    .where(sql<boolean>`state -> 'plan' ->> 'tier' = 'base'`)
    // Of a restored run the tier is known from a label alone, which whoever may create jobs can write.
    .where('origin', 'not like', `${restoredOrigin('')}%`)
    .where(sql<boolean>`state -> 'end' ->> 'outcome' = 'succeeded'`)
    .where(sql<boolean>`state -> 'metrics' -> 'values' <> '{}'::jsonb`)
    .orderBy(sql`state ->> 'createdAt'`, 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.state;
}

/** The default branch's runs that have not ended. */
export async function openBaseRuns(
  db: Kysely<Tables>,
  repositoryId: number,
): Promise<readonly Run[]> {
  const rows = await db
    .selectFrom('runs')
    .select('state')
    .where('repository_id', '=', repositoryId)
    .where('closed', '=', false)
    .where(sql<boolean>`state -> 'plan' ->> 'tier' = 'base'`)
    .where(sql<boolean>`state -> 'end' is null`)
    .execute();
  return rows.map(({ state }) => state);
}

/**
 * The image with that digest, `name@sha256:…`, as a build that we recorded reported it for this repository: never
 * what a registry or a comment says. A tier runs its own images and the default branch's.
 */
export async function builtImage(
  db: Kysely<Tables>,
  where: {
    readonly repositoryId: number;
    readonly project: string;
    readonly tier: TrustTier;
    /** `sha256:…` */
    readonly digest: string;
  },
): Promise<string | undefined> {
  const build = sql`state -> 'build' -> 'snapshot'`;
  const row = await db
    .selectFrom('runs')
    .select(sql<string | null>`state ->> 'image'`.as('image'))
    .where('repository_id', '=', where.repositoryId)
    .where(sql<boolean>`state -> 'plan' ->> 'project' = ${toText(where.project)}`)
    .where(sql<boolean>`state -> 'plan' ->> 'tier' in (${where.tier}, 'base')`)
    .where(sql<boolean>`${build} ->> 'status' = 'success'`)
    .where(sql<boolean>`state ->> 'image' like ${`%@${where.digest}`}`)
    .executeTakeFirst();
  return row?.image ?? undefined;
}

/** Ids of an installation's runs that are not closed. */
export async function openRunsOf(
  db: Kysely<Tables>,
  installationId: number,
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('runs')
    .select('id')
    .where('closed', '=', false)
    .where('installation_id', '=', installationId)
    .execute();
  return rows.map(({ id }) => id);
}

/** A repository's runs that are not closed: by which installation, and what the repository was called then. */
export async function openRunPlaces(
  db: Kysely<Tables>,
  repositoryId: number,
): Promise<
  readonly { readonly id: string; readonly installationId: number; readonly fullName: string }[]
> {
  const rows = await db
    .selectFrom('runs')
    .select(['id', 'installation_id'])
    .select(
      sql<string>`state -> 'plan' -> 'subject' -> 'repository' ->> 'fullName'`.as('full_name'),
    )
    .where('closed', '=', false)
    .where('repository_id', '=', repositoryId)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    installationId: row.installation_id,
    fullName: row.full_name,
  }));
}
