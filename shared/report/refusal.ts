/** The answers to a command that starts nothing: a refusal, or a line that is no command of ours. */
import type { Command, CommandProblem } from '../command/command.ts';
import type { Refusal } from '../policy/decision.ts';
import { codeSpan, sentence } from './markdown.ts';

/** One line that says what is wrong, one that says what to do. */
export function renderRefusal(
  refusal: Refusal,
  options: {
    readonly sandbox: boolean;
    readonly command?: string;
    /** The first words, where nothing was to be started. */
    readonly lead?: string;
  },
): string {
  const command = options.command === undefined ? '' : ` ${codeSpan(options.command)}`;
  const lead = options.lead ?? 'Not started';
  const lines = [`**${lead}**${command}: ${sentence(refusal.message)}`, sentence(refusal.fix)];
  if (refusal.example !== undefined) lines.push(`This would work: ${codeSpan(refusal.example)}`);
  if (options.sandbox) lines.push('sandbox: nothing here costs money');
  return `${lines.join('\n\n')}\n`;
}

/** @param of the command that it is, or nearly is */
export function renderProblem(problem: CommandProblem, of: Command['kind']): string {
  const starts = of === 'train' || of === 'build' || of === 'retry';
  const lead = starts ? 'Not started' : of === 'help' ? 'No help' : 'Not done';
  return `**${lead}**: ${sentence(problem.message)}\n\nThis would work: ${codeSpan(problem.example)}\n`;
}
