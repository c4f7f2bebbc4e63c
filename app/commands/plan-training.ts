/**
 * From `/train` to a Plan or a Refusal: asks for the facts, has them decided, reads the configuration from
 * where it may come from, and plans. Nothing is created here.
 */
import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { TrainCommand } from '../../shared/command/command.ts';
import type { ProjectSettings } from '../../shared/config/project-settings.ts';
import {
  badConfig,
  noRepoConfig,
  parseRepoConfig,
  repoConfigPath,
} from '../../shared/config/repo-config.ts';
import { refusalReasons, UserError } from '../../shared/errors.ts';
import type { Octokit, RepositoryName } from '../../shared/github/client.ts';
import { readTextFile } from '../../shared/github/contents.ts';
import { getPull, type PullRequest } from '../../shared/github/pulls.ts';
import type { Plan } from '../../shared/plan/plan.ts';
import { planRun } from '../../shared/plan/plan-run.ts';
import { newRunId } from '../../shared/plan/run-id.ts';
import { decide } from '../../shared/policy/decide.ts';
import { secondsBetween } from '../../shared/units.ts';
import type { CommandFacts, Permission, Refusal } from '../../shared/policy/decision.ts';
import { headAtComment } from '../store/heads.ts';
import type { Tables } from '../store/tables.ts';

export interface TrainRequest {
  readonly command: TrainCommand;
  readonly repository: RepositoryName & { readonly id: number };
  readonly pullNumber: number;
  readonly author: { readonly id: number; readonly login: string };
  readonly permission: Permission;
  /** GitHub's clock. */
  readonly commentedAt: Date;
  readonly commentReceivedAt: Date;
  readonly now: Date;
}

export interface TrainContext {
  readonly db: Kysely<Tables>;
  readonly octokit: Octokit;
  readonly owner: string;
  /** Undefined when the operator does not serve the repository. */
  readonly settings: ProjectSettings | undefined;
  /** Called once the person is known to have the authority, before the slow part. */
  readonly onAuthorised: () => Promise<void>;
}

export type TrainOutcome =
  | {
      readonly kind: 'planned';
      readonly plan: Plan;
      /** The metric that matters to the repository. */
      readonly metric: string | undefined;
    }
  | Refusal;

export async function planTraining(
  request: TrainRequest,
  context: TrainContext,
): Promise<TrainOutcome> {
  const pull = await getPull(context.octokit, request.repository, request.pullNumber);
  const headShaAtComment = await pinHead(request, pull, context.db);
  const decision = decide(factsOf(request, pull, headShaAtComment));
  if (decision.kind === 'rejected') return decision;
  if (headShaAtComment === undefined) throw new Error('decide allowed a run without a commit');
  if (context.settings === undefined) return repositoryNotAllowed(request.repository.id);
  await context.onAuthorised();
  try {
    return await plan(request, context, context.settings, headShaAtComment, decision.tier);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const reason = refusalReasons.find((known) => known === error.reason) ?? 'bad_config';
    return { kind: 'rejected', reason, message: error.message, fix: error.fix };
  }
}

/**
 * The commit that the person can have meant. A pull request that was never seen is taken as it is now,
 * unless its repository was pushed to since the comment: then nobody can say.
 */
async function pinHead(
  request: TrainRequest,
  pull: PullRequest,
  db: Kysely<Tables>,
): Promise<string | undefined> {
  const head = await headAtComment(db, {
    repositoryId: request.repository.id,
    pullNumber: request.pullNumber,
    commentedAt: request.commentedAt,
    commentReceivedAt: request.commentReceivedAt,
  });
  if (head.kind === 'known') return head.sha;
  if (head.kind === 'unknown' || pull.headPushedAt === undefined) return undefined;
  return Date.parse(pull.headPushedAt) < request.commentedAt.getTime() ? pull.headSha : undefined;
}

function factsOf(
  request: TrainRequest,
  pull: PullRequest,
  headShaAtComment: string | undefined,
): CommandFacts {
  return {
    actor: { ...request.author, isBot: false },
    permission: request.permission,
    ageSeconds: Math.max(0, secondsBetween(request.commentedAt, request.now)),
    pull: {
      number: pull.number,
      state: pull.state,
      headRepositoryId: pull.headRepositoryId,
      baseRepositoryId: pull.baseRepositoryId,
      headSha: pull.headSha,
      headShaAtComment,
    },
  };
}

async function plan(
  request: TrainRequest,
  { octokit, owner }: TrainContext,
  settings: ProjectSettings,
  headSha: string,
  tier: Parameters<typeof planRun>[0]['tier'],
): Promise<TrainOutcome> {
  const { command, repository, pullNumber, author } = request;
  // Without a ref this is the default branch: a pull request must not configure its own limits.
  const policy = await readTextFile(octokit, repository, repoConfigPath);
  if (policy === undefined) return noRepoConfig();
  const repoConfig = parseRepoConfig(policy, repoConfigPath);
  if (!repoConfig.ok) return badConfig(repoConfig.problems);
  const path = command.config ?? repoConfig.value.config;
  const [jobConfig, dockerfile] = await Promise.all([
    readTextFile(octokit, repository, path, headSha),
    readTextFile(octokit, repository, repoConfig.value.dockerfile, headSha),
  ]);
  const planned = planRun({
    runId: newRunId((count) => randomBytes(count)),
    owner,
    tier,
    subject: {
      repository: { id: repository.id, fullName: `${repository.owner}/${repository.repo}` },
      pullNumber,
      headSha,
      requestedBy: author,
    },
    command,
    repoConfig: repoConfig.value,
    settings,
    jobConfig: jobConfig === undefined ? undefined : { path, text: jobConfig },
    hasDockerfile: dockerfile !== undefined,
    authority: 'app',
  });
  return planned.kind === 'planned' ? { ...planned, metric: repoConfig.value.metric } : planned;
}

function repositoryNotAllowed(id: number): Refusal {
  return {
    kind: 'rejected',
    reason: 'repository_not_allowed',
    message: 'This repository is not served by this installation of Trainyard.',
    fix: `Ask its operator to add the repository id ${id} to the server configuration.`,
  };
}
