/** Builds that kept triggers have started, and how far each place has been looked through. */
import { sql, type Kysely } from 'kysely';
import type { Published } from '../../shared/github/publish-one.ts';
import { isTriggeredBuildOver, type TriggeredBuild } from '../../shared/triggers/report-build.ts';
import { toJsonb, toText } from './jsonb.ts';
import type { Tables } from './tables.ts';

export interface Place {
  readonly project: string;
  readonly region: string;
}

export interface KnownBuild {
  readonly build: TriggeredBuild;
  readonly repositoryId: number;
  /** Of its trigger. */
  readonly name: string;
  readonly logTail: readonly string[];
  readonly published: Published;
  readonly closed: boolean;
}

/** Takes hold of a place; undefined when somebody else has it. `seenUntil` undefined: it was never looked at. */
export async function leasePlace(
  db: Kysely<Tables>,
  { project, region }: Place,
  lease: { readonly holder: string; readonly now: Date; readonly until: Date },
): Promise<{ readonly seenUntil: Date | undefined } | undefined> {
  const held = { lease_holder: lease.holder, lease_until: lease.until };
  const row = await db
    .insertInto('build_looks')
    .values({ project, region, ...held })
    .onConflict((conflict) =>
      conflict
        .columns(['project', 'region'])
        .doUpdateSet(held)
        .where((column) =>
          column.or([
            column('build_looks.lease_until', 'is', null),
            column('build_looks.lease_until', '<', lease.now),
          ]),
        ),
    )
    .returning('seen_until')
    .executeTakeFirst();
  return row && { seenUntil: row.seen_until ?? undefined };
}

/** @param seenUntil undefined leaves it as it was: the look failed */
export async function returnPlace(
  db: Kysely<Tables>,
  { project, region }: Place,
  holder: string,
  seenUntil: Date | undefined,
): Promise<void> {
  await db
    .updateTable('build_looks')
    .set({
      lease_holder: null,
      lease_until: null,
      ...(seenUntil === undefined ? {} : { seen_until: seenUntil }),
    })
    .where('project', '=', project)
    .where('region', '=', region)
    .where('lease_holder', '=', holder)
    .execute();
}

/** Those that are not over, or whose end GitHub does not show yet. */
export async function openBuilds(
  db: Kysely<Tables>,
  { project, region }: Place,
): Promise<readonly KnownBuild[]> {
  const rows = await db
    .selectFrom('triggered_builds')
    .selectAll()
    .where('project', '=', project)
    .where('region', '=', region)
    .where('closed', '=', false)
    .execute();
  return rows.map(toKnown);
}

/** Those of these ids that were seen before. */
export async function knownBuilds(
  db: Kysely<Tables>,
  { project, region }: Place,
  ids: readonly string[],
): Promise<readonly KnownBuild[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('triggered_builds')
    .selectAll()
    .where('project', '=', project)
    .where('region', '=', region)
    .where('build_id', 'in', ids)
    .execute();
  return rows.map(toKnown);
}

export async function saveBuild(db: Kysely<Tables>, known: KnownBuild): Promise<void> {
  const { project, region, id } = known.build;
  const changes = {
    build: toJsonb(known.build),
    log_tail: toJsonb(known.logTail),
    published: toJsonb(known.published),
    closed: known.closed,
  };
  const place = { project, region, build_id: id, repository_id: known.repositoryId };
  await db
    .insertInto('triggered_builds')
    .values({ ...place, name: toText(known.name), ...changes })
    .onConflict((conflict) =>
      conflict.columns(['project', 'region', 'build_id']).doUpdateSet(changes),
    )
    .execute();
}

/** When the oldest build that still runs was created. */
export function oldestOpen(known: readonly KnownBuild[]): Date | undefined {
  const created = known
    .filter(({ build }) => !isTriggeredBuildOver(build))
    .flatMap(({ build }) => (build.createTime === undefined ? [] : [Date.parse(build.createTime)]));
  return created.length === 0 ? undefined : new Date(Math.min(...created));
}

/** Ended builds are of interest for a while; triggers may start hundreds a day. */
export async function forgetBuilds(db: Kysely<Tables>, before: Date): Promise<void> {
  await db
    .deleteFrom('triggered_builds')
    .where('closed', '=', true)
    .where(sql<string>`build ->> 'createTime'`, '<', before.toISOString())
    .execute();
}

function toKnown(row: {
  readonly build: TriggeredBuild;
  readonly repository_id: number;
  readonly name: string;
  readonly log_tail: readonly string[];
  readonly published: Published;
  readonly closed: boolean;
}): KnownBuild {
  const { build, repository_id, name, log_tail, published, closed } = row;
  return { build, repositoryId: repository_id, name, logTail: log_tail, published, closed };
}
