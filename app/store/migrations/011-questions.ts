/**
 * A run is one row, and what it tried and measured is part of it. People ask in SQL, so these views show an attempt
 * and a metric a row; they follow from the run and cannot differ from it.
 */
export const questions: readonly string[] = [
  `create view attempts as
    select id as run_id, repository_id, ended.number::int as attempt, ended.value ->> 'region' as region,
      ended.value ->> 'job' as job, (ended.value ->> 'startTime')::timestamptz as started_at,
      (ended.value ->> 'endTime')::timestamptz as ended_at, ended.value ->> 'reason' as reason
    from runs, jsonb_array_elements(state -> 'attempts') with ordinality as ended (value, number)
    union all
    select id, repository_id, coalesce(jsonb_array_length(state -> 'attempts'), 0) + 1,
      split_part(state #>> '{job,name}', '/', 4), state #>> '{job,name}',
      (state #>> '{job,snapshot,startTime}')::timestamptz,
      (state #>> '{job,snapshot,endTime}')::timestamptz, state #>> '{end,reason}'
    from runs where state #>> '{job,name}' is not null`,
  `create view metrics as
    select id as run_id, repository_id, measured.key as name, measured.value::text::double precision as value
    from runs, jsonb_each(state -> 'metrics' -> 'values') as measured (key, value)
    where jsonb_typeof(measured.value) = 'number'`,
];
