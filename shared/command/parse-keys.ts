/**
 * Words of a command line held against the keys of `/train`: the words in, the keys' fields or the first problem
 * out. A problem's example is the person's own line with nothing changed but what is wrong with it.
 */
import { gpus } from '../catalogue/machines.ts';
import { nearest } from '../units.ts';
import type { CommandProblem, TrainCommand } from './command.ts';
import { boundToken, quoteToken } from './quote-token.ts';
import { joinWords, splitWords } from './split-words.ts';
import { straighten } from './straighten.ts';
import { findKey, type TrainKey, type WrongValue } from './train-keys.ts';

type Fields = Omit<TrainCommand, 'kind'>;

/** The command that the words follow. */
export interface KeyedCommand {
  readonly name: 'train' | 'build' | 'retry';
  readonly keys: readonly TrainKey[];
  /** Whether `--` and what follows it has a meaning. */
  readonly takesArguments: boolean;
}

/** What stands before `--` and after it. */
interface Line {
  /** Words that are no keys and stay as they are. */
  readonly leading: readonly string[];
  readonly own: readonly string[];
  readonly args: readonly string[] | undefined;
}

interface Wrong {
  readonly token: string;
  readonly message: string;
  /** The line without that problem; there may be others. */
  readonly mended: Line;
}

/** Longer ones are cut where they are shown, and then they are no examples. */
export const maxExampleLength = 280;

/** Splits what follows a command's name. */
export function splitLine(
  rest: string,
  name: KeyedCommand['name'],
): readonly string[] | CommandProblem {
  const line = straighten(rest);
  const split = splitWords(line);
  if (split.ok) return split.words;
  const isQuote = split.problem === 'unclosed_quote';
  const closed = isQuote ? [`${line}"`, `${line}'`] : [line.replace(/\\+\s*$/, '')];
  const mended = closed.find((each) => splitWords(each).ok)?.trim() ?? '';
  return {
    reason: 'bad_argument',
    token: boundToken(rest.trim()),
    message: isQuote ? 'A quote is not closed.' : 'The line ends in a backslash.',
    example: `/${name} ${mended.length < maxExampleLength ? mended : 'dry-run'}`.trim(),
  };
}

/** @param leading words before these that were understood already, for the example */
export function parseKeys(
  words: readonly string[],
  command: KeyedCommand,
  leading: readonly string[] = [],
): Fields | CommandProblem {
  const separator = words.indexOf('--');
  const line: Line = {
    leading,
    own: separator < 0 ? words : words.slice(0, separator),
    args: separator < 0 ? undefined : words.slice(separator + 1),
  };
  const read = readLine(line, command);
  if (!('mended' in read)) return read;
  const { token, message } = read;
  const example = mend(read, command);
  return { reason: 'bad_argument', token: boundToken(token), message, example };
}

/** A word may be misspelt, then without a value, then given twice; a last one is for `--`. */
const mendsOfWord = 3;
/** All keys at their worst take fewer, and thousands of words that are none take the parser a while each. */
const maxMends = 100;

/** Mends one problem after the other, as many as there are. */
function mend({ mended }: Wrong, command: KeyedCommand): string {
  let line = mended;
  const tries = mendsOfWord * mended.own.length + 2;
  let isMended = false;
  for (let time = 0; time < Math.min(tries, maxMends) && !isMended; time++) {
    const read = readLine(line, command);
    if ('mended' in read) line = read.mended;
    else isMended = true;
  }
  if (!isMended) return `/${command.name} dry-run`;
  const whole = render(line, command);
  if (whole.length <= maxExampleLength) return whole;
  const short = render({ ...line, args: undefined }, command);
  return short.length <= maxExampleLength ? short : `/${command.name} dry-run`;
}

function render({ leading, own, args }: Line, { name }: KeyedCommand): string {
  const words = [...leading, ...own, ...(args === undefined ? [] : ['--', ...args])];
  return `/${name} ${joinWords(words)}`.trim();
}

