/** What follows the commands that start something: words in, a Command or the first problem out. */
import { nearest } from '../units.ts';
import type {
  BuildCommand,
  CommandProblem,
  HelpCommand,
  RetryCommand,
  TrainCommand,
} from './command.ts';
import { commandRegistry } from './command-registry.ts';
import { parseKeys, splitLine, type KeyedCommand } from './parse-keys.ts';
import { problem } from './problem.ts';
import { quoteToken } from './quote-token.ts';
import { isRunId } from './run-id-word.ts';
import { trainKeys } from './train-keys.ts';

const train: KeyedCommand = { name: 'train', keys: trainKeys, takesArguments: true };
const retry: KeyedCommand = { ...train, name: 'retry' };
const build: KeyedCommand = {
  name: 'build',
  keys: trainKeys.filter(({ name }) => name === 'build' || name === 'dry-run'),
  takesArguments: false,
};

/** @param rest the line after `/train` */
export function parseTrain(rest: string): TrainCommand | CommandProblem {
  const words = splitLine(rest, 'train');
  if ('reason' in words) return words;
  const fields = parseKeys(words, train);
  return 'reason' in fields ? fields : { kind: 'train', ...fields };
}

/** @param rest the line after `/retry` */
export function parseRetry(rest: string): RetryCommand | CommandProblem {
  const words = splitLine(rest, 'retry');
  if ('reason' in words) return words;
  const [first = '', ...others] = words;
  const leading = isRunId(first) ? [first] : [];
  const fields = parseKeys(leading.length > 0 ? others : words, retry, leading);
  if ('reason' in fields) return fields;
  const changes = { kind: 'train', ...fields } as const;
  return { kind: 'retry', ...(leading.length > 0 ? { runId: first } : {}), changes };
}

/** @param rest the line after `/build` */
export function parseBuild(rest: string): BuildCommand | CommandProblem {
  const words = splitLine(rest, 'build');
  if ('reason' in words) return words;
  const fields = parseKeys(words, build);
  if ('reason' in fields) return fields;
  const { build: mode, dryRun } = fields;
  if (mode === 'never') {
    const message = '`build=never` leaves `/build` with nothing to do.';
    return problem('bad_argument', 'build=never', message, dryRun ? '/build dry-run' : '/build');
  }
  return { kind: 'build', ...(mode === undefined ? {} : { build: mode }), dryRun };
}

/** @param rest the line after `/help` */
export function parseHelp(rest: string): HelpCommand | CommandProblem {
  const topic = rest.trim().replace(/^\//, '').toLowerCase();
  if (topic === '') return { kind: 'help' };
  const names = commandRegistry.map(({ name }) => name as string);
  if (names.includes(topic)) return { kind: 'help', topic };
  const near = nearest(topic, names);
  const hint = near === undefined ? '`/help` alone lists them.' : `Did you mean \`/help ${near}\`?`;
  const message = `There is no command ${quoteToken(topic)}. ${hint}`;
  return problem('bad_argument', topic, message, near === undefined ? '/help' : `/help ${near}`);
}
