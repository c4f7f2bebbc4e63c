/**
 * A pull request that touches `.github/trainyard.yml` gets a check that says what is wrong with it, and where,
 * before it reaches the default branch and stops everybody's runs. Any number of deliveries make one check.
 */
import type { Probot } from 'probot';
import { parseRepoConfig, repoConfigPath } from '../../shared/config/repo-config.ts';
import type { ServerConfig } from '../../shared/config/server-config.ts';
import { UserError } from '../../shared/errors.ts';
import { ownCheck } from '../../shared/github/checks.ts';
import type { Octokit, RepositoryName } from '../../shared/github/client.ts';
import { pullPage } from '../../shared/github/pages.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { touchesFile } from '../../shared/github/pulls.ts';
import { renderConfigCheck, type ConfigCheck } from '../../shared/report/render-config-check.ts';
import type { OctokitFor } from '../github-app.ts';

export interface ConfigCheckContext {
  readonly appId: number;
  /** `https://github.com` */
  readonly githubUrl: string;
  readonly config: ServerConfig;
  readonly octokitFor: OctokitFor;
  readonly now: () => Date;
}

const configCheckName = 'trainyard/config';
const externalId = 'config';

/** Registers the handler. */
export function onConfigChange(probot: Probot, context: ConfigCheckContext): void {
  const events = ['pull_request.opened', 'pull_request.reopened', 'pull_request.synchronize'];
  probot.on(events as ['pull_request.opened'], async ({ payload }) => {
    const { number, pull_request: pull, repository, installation } = payload;
    if (installation === undefined || !context.config.repositories.has(repository.id)) return;
    const octokit = context.octokitFor(installation.id);
    const name = { owner: repository.owner.login, repo: repository.name };
    if (!(await touchesFile(octokit, name, number, repoConfigPath))) return;
    const check = await checkOf(octokit, name, pull.head.sha);
    const place = { ...name, headSha: pull.head.sha, pullNumber: number };
    await show(check, place, octokit, context);
  });
}

async function checkOf(
  octokit: Octokit,
  repository: RepositoryName,
  headSha: string,
): Promise<ConfigCheck> {
  try {
    const text = await readTextFile(octokit, repository, repoConfigPath, headSha);
    return renderConfigCheck(
      text === undefined ? undefined : parseRepoConfig(text, repoConfigPath),
    );
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const problem = { file: repoConfigPath, line: 1, column: 1, path: '', message: error.message };
    return renderConfigCheck({ ok: false, problems: [problem] });
  }
}

async function show(
  check: ConfigCheck,
  {
    pullNumber,
    ...place
  }: RepositoryName & { readonly headSha: string; readonly pullNumber: number },
  octokit: Octokit,
  { appId, githubUrl, now }: ConfigCheckContext,
): Promise<void> {
  const at = now().toISOString();
  const { conclusion, title, summary, problems } = check;
  const where = { ...place, name: configCheckName, externalId, appId };
  const shown = ownCheck(octokit, where, {
    status: 'completed',
    conclusion,
    title,
    summary,
    startedAt: at,
    completedAt: at,
    detailsUrl: `${pullPage({ githubUrl, ...place }, pullNumber)}/files`,
    annotations: problems.map(({ file, line, column, message }) => ({
      path: file,
      line,
      column,
      message,
    })),
  });
  const id = await shown.find();
  await (id === undefined ? shown.create() : shown.update(id));
}
