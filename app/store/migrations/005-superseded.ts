/** A newer push to its pull request: whoever holds the run next puts it into the run, an ended one too. */
export const superseded: readonly string[] = [
  `alter table runs add column superseded jsonb`,
  `create index events_by_run on events (run_id)`,
];
