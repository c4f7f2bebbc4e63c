/**
 * The `EarlierBuilds` port over the App's own runs: an image is reused only when a build that this
 * installation recorded for the same repository and trust tier reported it. Cloud Build's records are not
 * asked, since a builder's token may be able to write some.
 */
import { sql, type Kysely } from 'kysely';
import type { TrustTier } from '../../shared/policy/decision.ts';
import type { EarlierBuilds } from '../../shared/ports.ts';
import type { Tables } from './tables.ts';

/** The newest one does unless the registry has lost its image. */
const maxFound = 5;

export function earlierBuilds(
  db: Kysely<Tables>,
  repositoryId: number,
  tier: TrustTier,
): EarlierBuilds {
  return {
    find: async ({ project, contentTag }) => {
      const build = sql`state -> 'build' -> 'snapshot'`;
      const rows = await db
        .selectFrom('runs')
        .select('state')
        .where('repository_id', '=', repositoryId)
        .where(sql<boolean>`${build} ->> 'status' = 'success'`)
        .where(sql<boolean>`state -> 'plan' ->> 'project' = ${project}`)
        .where(sql<boolean>`state -> 'plan' ->> 'tier' = ${tier}`)
        .where(sql<boolean>`${build} -> 'tags' @> ${JSON.stringify([contentTag])}::jsonb`)
        .orderBy(sql`${build} ->> 'createTime'`, 'desc')
        .limit(maxFound)
        .execute();
      return rows.flatMap(({ state }) => {
        const snapshot = state.build?.snapshot;
        return snapshot === undefined ? [] : [{ build: snapshot.name, images: snapshot.images }];
      });
    },
  };
}
