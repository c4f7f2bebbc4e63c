/** Who has no authority is answered once in a pull request, so a command's row says in which it was given. */
export const pullOfCommand: readonly string[] = [
  `alter table commands add column pull_number integer`,
];
