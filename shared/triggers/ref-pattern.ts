/**
 * Patterns of branches and tags: RE2 as Cloud Build takes it. A pattern in, what is wrong with it out, or
 * nothing. Cloud Build searches for a pattern, so that `main` also fits `not-main-at-all`: patterns have to say
 * where a name begins and ends.
 * @see https://github.com/google/re2/wiki/Syntax
 */

const maxLength = 256;
/** @see https://github.com/google/re2/wiki/Syntax (implementation restriction) */
const maxRepeat = 1_000;

interface Token {
  readonly kind: 'begin' | 'end' | 'any' | 'repeat' | 'or' | 'open' | 'close' | 'flags' | 'other';
  readonly text: string;
}

/** The problem as what the pattern "must" be; undefined when Cloud Build will take it. */
export function problemOfPattern(
  pattern: string,
  { anchored }: { readonly anchored: boolean },
): string | undefined {
  if (pattern === '') return 'must not be empty';
  if (pattern.length > maxLength) return `must have at most ${maxLength} characters`;
  if (/[\p{Cc}\p{Cs}]/u.test(pattern)) return 'must be printable text';
  const tokens = tokensOf(pattern);
  if (typeof tokens === 'string') return tokens;
  const problem = problemOfStructure(tokens);
  if (problem !== undefined) return problem;
  if (anchored && !isAnchored(tokens)) {
    return (
      `must say where the name begins and ends, since Cloud Build finds a pattern anywhere in it: ` +
      `write ^(${pattern})$, or add "match: anywhere"`
    );
  }
  return undefined;
}

const noLookaround = 'must not look ahead or behind ((?=, (?!, (?<=, (?<!): RE2 cannot';
const noBackreference = 'must not refer back to a group (such as \\1): RE2 cannot';

/** In the order in which they are tried, each from the place that was reached. */
const grammar: readonly (readonly [RegExp, Token['kind'] | `must ${string}`])[] = [
  [/\\Q[^]*?(?:\\E|$)/y, 'other'],
  [/\\A/y, 'begin'],
  [/\\z/y, 'end'],
  // Two or three octal digits are a character; a single one would be a group.
  [/\\(?:0[0-7]{0,2}|[1-7][0-7]{1,2})/y, 'other'],
  [/\\(?:[1-9]|k[<{'])/y, noBackreference],
  [
    /\\(?:[aftnrvdswDSWbBC]|x(?:[\dA-Fa-f]{2}|\{[\dA-Fa-f]{1,6}\})|[pP](?:\w|\{\^?\w+\}))/y,
    'other',
  ],
  [/\\[^\dA-Za-z_]/y, 'other'],
  [/\\[^]?/y, 'must not contain an escape that RE2 does not know'],
  [/\(\?(?:=|!|<=|<!)/y, noLookaround],
  [/\(\?P=/y, noBackreference],
  [/\(\?[imsU]*(?:-[imsU]+)?\)/y, 'flags'],
  [/\(\?(?:P?<\w+>|[imsU]*(?:-[imsU]+)?:)/y, 'open'],
  [/\(\?/y, 'must not contain a group of a kind that RE2 does not know'],
  [/\(/y, 'open'],
  [/\)/y, 'close'],
  [/\|/y, 'or'],
  [/\^/y, 'begin'],
  [/\$/y, 'end'],
  [/\[\^?\]?(?:\[:\^?\w+:\]|\\[^]|[^\]\\])*\]/y, 'other'],
  [/\[/y, 'must close each bracket'],
  [/(?:[*+?]|\{\d+(?:,\d*)?\})\??/y, 'repeat'],
  [/\./y, 'any'],
  [/[^]/y, 'other'],
];

function tokensOf(pattern: string): Token[] | string {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    for (const [expression, kind] of grammar) {
      expression.lastIndex = at;
      const text = expression.exec(pattern)?.[0];
      if (text === undefined) continue;
      if (isProblem(kind)) return kind;
      tokens.push({ kind, text });
      at += text.length;
      break;
    }
  }
  return tokens;
}

function isProblem(kind: string): kind is `must ${string}` {
  return kind.startsWith('must ');
}

function problemOfStructure(tokens: readonly Token[]): string | undefined {
  let depth = 0;
  for (const [index, { kind, text }] of tokens.entries()) {
    const before = tokens[index - 1]?.kind;
    if (kind === 'open') depth++;
    if (kind === 'close' && --depth < 0) return 'must open each parenthesis that it closes';
    if (kind === 'repeat') {
      if (before === undefined || before === 'or' || before === 'open' || before === 'flags') {
        return `must not have ${text} where there is nothing to repeat`;
      }
      if (before === 'repeat') return `must not repeat a repetition (${text}): RE2 cannot`;
      const counts = (text.match(/\d+/g) ?? []).map(Number);
      if (counts.some((count) => count > maxRepeat) || (counts[1] ?? Infinity) < (counts[0] ?? 0)) {
        return `must not repeat as ${text} says: up to ${maxRepeat} times, the lower number first`;
      }
    }
    if (kind === 'other' && text.startsWith('[')) {
      const problem = problemOfClass(text);
      if (problem !== undefined) return problem;
    }
  }
  return depth === 0 ? undefined : 'must close each parenthesis';
}

const classNames =
  /\[:(?!\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\])/;

function problemOfClass(text: string): string | undefined {
  const plain = text.replaceAll(/\[:\^?\w+:\]|\\[^]/g, '');
  const backwards = [...plain.slice(1, -1).matchAll(/([^-])-([^-])/gu)].some(
    ([, low = '', high = '']) => (low.codePointAt(0) ?? 0) > (high.codePointAt(0) ?? 0),
  );
  if (backwards) return 'must not have a range of characters that runs backwards';
  return classNames.test(text) ? 'must not name a class that RE2 does not know' : undefined;
}

/** Each alternative begins with `^` and ends with `$`, or with `.*`, which is as clear. */
function isAnchored(tokens: readonly Token[]): boolean {
  let depth = 0;
  const alternatives: Token[][] = [[]];
  for (const token of tokens) {
    if (token.kind === 'or' && depth === 0) alternatives.push([]);
    else if (token.kind !== 'flags' || depth > 0) alternatives.at(-1)?.push(token);
    if (token.kind === 'open') depth++;
    if (token.kind === 'close') depth--;
  }
  return alternatives.every((alternative) => {
    const [first, second] = alternative;
    const [beforeLast, last] = alternative.slice(-2);
    const begins =
      (first?.kind === 'begin' && second?.kind !== 'repeat') || isAnything(first, second);
    const ends = last?.kind === 'end' || isAnything(beforeLast, last);
    return begins && ends;
  });
}

function isAnything(token: Token | undefined, repeat: Token | undefined): boolean {
  return token?.kind === 'any' && /^\*\??$/.test(repeat?.text ?? '');
}
