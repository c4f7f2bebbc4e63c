/** Cloud Build triggers that are kept as declared, and the builds that they start. */
export const triggers: readonly string[] = [
  `create table trigger_repositories (
    repository_id bigint primary key,
    installation_id bigint not null,
    owner text not null,
    repo text not null,
    asked_at timestamptz not null,
    next_look_at timestamptz not null,
    lease_holder text,
    lease_until timestamptz,
    failures integer not null default 0,
    shown jsonb
  )`,
  `create index trigger_repositories_due on trigger_repositories (next_look_at)`,
  `create table triggers (
    project text not null,
    region text not null,
    trigger_id text not null,
    repository_id bigint not null,
    name text not null,
    written jsonb,
    primary key (project, region, trigger_id)
  )`,
  `create index triggers_by_repository on triggers (repository_id)`,
  `create table trigger_runs (
    repository_id bigint not null,
    origin text not null,
    requested_at timestamptz not null,
    build_id text,
    primary key (repository_id, origin)
  )`,
  `create table build_looks (
    project text not null,
    region text not null,
    seen_until timestamptz,
    lease_holder text,
    lease_until timestamptz,
    primary key (project, region)
  )`,
  `create table triggered_builds (
    project text not null,
    region text not null,
    build_id text not null,
    repository_id bigint not null,
    name text not null,
    build jsonb not null,
    log_tail jsonb not null,
    published jsonb not null,
    closed boolean not null default false,
    primary key (project, region, build_id)
  )`,
  `create index triggered_builds_open on triggered_builds (project, region) where not closed`,
];
