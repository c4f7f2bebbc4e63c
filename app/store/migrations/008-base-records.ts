/**
 * Every pull request's run asks for the default branch's newest record when it ends. The condition is that of
 * `newestBaseRecord`, word for word: PostgreSQL takes a partial index only where a query implies it.
 */
export const baseRecords: readonly string[] = [
  `create index runs_base_records on runs (repository_id, (state ->> 'createdAt'))
    where state -> 'plan' ->> 'tier' = 'base'
      and state -> 'end' ->> 'outcome' = 'succeeded'
      and state -> 'metrics' -> 'values' <> '{}'::jsonb
      and origin not like 'restored/%'`,
  // Nothing was ever written to it: a plan names its metric.
  `alter table runs drop column metric`,
];
