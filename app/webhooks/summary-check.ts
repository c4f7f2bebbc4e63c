/**
 * The check `trainyard`, for branch protection, where the repository wants it: there from a commit's first
 * moment and neutral, so that it never blocks by being absent; from then on as the commit's newest run that
 * counts. See publish.ts for the rest of its life.
 */
import type { Probot } from 'probot';
import { parseRepoConfig, repoConfigPath } from '../../shared/config/repo-config.ts';
import { ownCheck } from '../../shared/github/checks.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { pullPage } from '../../shared/github/pages.ts';
import { summaryCheck } from '../publish.ts';
import type { ConfigCheckContext } from './config-check.ts';

/** Registers the handler. */
export function onCommitToSummarise(probot: Probot, context: ConfigCheckContext): void {
  const events = ['pull_request.opened', 'pull_request.reopened', 'pull_request.synchronize'];
  probot.on(events as ['pull_request.opened'], async ({ payload }) => {
    const { number, pull_request: pull, repository: given, installation } = payload;
    const { config, octokitFor, appId, githubUrl, now } = context;
    if (installation === undefined || !config.repositories.has(given.id)) return;
    const octokit = octokitFor(installation.id);
    const repository = { owner: given.owner.login, repo: given.name };
    const text = await readTextFile(octokit, repository, repoConfigPath);
    const parsed = text === undefined ? undefined : parseRepoConfig(text, repoConfigPath);
    if (parsed?.ok !== true || parsed.value.summaryCheck !== true) return;
    const where = { ...repository, ...summaryCheck, headSha: pull.head.sha, appId };
    const at = now().toISOString();
    const check = ownCheck(octokit, where, {
      status: 'completed',
      conclusion: 'neutral',
      startedAt: at,
      completedAt: at,
      title: 'No run was asked for',
      detailsUrl: pullPage({ githubUrl, ...repository }, number),
      summary:
        'Comment `/train` to train this commit; what was typed to change the run does not count here.',
    });
    // A run may have come first, after a delivery that was late; it says more.
    if ((await check.find()) === undefined) await check.create();
  });
}
