/**
 * A push has one receipt, however often and under whatever name its delivery comes; and who has no authority one
 * answer in a pull request, however many comments come at once.
 */
export const oneReceiptOneAnswer: readonly string[] = [
  `delete from heads using heads as earlier
    where earlier.repository_id = heads.repository_id and earlier.pull_number = heads.pull_number
      and earlier.sha = heads.sha and earlier.happened_at = heads.happened_at
      and (earlier.received_at, earlier.delivery_id) < (heads.received_at, heads.delivery_id)`,
  `create unique index heads_once on heads (repository_id, pull_number, sha, happened_at)`,
  `create table stranger_signs (
    repository_id bigint not null,
    comment_id bigint not null,
    pull_number integer not null,
    actor_id bigint not null,
    kind text not null,
    given_at timestamptz not null,
    primary key (repository_id, comment_id)
  )`,
  `create unique index stranger_answers on stranger_signs (repository_id, pull_number, actor_id)
    where kind = 'answer'`,
  `create index stranger_signs_by_actor on stranger_signs (actor_id, given_at)`,
];
