/** What follows `/trigger`: words in, a TriggerCommand or what is wrong with them out. */
import { nearest } from '../units.ts';
import type { CommandProblem, TriggerCommand } from './command.ts';
import { problem } from './problem.ts';
import { quoteToken } from './quote-token.ts';
import { splitWords } from './split-words.ts';
import { straighten } from './straighten.ts';

const examples: Readonly<Record<TriggerCommand['action'], string>> = {
  list: '/trigger list',
  show: '/trigger show deploy',
  run: '/trigger run deploy',
  apply: '/trigger apply dry-run',
};
const actions = Object.keys(examples) as readonly TriggerCommand['action'][];
const nothing = { substitutions: {}, dryRun: false };

/** A trigger's name. @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.triggers */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;
/** @see https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values */
const substitutionPattern = /^(_[A-Z0-9_]{1,99})=([^]*)$/;
/** A branch's name, or a commit. */
const refPattern = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/;

/** @param rest the line after `/trigger` */
export function parseTrigger(rest: string): TriggerCommand | CommandProblem {
  const split = splitWords(straighten(rest));
  if (!split.ok) {
    return problem('bad_argument', rest.trim(), 'A quote is not closed.', examples.list);
  }
  const [typed = '', ...words] = split.words;
  const action = actions.find((one) => one === typed);
  if (action === undefined) return unknownAction(typed);
  switch (action) {
    case 'list':
      return words.length === 0 ? { kind: 'trigger', action, ...nothing } : extra(words, action);
    case 'show':
      return parseShow(words);
    case 'run':
      return parseRun(words);
    case 'apply':
      return parseApply(words);
  }
}

function parseShow([name = '', ...others]: readonly string[]): TriggerCommand | CommandProblem {
  if (!namePattern.test(name)) return noName(name, 'show');
  if (others.length > 0) return extra(others, 'show');
  return { kind: 'trigger', action: 'show', name, ...nothing };
}

function parseApply(words: readonly string[]): TriggerCommand | CommandProblem {
  const [word, ...others] = words;
  if (word !== undefined && word !== 'dry-run') return extra(words, 'apply');
  if (others.length > 0) return extra(others, 'apply');
  return { kind: 'trigger', action: 'apply', substitutions: {}, dryRun: word !== undefined };
}

function parseRun([name = '', ...words]: readonly string[]): TriggerCommand | CommandProblem {
  if (!namePattern.test(name)) return noName(name, 'run');
  const substitutions = new Map<string, string>();
  let ref: string | undefined;
  for (const word of words) {
    const [, variable, value = ''] = substitutionPattern.exec(word) ?? [];
    const isTwice = variable === undefined ? ref !== undefined : substitutions.has(variable);
    if (isTwice) {
      return problem('bad_argument', word, `${quoteToken(word)} is one too many.`, examples.run);
    }
    if (variable !== undefined) substitutions.set(variable, value);
    else if (refPattern.test(word)) ref = word;
    else {
      const message = `${quoteToken(word)} is neither a branch or commit nor a substitution such as \`_NAME=value\`.`;
      return problem('bad_argument', word, message, examples.run);
    }
  }
  return {
    kind: 'trigger',
    action: 'run',
    name,
    dryRun: false,
    ...(ref === undefined ? {} : { ref }),
    substitutions: Object.fromEntries(substitutions),
  };
}

function unknownAction(typed: string): CommandProblem {
  const near = actions.find((action) => action === nearest(typed, actions));
  const hint =
    near === undefined
      ? `Write ${actions.map((action) => `\`${action}\``).join(', ')} after it.`
      : `Did you mean \`${near}\`?`;
  const message = `\`/trigger\` does not know ${quoteToken(typed)}. ${hint}`;
  return problem('bad_argument', typed, message, examples[near ?? 'list']);
}

function noName(word: string, action: 'show' | 'run'): CommandProblem {
  const message =
    word === ''
      ? `\`/trigger ${action}\` needs the name of a trigger; \`/trigger list\` lists them.`
      : `${quoteToken(word)} is no name of a trigger; \`/trigger list\` lists them.`;
  return problem('bad_argument', word, message, examples[action]);
}

function extra([word = '']: readonly string[], action: TriggerCommand['action']): CommandProblem {
  const message = `\`/trigger ${action}\` takes no ${quoteToken(word)}.`;
  return problem('bad_argument', word, message, examples[action]);
}
