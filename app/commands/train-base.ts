/**
 * A push to the default branch in; what it has trained as `/train` would be, as the base that pull requests are
 * compared with. Whoever pushed must be allowed to command, and every ceiling holds. Nobody is commented at: the
 * run has a check on its commit, and so has a refusal.
 */
import type { RepoConfig } from '../../shared/config/repo-config.ts';
import { startRun } from '../../shared/flow.ts';
import { ownCheck } from '../../shared/github/checks.ts';
import { commitPage } from '../../shared/github/pages.ts';
import type { RepositoryName } from '../../shared/github/client.ts';
import { getPermission } from '../../shared/github/pulls.ts';
import type { RepositoryState } from '../../shared/github/repositories.ts';
import { decideBase, type BaseFacts } from '../../shared/policy/decide-base.ts';
import type { Policy } from '../../shared/policy/policy.ts';
import { policyOf } from '../../shared/policy/settings-of-tier.ts';
import { toOneLine } from '../../shared/report/markdown.ts';
import { usageOf } from '../store/budget.ts';
import { openBaseRuns } from '../store/run-queries.ts';
import { requestCancel } from '../store/runs.ts';
import { notTaken } from './answer.ts';
import { recordDecision, teamsOf } from './gather-facts.ts';
import { perform } from './perform.ts';
import { planPinned } from './plan-training.ts';
import { refused } from './refused.ts';
import type { CommandContext, Outcome, Request, Tell } from './request.ts';

interface BasePush {
  readonly repository: RepositoryName & { readonly id: number };
  /** The default branch. */
  readonly branch: string;
  /** Its newest commit, 40 hex digits. */
  readonly headSha: string;
  readonly sender: { readonly id: number; readonly login: string; readonly isBot: boolean };
  readonly installationId: number;
  /** How often its delivery was handled, this time included. */
  readonly attempt: number;
  /** As GitHub shows the repository now. */
  readonly state: RepositoryState;
  /** Of that commit. */
  readonly repoConfig: RepoConfig;
}

/**
 * Any number of times for the same commit: it is trained once.
 * @throws {CloudError} when GitHub does not answer and another attempt makes sense
 */
export async function trainBase(push: BasePush, context: CommandContext): Promise<void> {
  const { repository, headSha, sender, installationId, attempt } = push;
  const settings = context.config.repositories.get(repository.id);
  if (settings === undefined) return;
  const request: Request = {
    repository,
    installationId,
    attempt,
    actor: sender,
    pullNumber: undefined,
    key: { repositoryId: repository.id, origin: `push/${headSha}` },
    permission: await getPermission(context.octokit, repository, sender),
    text: undefined,
    react: () => Promise.resolve(),
  };
  const policy = policyOf(settings, push.repoConfig);
  const decide = async (): Promise<Outcome> => {
    const facts = await factsOf(push, request, policy, context);
    const decision = decideBase(facts);
    await recordDecision(request, context, decision, facts);
    if (decision.kind === 'rejected') return refused(decision, request);
    const { repoConfig, branch } = push;
    const { tier } = decision;
    const pinned = { settings, repoConfig, policy, headSha, branch, tier, usage: facts.usage };
    const command = { kind: 'train', dryRun: false } as const;
    const outcome = await planPinned(command, request, context, pinned);
    if (outcome.kind === 'rejected') return refused(outcome, request);
    const { plan, admission } = outcome;
    return { verdict: 'run', run: startRun(plan, context.now()), admission };
  };
  await perform(request, context, decide, onCommit(push, context));
  if (policy.cancelSuperseded) await cancelOlder(push, context);
}

async function factsOf(
  { repository, state }: BasePush,
  request: Request,
  policy: Policy,
  context: CommandContext,
): Promise<BaseFacts> {
  const { id, login, isBot = false } = request.actor;
  const owner = { repositoryId: repository.id, pullNumber: undefined, actorId: id };
  return {
    actor: { id, login, isBot, teams: await teamsOf(request, context, policy) },
    permission: request.permission,
    policy,
    repository: {
      id: repository.id,
      idByName: state.id,
      isArchived: state.isArchived,
      ownerId: state.ownerId,
      requiredOwnerId: context.config.repositories.get(repository.id)?.ownerId,
    },
    usage: await usageOf(context.db, owner, context.now()),
  };
}

/** A check that blocks nothing. */
function onCommit({ repository, headSha }: BasePush, context: CommandContext): Tell {
  const { octokit, appId, githubUrl, now } = context;
  const where = { ...repository, headSha, name: 'trainyard/train', appId };
  return async ({ body, refusal }, fresh) => {
    const at = now().toISOString();
    const why = refusal === undefined ? '' : `: ${refusal.message.replaceAll('`', '')}`;
    const own = { ...where, externalId: `push/${headSha}` };
    const check = ownCheck(octokit, own, {
      status: 'completed',
      conclusion: 'neutral',
      startedAt: at,
      completedAt: at,
      title: toOneLine(`Not started${why}`, maxTitleLength),
      summary: `${body}\n${whyAtAll}\n`,
      detailsUrl: commitPage({ githubUrl, ...repository }, headSha),
    });
    if (!fresh && (await check.find()) !== undefined) return;
    await check.create().catch((error: unknown) => notTaken(error, context));
  };
}

const maxTitleLength = 255;
const whyAtAll =
  'This run was asked for by `train_on_push` in `.github/trainyard.yml`; the next push asks for another one.';

/** Only once the newer one is there: else pull requests would have nothing new to be compared with. */
async function cancelOlder(
  { repository, headSha, sender }: BasePush,
  { db, now, wakeRun }: CommandContext,
): Promise<void> {
  const open = await openBaseRuns(db, repository.id);
  const isNewer = ({ plan }: (typeof open)[number]): boolean => plan.subject.headSha === headSha;
  if (!open.some(isNewer)) return;
  const older = open.filter((run) => !isNewer(run)).map(({ plan }) => plan.runId);
  await requestCancel(db, older, { at: now().toISOString(), by: sender.login }, now());
  await Promise.all(older.map((id) => wakeRun(id)));
}
