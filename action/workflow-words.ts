/**
 * The domain's sentences tell people what to type in a comment; whoever reads a step's log sets inputs
 * instead. Such a sentence in, the same for a workflow out. Pure.
 */
import type { InputName } from './inputs.ts';
import { maskTokens } from '../shared/report/mask-tokens.ts';
import { oneLine } from './one-line.ts';

const inputOfKey: Readonly<Record<string, InputName>> = {
  gpu: 'gpu',
  machine: 'machine_type',
  region: 'region',
  timeout: 'timeout',
  config: 'config',
};

/** `` `/train gpu=L4` `` becomes `` `gpu: L4` ``. */
export function inWorkflowWords(text: string): string {
  return text
    .replaceAll(
      /`(?:\/train )?([a-z]+=[^`\s\u0085]*(?: [a-z]+=[^`\s\u0085]*)*)`/g,
      (span, words: string) => {
        const inputs = words.split(' ').map(toInput);
        return inputs.includes(undefined) ? span : `\`${inputs.join(', ')}\``;
      },
    )
    .replace(', push, and comment again.', ' and push.')
    .replace(/ log below\b/, ' log')
    .replace(', or allow it more time.', ', or allow it more time with `build_timeout`.');
}

function toInput(word: string): string | undefined {
  const at = word.indexOf('=');
  const input = inputOfKey[word.slice(0, at)];
  const value = word.slice(at + 1);
  return input === undefined || value === '' ? input : `${input}: ${value}`;
}

/** What happened and what to do next, as one text. */
export function sentences(happened: string, fix?: string): string {
  return [happened, fix]
    .filter((part) => part !== undefined && part !== '')
    .map((part = '') => oneLine(part).trim())
    .map((part) => inWorkflowWords(/[.!?…]$/.test(part) ? part : `${part}.`))
    .map((part) => part.replace(/^[a-z]/, (first) => first.toUpperCase()))
    .map(maskTokens)
    .join(' ');
}
