/** The check of a pull request that changes `.github/trainyard.yml`: what was read of it in, a check's content out. */
import type { ConfigProblem } from '../config/problem.ts';
import { repoConfigPath, type RepoConfig } from '../config/repo-config.ts';
import type { Result } from '../errors.ts';
import { sentence } from './markdown.ts';

export interface ConfigCheck {
  readonly conclusion: 'success' | 'failure' | 'neutral';
  readonly title: string;
  readonly summary: string;
  readonly problems: readonly ConfigProblem[];
}

/** @param read undefined: the pull request removes the file */
export function renderConfigCheck(
  read: Result<RepoConfig, ConfigProblem> | undefined,
): ConfigCheck {
  if (read === undefined) {
    const summary = `Without \`${repoConfigPath}\` on the default branch every \`/train\` is refused.`;
    return { conclusion: 'neutral', title: 'The file is removed', summary, problems: [] };
  }
  if (read.ok) {
    const summary = `\`${repoConfigPath}\` is valid. It counts once it is on the default branch, and can narrow what the operator of Trainyard allows.`;
    return { conclusion: 'success', title: 'Valid', summary, problems: [] };
  }
  const { problems } = read;
  const lines = problems.map(
    // What is wrong may be anybody's words: a fork's pull request is enough to have them shown here.
    ({ line, column, message }) => `- line ${line}, column ${column}: ${sentence(message, 2_000)}`,
  );
  return {
    conclusion: 'failure',
    title: problems.length === 1 ? '1 problem' : `${problems.length} problems`,
    summary: [
      `On the default branch this \`${repoConfigPath}\` would have every \`/train\` refused:`,
      '',
      ...lines,
    ].join('\n'),
    problems,
  };
}
