/**
 * From `/train` to a Plan or a Refusal: asks for the facts, has them decided, reads the configuration from
 * where it may come from, and plans. Nothing is created here.
 */
import type { BuildCommand, TrainCommand } from '../../shared/command/command.ts';
import type { ProjectSettings } from '../../shared/config/project-settings.ts';
import type { RepoConfig } from '../../shared/config/repo-config.ts';
import { UserError } from '../../shared/errors.ts';
import type { Plan } from '../../shared/plan/plan.ts';
import { admit } from '../../shared/policy/admit.ts';
import { decide, refuseActor } from '../../shared/policy/decide.ts';
import type { Refusal, TrustTier } from '../../shared/policy/decision.ts';
import { effectivePolicy, type Policy } from '../../shared/policy/policy.ts';
import { settingsOfTier } from '../../shared/policy/settings-of-tier.ts';
import type { Usage } from '../../shared/policy/usage.ts';
import type { Admission } from '../store/runs.ts';
import { gatherFacts, narrowFacts, recordDecision, toRefusal } from './gather-facts.ts';
import { makePlan } from './make-plan.ts';
import type { CommandContext, CommandRequest, Request } from './request.ts';

type TrainOutcome =
  | {
      readonly kind: 'planned';
      readonly plan: Plan;
      readonly admission: Admission;
      /** What other runs hold of the ceilings. */
      readonly usage: Usage;
    }
  | Refusal;

/** What is settled once the command is allowed. */
interface Pinned {
  readonly settings: ProjectSettings;
  readonly repoConfig: RepoConfig;
  readonly policy: Policy;
  readonly headSha: string;
  /** What the default branch is called, where the commit is one of it. */
  readonly branch?: string;
  readonly tier: TrustTier;
  readonly usage: Usage;
}

export async function planTraining(
  command: TrainCommand | BuildCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<TrainOutcome> {
  const decided = await decideTraining(request, context);
  if ('kind' in decided) return decided;
  // The person has the authority; what follows is slow.
  await request.react('eyes');
  return planPinned(command, request, context, decided);
}

/** The verdict, put on record whichever way it goes. */
async function decideTraining(
  request: CommandRequest,
  context: CommandContext,
): Promise<Pinned | Refusal> {
  const settings = context.config.repositories.get(request.repository.id);
  if (settings === undefined) return refuseUnserved(request);
  let facts = await gatherFacts(request, context, settings);
  let decision = decide(facts);
  let repoConfig: RepoConfig | undefined;
  if (decision.kind === 'allowed') {
    const narrowed = await narrowFacts(facts, request, context, settings);
    if ('kind' in narrowed) return narrowed;
    ({ facts, repoConfig } = narrowed);
    decision = decide(facts);
  }
  await recordDecision(request, context, decision, facts);
  if (decision.kind === 'rejected') return decision;
  const { policy, usage, pull } = facts;
  if (pull.headShaAtComment === undefined || repoConfig === undefined)
    throw new Error('a run was allowed without a commit or a configuration');
  const { tier } = decision;
  return { settings, repoConfig, policy, usage, tier, headSha: pull.headShaAtComment };
}

/** What the pinned commit has, planned and held against policy and ceilings. */
export async function planPinned(
  command: TrainCommand | BuildCommand,
  request: Request,
  context: CommandContext,
  pinned: Pinned,
): Promise<TrainOutcome> {
  try {
    return await plan(command, request, context, pinned);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return toRefusal(error);
  }
}

async function plan(
  command: TrainCommand | BuildCommand,
  request: Request,
  context: CommandContext,
  { settings, policy, usage, ...pinned }: Pinned,
): Promise<TrainOutcome> {
  const answer = await makePlan(command, request, context, {
    ...pinned,
    settings: settingsOfTier(settings, policy, pinned.tier),
    admits: (plan) => admit(plan, policy, usage),
  });
  return answer.kind === 'rejected' ? answer : { ...answer, usage };
}

/** Who has no authority is not told what is served. */
function refuseUnserved({ actor, permission, repository }: CommandRequest): Refusal {
  const asks = { ...actor, isBot: actor.isBot === true, teams: [] };
  const refusal = refuseActor({ actor: asks, permission, policy: effectivePolicy({}, {}) });
  return refusal ?? repositoryNotAllowed(repository.id);
}

export function repositoryNotAllowed(id: number): Refusal {
  return {
    kind: 'rejected',
    reason: 'repository_not_allowed',
    message: 'This repository is not served by this installation of Trainyard.',
    fix: `Ask its operator to add the repository id ${id} to the server configuration.`,
  };
}
