/** What runs hold of their repository's ceilings, which commits of forks may run, and who pushed a head. */
export const budgetAndApprovals: readonly string[] = [
  `create table budget (
    run_id text primary key,
    repository_id bigint not null,
    pull_number integer,
    actor_id bigint not null,
    month text not null,
    reserved_usd double precision not null,
    settled_usd double precision,
    reserved_at timestamptz not null,
    settled_at timestamptz
  )`,
  `create index budget_by_month on budget (repository_id, month)`,
  `create index budget_open on budget (repository_id) where settled_at is null`,
  `create table approvals (
    repository_id bigint not null,
    pull_number integer not null,
    sha text not null,
    approver_id bigint not null,
    approved_at timestamptz not null,
    primary key (repository_id, pull_number, sha)
  )`,
  `alter table heads add column pusher_id bigint, add column pushed_by_bot boolean`,
  // Runs of before are counted too, at their most.
  `insert into budget (run_id, repository_id, pull_number, actor_id, month, reserved_usd, reserved_at)
    select id, repository_id, (state -> 'plan' -> 'subject' ->> 'pullNumber')::int,
      (state -> 'plan' -> 'subject' -> 'requestedBy' ->> 'id')::bigint,
      left(state ->> 'createdAt', 7), (state -> 'plan' -> 'estimate' ->> 'ceilingUsd')::float8,
      (state ->> 'createdAt')::timestamptz
    from runs where not closed`,
];
