/** Asked for while another process may hold the run: whoever holds it next puts it into the run. */
export const cancelRequests: readonly string[] = [
  `alter table runs add column cancel_requested jsonb`,
  `create index runs_by_repository on runs (repository_id)`,
];
