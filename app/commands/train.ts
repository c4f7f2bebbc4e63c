/** `/train` and `/build`: a run, or with `dry-run` its plan in words. */
import type { BuildCommand, TrainCommand } from '../../shared/command/command.ts';
import { startRun } from '../../shared/flow.ts';
import { renderAdmission } from '../../shared/report/admission.ts';
import { renderPlan } from '../../shared/report/plan.ts';
import { planTraining } from './plan-training.ts';
import { refused } from './refused.ts';
import type { CommandContext, CommandRequest, Outcome } from './request.ts';

export async function train(
  command: TrainCommand | BuildCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<Outcome> {
  const outcome = await planTraining(command, request, context);
  if (outcome.kind === 'rejected') return refused(outcome, request);
  const { plan, admission, usage } = outcome;
  if (!command.dryRun) return { verdict: 'run', run: startRun(plan, context.now()), admission };
  const verdict = renderAdmission(plan.tier, admission, usage);
  const body = renderPlan(plan, { sandbox: context.sandbox, verdict });
  return { verdict: 'answered', reason: null, body };
}
