/** A refusal as the answer to a command. */
import type { Refusal } from '../../shared/policy/decision.ts';
import { renderRefusal } from '../../shared/report/refusal.ts';
import type { Answer, CommandRequest } from './request.ts';

/** @param lead what did not happen; `Not started` unless told otherwise */
export function refused(
  refusal: Refusal,
  { text }: Pick<CommandRequest, 'text'>,
  lead?: string,
): Answer {
  const options = { ...(text && { command: text }), ...(lead && { lead }) };
  const body = renderRefusal(refusal, options);
  return { verdict: 'refused', reason: refusal.reason, body, refusal };
}
