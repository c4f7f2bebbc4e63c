/** What a refusal says to do, without the keys and commands that would be refused as well. */
import type { TrainCommand } from '../command/command.ts';
import { mergeFields } from '../command/parse-keys.ts';
import { parseCommands } from '../command/parse.ts';
import type { Refusal } from '../policy/decision.ts';
import type { Attempt } from './advise.ts';

const advised = /`(\/train [^`]+|(?:gpu|machine|region|timeout)=[^`\s]+)`/g;

export function withTriedFix(refusal: Refusal, command: TrainCommand, attempt: Attempt): Refusal {
  const sentences = refusal.fix.split(/(?<=[.?]) (?=[A-Z`])/);
  const isTaken = (sentence: string): boolean =>
    [...sentence.matchAll(advised)].every(([, text = '']) => {
      const tried = meant(text, command);
      return tried === undefined || attempt(tried).kind === 'planned';
    });
  const kept = sentences.filter(isTaken);
  if (kept.length === sentences.length) return refusal;
  return { ...refusal, fix: kept.length === 0 ? nothingKnown : kept.join(' ') };
}

const nothingKnown = 'Nothing like it is allowed here: ask for less, or ask the operator for more.';

/** Keys stand beside those that were typed; a command stands alone. */
function meant(text: string, command: TrainCommand): TrainCommand | undefined {
  const isAlone = text.startsWith('/');
  const [found] = parseCommands(isAlone ? text : `/train ${text}`);
  if (found?.kind !== 'command' || found.command.kind !== 'train') return undefined;
  if (isAlone) return found.command;
  const { dryRun: _, ...keys } = found.command;
  return mergeFields(command, keys);
}
