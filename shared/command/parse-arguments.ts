/** What follows a command's name: words in, a Command or the one problem that matters first out. */
import { gpus } from '../catalogue/machines.ts';
import { nearest, parseDurationSeconds } from '../units.ts';
import type { CommandProblem, GpuRequest, HelpCommand, TrainCommand } from './command.ts';
import { commandRegistry, type KeyHelp } from './command-registry.ts';
import { boundToken, maxTokenLength, quoteToken } from './quote-token.ts';
import { splitWords } from './split-words.ts';
import { straighten } from './straighten.ts';

export function problem(
  reason: CommandProblem['reason'],
  token: string,
  message: string,
  example: string,
): CommandProblem {
  return { reason, token: boundToken(token), message, example };
}

const trainKeys: readonly KeyHelp[] =
  commandRegistry.find(({ name }) => name === 'train')?.keys ?? [];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** @param rest the line after `/train` */
export function parseTrain(rest: string): TrainCommand | CommandProblem {
  const split = splitWords(straighten(rest));
  if (!split.ok) {
    const what =
      split.problem === 'unclosed_quote'
        ? 'A quote is not closed.'
        : 'The line ends in a backslash.';
    return problem('bad_argument', rest.trim(), what, '/train gpu=T4 -- --name "two words"');
  }
  const separator = split.words.indexOf('--');
  const own = separator < 0 ? split.words : split.words.slice(0, separator);
  const args = separator < 0 ? undefined : split.words.slice(separator + 1);
  const command: Mutable<TrainCommand> = { kind: 'train', dryRun: false };
  if (args !== undefined) command.args = args;
  const seen = new Set<string>();
  for (const word of own) {
    const wrong = readWord(word, command, seen);
    if (wrong !== undefined) return wrong;
  }
  return command;
}

function readWord(
  word: string,
  command: Mutable<TrainCommand>,
  seen: Set<string>,
): CommandProblem | undefined {
  const equals = word.indexOf('=');
  const name = equals < 0 ? word : word.slice(0, equals);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  const key = trainKeys.find((candidate) => candidate.name === name);
  if (key === undefined) return unknownKey(word, name);
  if (seen.has(name)) {
    return problem(
      'bad_argument',
      word,
      `${quoteToken(name)} is given twice.`,
      `/train ${key.example}`,
    );
  }
  seen.add(name);
  if (key.value === '') {
    if (value === undefined || value === 'true') {
      command.dryRun = true;
      return undefined;
    }
    return problem(
      'bad_argument',
      word,
      `${quoteToken(name)} takes no value.`,
      `/train ${key.example}`,
    );
  }
  if (value === undefined || value === '') {
    return problem(
      'bad_argument',
      word,
      `${quoteToken(name)} needs a value (${key.value}).`,
      `/train ${key.example}`,
    );
  }
  return setValue(command, name, value, key);
}

function unknownKey(word: string, name: string): CommandProblem {
  if (name.startsWith('-')) return dashedWord(word, name);
  // `/train T4` is what people type first.
  const gpu = gpus.find((one) => one.name === word.toUpperCase());
  if (gpu !== undefined) {
    const message = `Write \`gpu=${gpu.name}\`; ${quoteToken(word)} alone says nothing.`;
    return problem('bad_argument', word, message, `/train gpu=${gpu.name}`);
  }
  const names = trainKeys.map((key) => key.name);
  const near = nearest(name, names);
  const hint =
    near === undefined
      ? `The keys are ${names.map((key) => `\`${key}\``).join(', ')}.`
      : `Did you mean \`${near}\`?`;
  const example = trainKeys.find((key) => key.name === near)?.example ?? 'gpu=T4';
  return problem(
    'bad_argument',
    word,
    `\`/train\` has no key ${quoteToken(name)}. ${hint}`,
    `/train ${example}`,
  );
}

