/** Answers to what did not start: refusals and mistyped commands. Data in, Markdown out. */
import type { CommandProblem } from '../command/command.ts';
import type { Refusal } from '../policy/decision.ts';
import { codeSpan } from './escape.ts';

/** What the answer is about, shown where a comment may hold several commands. */
export interface AnswerContext {
  readonly sandbox: boolean;
  readonly command?: string;
}

/** A refusal's sentences are Markdown-safe already. */
export function renderRefusal(refusal: Refusal, context: AnswerContext): string {
  const about = context.command === undefined ? '' : `\n\n<sub>${codeSpan(context.command)}</sub>`;
  return `**Not started**: ${refusal.message}\n${refusal.fix}${about}`;
}

export function renderProblem(problem: CommandProblem): string {
  return `**Not started**: ${problem.message}\nFor example: ${codeSpan(problem.example)}`;
}
