/**
 * Source patterns of COPY. In: a pattern as Go's `filepath.Match` reads it. Out: a test for paths. Its time
 * grows with pattern times path, whatever the pattern: no regular expression, which could take for ever.
 * @see https://pkg.go.dev/path/filepath#Match
 */

/** The pattern cannot be read. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

/** One character of a path, or any number of them. */
type Token = 'star' | ((character: string) => boolean);

/** @throws PatternError */
export function compileGlob(pattern: string): (path: string) => boolean {
  const tokens = tokenize(pattern);
  return (path) => matches(tokens, path);
}

/** Greedy with one step of memory: only the last star ever needs to take more. */
function matches(tokens: readonly Token[], path: string): boolean {
  let at = 0;
  let token = 0;
  let star: { token: number; at: number } | undefined;
  while (at < path.length || token < tokens.length) {
    const current = tokens[token];
    const character = path.charAt(at);
    if (current === 'star') {
      star = { token, at };
      token++;
    } else if (current !== undefined && at < path.length && current(character)) {
      at++;
      token++;
    } else if (star !== undefined && star.at < path.length && path.charAt(star.at) !== '/') {
      star.at++;
      at = star.at;
      token = star.token + 1;
    } else return false;
  }
  return true;
}

function tokenize(pattern: string): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern.charAt(i);
    if (character === '*') tokens.push('star');
    else if (character === '?') tokens.push((other) => other !== '/');
    else if (character === '[') {
      const end = closingBracket(pattern, i);
      tokens.push(characterSet(pattern.slice(i + 1, end), pattern));
      i = end;
    } else if (character === '\\') tokens.push(literal(pattern.charAt(++i), pattern));
    else tokens.push(literal(character, pattern));
  }
  return tokens;
}

function literal(character: string, pattern: string): Token {
  if (character === '') throw new PatternError(`syntax error in pattern: ${pattern}`);
  return (other) => other === character;
}

function closingBracket(pattern: string, open: number): number {
  // A bracket right after the opening (or its negation) would be an empty set.
  for (let i = open + 1; i < pattern.length; i++) {
    if (pattern.charAt(i) === '\\') i++;
    else if (pattern.charAt(i) === ']') return i;
  }
  throw new PatternError(`syntax error in pattern: ${pattern}`);
}

function characterSet(text: string, pattern: string): Token {
  const isNegated = text.startsWith('^');
  const ranges: [string, string][] = [];
  const body = isNegated ? text.slice(1) : text;
  const range = /(?:\\(.)|([^\\]))(?:-(?:\\(.)|([^\\])))?/gsy;
  for (const [, escapedLow, low, escapedHigh, high] of body.matchAll(range)) {
    const from = escapedLow ?? low ?? '';
    ranges.push([from, escapedHigh ?? high ?? from]);
  }
  if (ranges.length === 0) throw new PatternError(`syntax error in pattern: ${pattern}`);
  return (other) =>
    other !== '/' && ranges.some(([from, to]) => from <= other && other <= to) !== isNegated;
}
