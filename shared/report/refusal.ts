/** The answers to a command that starts nothing: a refusal, or a line that is no command of ours. */
import type { CommandLine, CommandProblem } from '../command/command.ts';
import type { Refusal } from '../policy/decision.ts';
import { codeSpan, sentence } from './markdown.ts';

/** One line that says what is wrong, one that says what to do. */
export function renderRefusal(
  refusal: Refusal,
  options: {
    /** The line as it was typed. */
    readonly command?: string;
    /** The first words, where nothing was to be started. */
    readonly lead?: string;
  } = {},
): string {
  const lines = [firstLine(options.lead ?? 'Not started', options.command, refusal.message)];
  lines.push(sentence(refusal.fix));
  if (refusal.example !== undefined) lines.push(`This would work: ${codeSpan(refusal.example)}`);
  return `${lines.join('\n\n')}\n`;
}

/** @param line as it was typed, and the command that it is, or nearly is */
export function renderProblem({ message, example }: CommandProblem, line: ProblemLine): string {
  const starts = line.of === 'train' || line.of === 'build' || line.of === 'retry';
  const lead = starts ? 'Not started' : line.of === 'help' ? 'No help' : 'Not done';
  // Its words are right; whether it may be done nobody has looked at yet.
  return `${firstLine(lead, line.text, message)}\n\nWrite: ${codeSpan(example)}\n`;
}

type ProblemLine = Pick<Extract<CommandLine, { readonly kind: 'problem' }>, 'of' | 'text'>;

function firstLine(lead: string, command: string | undefined, message: string): string {
  const typed = command === undefined ? '' : ` ${codeSpan(command)}`;
  return `**${lead}**${typed}: ${sentence(message)}`;
}
