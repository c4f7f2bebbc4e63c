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
import { readTextFile } from '../../shared/github/contents.ts';
import { getPull, type PullRequest } from '../../shared/github/pulls.ts';
import type { Plan } from '../../shared/plan/plan.ts';
import { planRun } from '../../shared/plan/plan-run.ts';
import { newRunId } from '../../shared/plan/run-id.ts';
import { decide } from '../../shared/policy/decide.ts';
import { secondsBetween } from '../../shared/units.ts';
import type { CommandFacts, Refusal, TrustTier } from '../../shared/policy/decision.ts';
import { headAtComment } from '../store/heads.ts';
import type { CommandContext, CommandRequest } from './request.ts';
import type { Tables } from '../store/tables.ts';

export type TrainOutcome =
  | {
      readonly kind: 'planned';
      readonly plan: Plan;
      /** The metric that matters to the repository. */
      readonly metric: string | undefined;
    }
  | Refusal;

/** What is settled once the command is allowed. */
interface Pinned {
  readonly settings: ProjectSettings;
  readonly headSha: string;
  readonly tier: TrustTier;
}

export async function planTraining(
  command: TrainCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<TrainOutcome> {
  const pull = await getPull(context.octokit, request.repository, request.pullNumber);
  const headShaAtComment = await pinHead(request, pull, context.db);
  const decision = decide(factsOf(request, context.now(), pull, headShaAtComment));
  if (decision.kind === 'rejected') return decision;
  if (headShaAtComment === undefined) throw new Error('decide allowed a run without a commit');
  const settings = context.config.repositories.get(request.repository.id);
  if (settings === undefined) return repositoryNotAllowed(request.repository.id);
  // The person has the authority; what follows is slow.
  await request.react('eyes');
  try {
    return await plan(command, request, context, {
      settings,
      headSha: headShaAtComment,
      tier: decision.tier,
    });
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
  request: CommandRequest,
  pull: PullRequest,
  db: Kysely<Tables>,
): Promise<string | undefined> {
  const head = await headAtComment(db, {
    repositoryId: request.repository.id,
    pullNumber: request.pullNumber,
    commentedAt: request.askedAt,
    commentReceivedAt: request.receivedAt,
  });
  if (head.kind === 'known') return head.sha;
  if (head.kind === 'unknown' || pull.headPushedAt === undefined) return undefined;
  return Date.parse(pull.headPushedAt) < request.askedAt.getTime() ? pull.headSha : undefined;
}

function factsOf(
  request: CommandRequest,
  now: Date,
  pull: PullRequest,
  headShaAtComment: string | undefined,
): CommandFacts {
  return {
    actor: { ...request.actor, isBot: false },
    permission: request.permission,
    ageSeconds: Math.max(0, secondsBetween(request.askedAt, now)),
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
  command: TrainCommand,
  { repository, pullNumber, actor }: CommandRequest,
  { octokit, config }: CommandContext,
  { settings, headSha, tier }: Pinned,
): Promise<TrainOutcome> {
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
    owner: config.owner,
    tier,
    subject: {
      repository: { id: repository.id, fullName: `${repository.owner}/${repository.repo}` },
      pullNumber,
      headSha,
      requestedBy: actor,
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