/** `--gpu=T4` is a key of ours with dashes, `--lr=0.1` an argument of theirs in the wrong place. */
function dashedWord(word: string, name: string): CommandProblem {
  const bare = name.replace(/^-+/, '');
  const key = trainKeys.find((candidate) => candidate.name === bare);
  if (key !== undefined) {
    const message = `${quoteToken(word)} is written without dashes: \`${key.example}\`.`;
    return problem('bad_argument', word, message, `/train ${key.example}`);
  }
  const message = `${quoteToken(word)} looks like an argument of your code; those follow \`--\`.`;
  const isPlain = /^[\w=.,:/+-]+$/.test(word) && word.length <= maxTokenLength;
  return problem('bad_argument', word, message, `/train gpu=T4 -- ${isPlain ? word : '--lr 0.1'}`);
}

function setValue(
  command: Mutable<TrainCommand>,
  name: string,
  value: string,
  key: KeyHelp,
): CommandProblem | undefined {
  const wrong = (why: string): CommandProblem =>
    problem(
      'bad_argument',
      `${name}=${value}`,
      `${quoteToken(`${name}=${value}`)}: ${why}`,
      `/train ${key.example}`,
    );
  switch (name) {
    case 'gpu': {
      const gpu = parseGpu(value);
      if (gpu === undefined)
        return wrong('write a name and perhaps a count, such as `T4` or `T4:2`, or `none`.');
      command.gpu = gpu;
      return undefined;
    }
    case 'machine':
      if (!/^[a-z][a-z0-9-]{2,40}$/.test(value)) return wrong('that is no machine type.');
      command.machineType = value;
      return undefined;
    case 'region':
      if (!/^[a-z]+-[a-z]+\d{1,2}$/.test(value))
        return wrong('that is no region; `us-central1` is one.');
      command.region = value;
      return undefined;
    case 'timeout': {
      const seconds = parseDurationSeconds(value);
      if (seconds === undefined)
        return wrong('the timeout is a duration such as `90m`, `2h` or `1h30m`.');
      command.timeoutSeconds = seconds;
      return undefined;
    }
    default: {
      const path = repositoryPath(value);
      if (path === undefined) return wrong('give a path inside the repository, without `..`.');
      command.config = path;
      return undefined;
    }
  }
}

/** Reads `T4`, `T4:2` or `none`; also what the Action's `gpu` input takes. Undefined when it is none of these. */
export function parseGpu(value: string): GpuRequest | undefined {
  if (value.toLowerCase() === 'none') return { kind: 'none' };
  const match = /^([A-Za-z][A-Za-z0-9_-]{0,30})(?::(\d{1,3}))?$/.exec(value);
  const count = Number(match?.[2] ?? 1);
  return match === null || count < 1 ? undefined : { kind: 'gpu', name: match[1] ?? '', count };
}

/** A path that stays inside the repository, `./` removed; undefined for anything else. */
export function repositoryPath(value: string): string | undefined {
  const parts = value.split('/').filter((part) => part !== '.');
  const isInside = !value.startsWith('/') && parts.every((part) => part !== '' && part !== '..');
  const isPlain = value.length <= 200 && !/[\\\u0000-\u001f\u007f]/.test(value);
  return isInside && isPlain && parts.length > 0 ? parts.join('/') : undefined;
}

/** @param rest the line after `/help` */
export function parseHelp(rest: string): HelpCommand | CommandProblem {
  const topic = rest.trim().replace(/^\//, '');
  if (topic === '') return { kind: 'help' };
  const names = commandRegistry.map(({ name }) => name as string);
  if (names.includes(topic)) return { kind: 'help', topic };
  const near = nearest(topic, names);
  const hint = near === undefined ? '`/help` alone lists them.' : `Did you mean \`/help ${near}\`?`;
  return problem(
    'bad_argument',
    topic,
    `There is no command ${quoteToken(topic)}. ${hint}`,
    '/help train',
  );
}
