/** Commands come from more than a comment's lines: a row is known by where its command was given. */
export const origins: readonly string[] = [
  ...['commands', 'runs'].flatMap((table) => [
    `alter table ${table} add column origin text`,
    `update ${table} set origin = 'comment/' || comment_id || '/' || line`,
    `alter table ${table} alter column origin set not null`,
    // Its key goes with the columns.
    `alter table ${table} drop column comment_id, drop column line`,
  ]),
  `alter table commands add primary key (repository_id, origin)`,
  `alter table runs add constraint runs_by_origin unique (repository_id, origin)`,
];
