/**
 * `pull_request.synchronize`: cards of runs of older commits say from now on that they are, and the runs end
 * where the policy says so.
 */
import type { Kysely } from 'kysely';
import type { Probot } from 'probot';
import { parseRepoConfig, repoConfigPath } from '../../shared/config/repo-config.ts';
import type { ServerConfig } from '../../shared/config/server-config.ts';
import type { Octokit, RepositoryName } from '../../shared/github/client.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { policyOf } from '../../shared/policy/settings-of-tier.ts';
import { isOver } from '../../shared/watch/run.ts';
import type { OctokitFor } from '../github-app.ts';
import { requestCancel, runsOfPull, supersedeRuns } from '../store/runs.ts';
import type { Tables } from '../store/tables.ts';

export interface NewHeadContext {
  readonly db: Kysely<Tables>;
  readonly config: ServerConfig;
  readonly octokitFor: OctokitFor;
  readonly now: () => Date;
  readonly wakeRun: (runId: string) => Promise<void>;
}

/** Registers the handler. */
export function onNewHead(probot: Probot, context: NewHeadContext): void {
  const { db, octokitFor, now, wakeRun } = context;
  probot.on('pull_request.synchronize', async ({ payload }) => {
    const { number: pullNumber, pull_request: pull, repository, installation, sender } = payload;
    const place = { repositoryId: repository.id, pullNumber };
    const superseded = await supersedeRuns(db, { ...place, headSha: pull.head.sha }, now());
    await Promise.all(superseded.map((id) => wakeRun(id)));
    // Looked for among all runs: an earlier attempt may have marked them and got no further.
    const runs = await runsOfPull(db, place, maxRuns);
    const old = runs.filter((run) => !isOver(run) && run.superseded !== undefined);
    if (old.length === 0 || installation === undefined) return;
    const name = { id: repository.id, owner: repository.owner.login, repo: repository.name };
    if (!(await cancelsSuperseded(name, octokitFor(installation.id), context.config))) return;
    const ids = old.map(({ plan }) => plan.runId);
    const at = now();
    await requestCancel(db, ids, { at: at.toISOString(), by: sender.login }, at);
    await Promise.all(ids.map((id) => wakeRun(id)));
  });
}

/** More runs of one pull request than anybody looks at. */
const maxRuns = 200;

/** A file that cannot be read says nothing. */
async function cancelsSuperseded(
  repository: RepositoryName & { readonly id: number },
  octokit: Octokit,
  config: ServerConfig,
): Promise<boolean> {
  const settings = config.repositories.get(repository.id);
  if (settings === undefined) return false;
  if (policyOf(settings).cancelSuperseded) return true;
  const text = await readTextFile(octokit, repository, repoConfigPath);
  const parsed = text === undefined ? undefined : parseRepoConfig(text, repoConfigPath);
  return parsed?.ok === true && policyOf(settings, parsed.value).cancelSuperseded;
}
