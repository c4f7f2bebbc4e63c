/** What is spent for a repository without a run of the App's: builds of its triggers, jobs of its workflows. */
export const outsideSpend: readonly string[] = [
  `create table outside_spend (
    resource text primary key,
    repository_id bigint not null,
    kind text not null,
    month text not null,
    usd double precision not null,
    binds boolean not null,
    begun_at timestamptz not null,
    settled_at timestamptz
  )`,
  `create index outside_spend_by_month on outside_spend (repository_id, month)`,
  `create table spend_looks (
    project text not null,
    region text not null,
    seen_until timestamptz not null,
    oldest_open timestamptz,
    primary key (project, region)
  )`,
];
