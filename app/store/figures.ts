/** What the metrics ask the store: figures over all rows, added up by the database. */
import { sql, type Kysely } from 'kysely';
import { phaseOf, type Run, type RunPhase } from '../../shared/watch/run.ts';
import type { Tables } from './tables.ts';

/** Ended runs beyond these are history. */
const newestEnded = 1_000;

interface PhaseRow {
  readonly outcome: 'succeeded' | 'failed' | 'cancelled' | null;
  readonly cancelling: boolean;
  readonly image: string | null;
  readonly job: string | null;
  readonly job_state: 'running' | null;
  readonly count: number;
  readonly usd_per_hour: number | null;
}

export interface RunFigures {
  readonly byPhase: ReadonlyMap<RunPhase, number>;
  /** What the machines of running jobs cost in an hour, by their list prices. */
  readonly usdPerHour: number;
}

/** All open runs, and the newest of those that have ended. */
export async function runFigures(db: Kysely<Tables>): Promise<RunFigures> {
  const { rows } = await sql<PhaseRow>`
    with counted as (
      (select state from runs where not closed)
      union all
      (select state from runs where closed order by state ->> 'createdAt' desc limit ${newestEnded})
    )
    select
      state #>> '{end,outcome}' as outcome,
      state -> 'cancel' is not null as cancelling,
      case when state -> 'image' is null then null else 'some' end as image,
      case when state -> 'job' is null then null else 'some' end as job,
      state #>> '{job,snapshot,state}' as job_state,
      count(*)::int as count,
      sum((state #>> '{plan,estimate,usdPerHour}')::float8) as usd_per_hour
    from counted
    group by 1, 2, 3, 4, 5`.execute(db);
  const byPhase = new Map<RunPhase, number>();
  let usdPerHour = 0;
  for (const row of rows) {
    const phase = phaseOf(withoutDetail(row));
    byPhase.set(phase, (byPhase.get(phase) ?? 0) + row.count);
    if (row.job_state === 'running' && row.outcome === null) usdPerHour += row.usd_per_hour ?? 0;
  }
  return { byPhase, usdPerHour };
}

/** As much of a run as its phase depends on. */
function withoutDetail({ outcome, cancelling, image, job, job_state: state }: PhaseRow): Run {
  const at = '';
  const run: Partial<Run> = {
    ...(outcome === null ? {} : { end: { outcome, at } }),
    ...(cancelling ? { cancel: { at, by: '' } } : {}),
    ...(image === null ? {} : { image }),
    ...(job === null
      ? {}
      : {
          job: {
            intent: { at },
            ...(state === null ? {} : { snapshot: { name: '', id: '', state, labels: {} } }),
          },
        }),
  };
  return run as Run;
}

/** Since when the one has been due that waits longest, of deliveries and of runs. */
export async function oldestDue(
  db: Kysely<Tables>,
  now: Date,
): Promise<{ readonly delivery: Date | undefined; readonly run: Date | undefined }> {
  const delivery = await db
    .selectFrom('deliveries')
    .select((column) => column.fn.min('next_attempt_at').as('since'))
    .where('processed_at', 'is', null)
    .where('next_attempt_at', '<=', now)
    .executeTakeFirst();
  const run = await db
    .selectFrom('runs')
    .select((column) => column.fn.min('next_wake_at').as('since'))
    .where('closed', '=', false)
    .where('next_wake_at', '<=', now)
    .where((column) =>
      column.or([column('lease_until', 'is', null), column('lease_until', '<', now)]),
    )
    .executeTakeFirst();
  return { delivery: delivery?.since ?? undefined, run: run?.since ?? undefined };
}
