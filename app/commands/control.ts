/** What all commands have in common that see to runs which exist already: who may, and how it is answered. */
import { decideControl } from '../../shared/policy/decide.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import { refused } from './refused.ts';
import type { Answer, CommandContext, Request } from './request.ts';

/** @param act gives the answer's text, a refusal, or nothing to say; called for those who may */
export async function control(
  request: Request,
  context: CommandContext,
  act: () => Promise<string | Refusal | undefined>,
): Promise<Answer> {
  const { repository } = request;
  const rules = context.config.repositories.get(repository.id)?.policy;
  const outcome = decideControl(request, rules) ?? (await act());
  if (typeof outcome === 'object') return refused(outcome, request, 'Not done');
  return { verdict: 'answered', reason: null, body: outcome };
}
