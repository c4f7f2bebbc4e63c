/** A CommandProblem, made of its parts. */
import type { CommandProblem } from './command.ts';
import { boundToken } from './quote-token.ts';

export function problem(
  reason: CommandProblem['reason'],
  token: string,
  message: string,
  example: string,
): CommandProblem {
  return { reason, token: boundToken(token), message, example };
}
