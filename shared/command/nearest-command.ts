/** Which of our commands somebody meant: the word after a slash in, a command's name or nothing out. */
import type { Command } from './command.ts';
import { commandRegistry } from './command-registry.ts';

/** What people call `/train` when they do not remember its name; nobody else's commands. */
const otherNames: Readonly<Record<string, Command['kind']>> = {
  trainyard: 'train',
  training: 'train',
};

/**
 * Only a clear misspelling is answered, because other bots' commands live in the same comments (`/hold`,
 * `/helm`, `/track`). The first letter must be right and one slip of the fingers away: a letter too many,
 * one too few, two swapped, or, in a word as long as `train`, one wrong.
 */
export function nearestCommand(typed: string): Command['kind'] | undefined {
  const lower = typed.toLowerCase();
  const other = Object.hasOwn(otherNames, lower) ? otherNames[lower] : undefined;
  const names = commandRegistry.map(({ name }) => name);
  return other ?? names.find((name) => name[0] === lower[0] && isOneSlip(lower, name));
}

function isOneSlip(typed: string, name: string): boolean {
  if (typed === name) return true;
  let start = 0;
  while (typed[start] === name[start]) start += 1;
  const rest = typed.slice(start);
  const wanted = name.slice(start);
  const swapped = `${wanted.charAt(1)}${wanted.charAt(0)}${wanted.slice(2)}`;
  return (
    rest.slice(1) === wanted ||
    rest === wanted.slice(1) ||
    rest === swapped ||
    (name.length >= 5 && rest.slice(1) === wanted.slice(1))
  );
}
