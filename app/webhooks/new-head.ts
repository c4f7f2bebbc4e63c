/**
 * `pull_request.synchronize`: cards of runs of other commits than the newest say from now on that they are, and the
 * runs end where the policy says so. Which one is the newest GitHub is asked: the push may be one of long ago.
 */
import type { Kysely } from 'kysely';
import type { Probot } from 'probot';
import { parseRepoConfig, repoConfigPath } from '../../shared/config/repo-config.ts';
import type { ServerConfig } from '../../shared/config/server-config.ts';
import type { Octokit, RepositoryName } from '../../shared/github/client.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { getPull } from '../../shared/github/pulls.ts';
import { policyOf } from '../../shared/policy/settings-of-tier.ts';
import { isOver } from '../../shared/watch/run.ts';
import type { OctokitFor } from '../github-app.ts';
import { firstReceivedAt } from '../store/heads.ts';
import { requestCancel, runsOfPull, supersedeRuns } from '../store/runs.ts';
import type { Tables } from '../store/tables.ts';
import { askAgain } from './ask-again.ts';
import { headReceiptOf } from './pull-request.ts';

interface NewHeadContext {
  readonly db: Kysely<Tables>;
  readonly config: ServerConfig;
  readonly octokitFor: OctokitFor;
  readonly now: () => Date;
  readonly wakeRun: (runId: string) => Promise<void>;
}

/** Registers the handler. What it throws reaches whoever called `probot.receive`. */
export function onNewHead(probot: Probot, context: NewHeadContext): void {
  const { db, octokitFor } = context;
  probot.on('pull_request.synchronize', async ({ id, payload }) => {
    const { number: pullNumber, pull_request: pull, repository, installation, sender } = payload;
    if (installation === undefined) return;
    const place = { repositoryId: repository.id, pullNumber };
    const receipt = headReceiptOf(payload);
    const before = receipt && (await firstReceivedAt(db, receipt));
    if (before === undefined) return;
    // Most pull requests were never trained, and GitHub need not be asked about those.
    if ((await runsOfPull(db, place, 1)).length === 0) return;
    const name = { id: repository.id, owner: repository.owner.login, repo: repository.name };
    const octokit = octokitFor(installation.id);
    const now = await getPull(octokit, name, pullNumber);
    // The name leads to another repository by now.
    if (now.baseRepositoryId !== repository.id) return;
    const isTold = now.headSha === pull.head.sha;
    const head = { ...place, headSha: now.headSha, before, pusher: isTold ? sender : undefined };
    await supersede(head, name, octokit, context);
    // Not there yet, or no longer: a push of before that is sent again changes nothing.
    if (!isTold && now.headSha === payload.before) await askAgain(db, id);
  });
}

interface NewestHead {
  readonly repositoryId: number;
  readonly pullNumber: number;
  /** Where the pull request is now, whatever a delivery says. */
  readonly headSha: string;
  /** When we first heard of the push: who asked for an older commit after it meant that one. */
  readonly before: Date;
  /** Undefined when another delivery tells of it. */
  readonly pusher: { readonly login: string } | undefined;
}

async function supersede(
  pull: NewestHead,
  repository: RepositoryName & { readonly id: number },
  octokit: Octokit,
  { db, config, now, wakeRun }: NewHeadContext,
): Promise<void> {
  const superseded = await supersedeRuns(db, pull, now());
  await Promise.all(superseded.map((id) => wakeRun(id)));
  // Looked for among all runs: an earlier attempt may have marked them and got no further.
  const runs = await runsOfPull(db, pull, maxRuns);
  const old = runs.filter(
    (run) =>
      !isOver(run) && run.superseded !== undefined && run.plan.subject.headSha !== pull.headSha,
  );
  if (old.length === 0 || !(await cancelsSuperseded(repository, octokit, config))) return;
  const ids = old.map(({ plan }) => plan.runId);
  const at = now();
  const by = pull.pusher?.login ?? 'trainyard';
  await requestCancel(db, ids, { at: at.toISOString(), by }, at);
  await Promise.all(ids.map((id) => wakeRun(id)));
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
