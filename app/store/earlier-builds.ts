/**
 * The `EarlierBuilds` port over the App's own runs: an image is reused only when a build that this
 * installation recorded for the same repository reported it. Cloud Build's records are not asked, since a
 * builder's token may be able to write some.
 */
import { sql, type Kysely } from 'kysely';
import type { EarlierBuilds } from '../../shared/ports.ts';
import type { Tables } from './tables.ts';

export function earlierBuilds(db: Kysely<Tables>, repositoryId: number): EarlierBuilds {
  return {
    find: async ({ project, image }) => {
      const build = sql`state -> 'build' -> 'snapshot'`;
      const row = await db
        .selectFrom('runs')
        .select('state')
        .where('repository_id', '=', repositoryId)
        .where(sql<boolean>`${build} ->> 'status' = 'success'`)
        .where(sql<boolean>`state -> 'plan' ->> 'project' = ${project}`)
        .where(sql<boolean>`${build} -> 'images' @> ${JSON.stringify([{ name: image }])}::jsonb`)
        .orderBy(sql`${build} ->> 'createTime'`, 'desc')
        .limit(1)
        .executeTakeFirst();
      const snapshot = row?.state.build?.snapshot;
      const digest = snapshot?.images.find(({ name }) => name === image)?.digest;
      return snapshot === undefined || digest === undefined
        ? undefined
        : { build: snapshot.name, digest };
    },
  };
}
