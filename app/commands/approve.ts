/** `/approve SHA`: lets that very commit of a fork's pull request run, until something is pushed. */
import type { ApproveCommand } from '../../shared/command/command.ts';
import { decideApproval } from '../../shared/policy/decide-approval.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import { shortSha } from '../../shared/units.ts';
import { storeApproval } from '../store/approvals.ts';
import { control } from './control.ts';
import { gatherFacts, narrowFacts } from './gather-facts.ts';
import { repositoryNotAllowed } from './plan-training.ts';
import type { Answer, CommandContext, CommandRequest } from './request.ts';

export function approve(
  { sha }: ApproveCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<Answer> {
  return control(request, context, async () => {
    const refusal = await refuse(sha, request, context);
    if (refusal !== undefined) return refusal;
    const { repository, pullNumber, actor } = request;
    const approval = { repositoryId: repository.id, pullNumber, sha };
    await storeApproval(context.db, approval, actor.id, context.now());
    return `**Approved** \`${shortSha(sha)}\` for this pull request: \`/train\` runs it now. A push voids the approval.`;
  });
}

async function refuse(
  sha: string,
  request: CommandRequest,
  context: CommandContext,
): Promise<Refusal | undefined> {
  const settings = context.config.repositories.get(request.repository.id);
  if (settings === undefined) return repositoryNotAllowed(request.repository.id);
  const facts = await gatherFacts(request, context, settings, sha);
  const refusal = decideApproval(facts, sha);
  if (refusal !== undefined) return refusal;
  const narrowed = await narrowFacts(facts, request, context, settings);
  return 'kind' in narrowed ? narrowed : decideApproval(narrowed.facts, sha);
}
