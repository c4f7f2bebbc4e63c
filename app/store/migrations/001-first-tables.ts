/** What was there first. */
export const firstTables: readonly string[] = [
  `create table deliveries (
    id text primary key,
    event text not null,
    body bytea not null,
    received_at timestamptz not null,
    processed_at timestamptz,
    attempts integer not null default 0,
    next_attempt_at timestamptz not null,
    error text
  )`,
  `create index deliveries_open on deliveries (next_attempt_at) where processed_at is null`,
  `create table heads (
    delivery_id text primary key,
    repository_id bigint not null,
    pull_number integer not null,
    sha text not null,
    happened_at timestamptz not null,
    received_at timestamptz not null
  )`,
  `create index heads_by_pull on heads (repository_id, pull_number, happened_at)`,
  `create table commands (
    repository_id bigint not null,
    comment_id bigint not null,
    line integer not null,
    actor_id bigint not null,
    created_at timestamptz not null,
    verdict text,
    reason text,
    answered_at timestamptz,
    primary key (repository_id, comment_id, line)
  )`,
  `create index commands_by_actor on commands (actor_id, created_at)`,
  `create table runs (
    id text primary key,
    repository_id bigint not null,
    comment_id bigint not null,
    line integer not null,
    installation_id bigint not null,
    metric text,
    state jsonb not null,
    version integer not null default 0,
    publication jsonb not null,
    lease_holder text,
    lease_until timestamptz,
    next_wake_at timestamptz not null,
    failures integer not null default 0,
    closed boolean not null default false,
    unique (repository_id, comment_id, line)
  )`,
  `create index runs_open on runs (next_wake_at) where not closed`,
  `create table events (
    id bigserial primary key,
    at timestamptz not null,
    kind text not null,
    repository_id bigint,
    run_id text,
    actor_id bigint,
    detail jsonb not null
  )`,
  // Append-only is a promise of the database, not of the code above it.
  `create function refuse_change() returns trigger language plpgsql as
    $$ begin raise exception 'events are append-only'; end $$`,
  `create trigger events_append_only before update or delete on events
    for each row execute function refuse_change()`,
];