function readLine(line: Line, command: KeyedCommand): Fields | Wrong {
  const { own, args } = line;
  if (args !== undefined && !command.takesArguments) {
    const message = `\`/${command.name}\` runs none of your code, so \`--\` has no place here.`;
    return { token: '--', message, mended: { ...line, args: undefined } };
  }
  let fields: Fields = { dryRun: false, ...(args === undefined ? {} : { args }) };
  const seen = new Set<string>();
  for (const [index, word] of own.entries()) {
    const read = readWord(word, command, seen);
    if ('message' in read) {
      const { token = word, message, instead, toArguments } = read;
      const mendedOwn = [...own.slice(0, index), ...instead, ...own.slice(index + 1)];
      const moved = toArguments === true ? { args: [...(args ?? []), word] } : {};
      return { token, message, mended: { ...line, own: mendedOwn, ...moved } };
    }
    fields = mergeFields(fields, read);
  }
  return fields;
}

/** The later ones win; variables are added to each other. */
export function mergeFields<T extends Partial<TrainCommand>>(
  fields: T,
  later: Partial<TrainCommand>,
): T {
  const env = { ...fields.env, ...later.env };
  return { ...fields, ...later, ...(Object.keys(env).length === 0 ? {} : { env }) };
}

interface WrongWord {
  readonly token?: string;
  readonly message: string;
  readonly instead: readonly string[];
  /** It belongs behind `--`. */
  readonly toArguments?: boolean;
}

function readWord(
  word: string,
  command: KeyedCommand,
  seen: Set<string>,
): Partial<TrainCommand> | WrongWord {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word : word.slice(0, equals);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const key = findKey(command.keys, name);
  if (key === undefined) return unknownKey(word, name, value, command);
  if (seen.has(name)) return { message: `${quoteToken(name)} is given twice.`, instead: [] };
  seen.add(name);
  const isFlag = key.value === '';
  if (!isFlag && (value === undefined || (value === '' && !name.startsWith('env.')))) {
    return {
      message: `${quoteToken(name)} needs a value (${key.value}).`,
      instead: [key.example],
    };
  }
  const read = key.read(value ?? '', name);
  return isWrong(read) ? wrongValue(word, name, key, read) : read;
}

function isWrong(read: Partial<TrainCommand> | WrongValue): read is WrongValue {
  return 'why' in read;
}

function wrongValue(word: string, name: string, key: TrainKey, wrong: WrongValue): WrongWord {
  const { why, instead } = wrong;
  return {
    message: `${quoteToken(word)}: ${why}`,
    // A variable that is nobody's to set is left out; in its place another one would be a guess.
    instead: key.name.startsWith('env.')
      ? []
      : [instead === undefined ? key.example : `${name}=${instead}`],
  };
}

function unknownKey(
  word: string,
  name: string,
  value: string | undefined,
  { name: command, keys, takesArguments }: KeyedCommand,
): WrongWord {
  if (name.startsWith('-') && takesArguments) return dashedWord(word, name, value, keys);
  // `/train T4` is what people type first.
  const gpu = keys.some((key) => key.name === 'gpu')
    ? gpus.find((one) => one.name === word.toUpperCase())
    : undefined;
  if (gpu !== undefined) {
    const message = `Write \`gpu=${gpu.name}\`; ${quoteToken(word)} alone says nothing.`;
    return { message, instead: [`gpu=${gpu.name}`] };
  }
  const names = keys.map((key) => key.name);
  const near = findKey(keys, nearest(name, names) ?? '');
  const hint =
    near === undefined
      ? `The keys are ${names.map((key) => `\`${key}\``).join(', ')}.${takesArguments ? ' Arguments of your code follow `--`.' : ''}`
      : `Did you mean \`${near.name}\`?`;
  return {
    message: `\`/${command}\` has no key ${quoteToken(name)}. ${hint}`,
    instead: near === undefined ? [] : [asWord(near, value)],
  };
}

function asWord(key: TrainKey, value: string | undefined): string {
  return value === undefined || key.name.startsWith('env.') ? key.example : `${key.name}=${value}`;
}

/** `--gpu=T4` is a key of ours with dashes, `--lr=0.1` an argument of theirs in the wrong place. */
function dashedWord(
  word: string,
  name: string,
  value: string | undefined,
  keys: readonly TrainKey[],
): WrongWord {
  const key = findKey(keys, name.replace(/^-+/, ''));
  if (key !== undefined) {
    const message = `${quoteToken(word)} is written without dashes: \`${key.example}\`.`;
    return { message, instead: [asWord(key, value)] };
  }
  const message = `${quoteToken(word)} looks like an argument of your code; those follow \`--\`.`;
  return { message, instead: [], toArguments: true };
}
