/** A filter's text in, its words, quoted texts and signs with their places out. */
import { FilterError } from './filter-error.ts';

export interface Token {
  readonly kind: 'word' | 'string' | 'sign' | 'end';
  /** Without quotes and escapes. */
  readonly text: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

/** The limit of Cloud Logging. @see https://cloud.google.com/logging/quotas */
const maxLength = 20_000;

// Comments start with two dashes. A word may hold what times, ids, wildcards and paths hold.
const pattern =
  /(?<space>\s+|--[^\n]*)|(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<sign>!=|<=|>=|=~|!~|[=<>:().]|-(?=[A-Za-z("']))|(?<word>[A-Za-z0-9_*+/%@~$][A-Za-z0-9_*+/%@~$.-]*(?::\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)*|-\d[\d.]*)/suy;

/** @throws FilterError for a character that has no place in a filter, or an open quote. */
export function tokenize(text: string): Token[] {
  if (text.length > maxLength) {
    throw new FilterError(`the filter is longer than ${maxLength} characters`);
  }
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    pattern.lastIndex = at;
    const groups = pattern.exec(text)?.groups;
    const place = placeOf(text, at);
    if (groups === undefined) {
      const sign = JSON.stringify(text[at]);
      throw new FilterError(
        `syntax error at line ${place.line}, column ${place.column}, token '${sign.slice(1, -1)}'`,
      );
    }
    if (groups['string'] !== undefined) {
      const inner = groups['string'].slice(1, -1).replace(/\\(.)/gsu, '$1');
      tokens.push({ kind: 'string', text: inner, ...place });
    } else if (groups['sign'] !== undefined) {
      tokens.push({ kind: 'sign', text: groups['sign'], ...place });
    } else if (groups['word'] !== undefined) {
      tokens.push({ kind: 'word', text: groups['word'], ...place });
    }
    at = pattern.lastIndex;
  }
  tokens.push({ kind: 'end', text: '', ...placeOf(text, at) });
  return tokens;
}

function placeOf(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}
