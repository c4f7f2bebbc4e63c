/**
 * What gcloud's ignore files leave out of a build context: their lines in, a verdict on each path out. The
 * syntax is that of .gitignore, but gcloud reads it in its own way: `a/b` stands at any depth, `*` at its
 * own only, `!a/**` brings `a` itself back, and an escaped `*` is a `*` all the same.
 * @see https://cloud.google.com/sdk/gcloud/reference/topic/gcloudignore
 */

import { UserError } from '../errors.ts';

export interface IgnorePattern {
  readonly isNegated: boolean;
  /** Only directories match. */
  readonly forDirectories: boolean;
  /** Of the pattern, split at `/`; empty at the beginning of one that stands at the root only. */
  readonly parts: readonly Part[];
}

interface Part {
  readonly text: string;
  /** Undefined for one that means just its letters. */
  readonly tokens: readonly Token[] | undefined;
}

type Token = '*' | ((letter: string) => boolean);

/** As Python splits a text. */
const lineBreak = /\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/;

/** Each is held against each file: with as many, a hundred thousand files take over a minute. */
const maxPatterns = 5_000;

/**
 * @param include the lines of a file that is included by its name
 * @throws UserError `bad_config` for more patterns than `maxPatterns`
 */
export async function readPatterns(
  text: string,
  include: (name: string) => Promise<string>,
): Promise<readonly IgnorePattern[]> {
  const patterns: IgnorePattern[] = [];
  for (const line of text.split(lineBreak)) {
    const included = /^#\s*!include:(.*)$/.exec(line)?.[1];
    const lines =
      included === undefined ? [line] : (await include(included.trim())).split(lineBreak);
    for (const each of lines) {
      const pattern = parsePattern(each);
      if (pattern !== undefined) patterns.push(pattern);
      if (patterns.length > maxPatterns) throw tooManyPatterns();
    }
  }
  return patterns;
}

function tooManyPatterns(): UserError {
  return new UserError(
    'bad_config',
    `the ignore file of the build context has more than ${maxPatterns} patterns.`,
    'Name directories in .gcloudignore instead of their files.',
  );
}

/** Undefined for a comment, and for what is no pattern. */
function parsePattern(line: string): IgnorePattern | undefined {
  if (line.startsWith('#')) return undefined;
  const isNegated = line.startsWith('!');
  const whole = isNegated ? line.slice(1) : line;
  const forDirectories = whole.endsWith('/');
  // A space at the end counts when it is escaped, and so does all else.
  const [, spaced = ''] =
    /^((?:[^\\ ]|\\[^]| +(?! |$))*)/.exec(forDirectories ? whole.slice(0, -1) : whole) ?? [];
  const rest = (forDirectories ? whole.slice(0, -1) : whole).slice(spaced.length);
  // What is left beside spaces is a backslash that escapes nothing.
  if (rest.includes('\\')) return undefined;
  const pattern = spaced.replaceAll(/\\([^\\])/g, '$1').replaceAll('\\\\', '\\');
  if (pattern === '') return undefined;
  const parts = pattern.split('/');
  const anchored = parts.includes('**') && parts[0] !== '' ? ['', ...parts] : parts;
  return { isNegated, forDirectories, parts: anchored.map(toPart) };
}

function toPart(text: string): Part {
  return { text, tokens: /[*?[]/.test(text) ? tokensOf(text) : undefined };
}

/** The last pattern that matches decides; whether a directory above is ignored is the caller's to know. */
export function isIgnored(
  patterns: readonly IgnorePattern[],
  path: string,
  isDirectory: boolean,
): boolean {
  const names = path.split('/');
  const last = patterns.findLast(
    ({ forDirectories, parts }) => (isDirectory || !forDirectories) && matches(parts, names),
  );
  return last !== undefined && !last.isNegated;
}

/** From the right: the parts may end before the names do, and then they stand at any depth. */
function matches(parts: readonly Part[], names: readonly string[]): boolean {
  // Patterns are other people's: with several `**` each pair of ends would be looked at many times.
  const known = new Map<number, boolean>();
  const match = (partsLeft: number, namesLeft: number): boolean => {
    if (partsLeft === 0) return true;
    if (namesLeft < 0) return false;
    const key = partsLeft * (names.length + 1) + namesLeft;
    let result = known.get(key);
    if (result === undefined) known.set(key, (result = matchLast(partsLeft, namesLeft)));
    return result;
  };
  const matchLast = (partsLeft: number, namesLeft: number): boolean => {
    const part = parts[partsLeft - 1];
    if (part?.text === '**')
      return Array.from({ length: namesLeft + 1 }, (_, kept) => kept).some((kept) =>
        match(partsLeft - 1, kept),
      );
    // One that begins with `*` is not for what is below; gcloud measures that in letters.
    const above = names.slice(0, Math.max(0, namesLeft - 1)).join('/');
    if (part?.text === '*' && partsLeft === 1 && above.length > 1) return false;
    return matchesName(part, names[namesLeft - 1] ?? '') && match(partsLeft - 1, namesLeft - 1);
  };
  return match(parts.length, names.length);
}

/** Python's fnmatch, in time that grows with the product of the lengths. */
function matchesName(part: Part | undefined, name: string): boolean {
  const wanted = part?.tokens;
  if (wanted === undefined) return part?.text === name;
  const letters = Array.from(name);
  let [at, next] = [0, 0];
  let star: { readonly next: number; at: number } | undefined;
  while (at < letters.length) {
    const token = wanted[next];
    if (token === '*') star = { next: ++next, at };
    else if (token?.(letters[at] ?? '') === true) {
      at += 1;
      next += 1;
    } else if (star === undefined) return false;
    else {
      at = star.at += 1;
      next = star.next;
    }
  }
  return wanted.slice(next).every((token) => token === '*');
}

function tokensOf(pattern: string): readonly Token[] {
  const tokens: Token[] = [];
  // Behind the last `]` no class begins: each `[` there would be read to the end in vain.
  const end = pattern.lastIndexOf(']') + 1;
  const found = [
    ...pattern.slice(0, end).matchAll(/\[(!?\]?[^\]]*)\]|[^]/gu),
    ...pattern.slice(end).matchAll(/[^]/gu),
  ];
  for (const [token, inside] of found) {
    if (token === '*') tokens.push('*');
    else if (token === '?') tokens.push(() => true);
    else if (inside === undefined) tokens.push((letter) => letter === token);
    else tokens.push(classOf(inside));
  }
  return tokens;
}

/** `a-z_` and `!a-z_` */
function classOf(text: string): (letter: string) => boolean {
  const isNegated = text.startsWith('!');
  const ranges = (isNegated ? text.slice(1) : text).matchAll(/([^])-([^])|([^])/gu);
  const accepted = [...ranges].map(([, from = '', to = '', one]): readonly [string, string] =>
    one === undefined ? [from, to] : [one, one],
  );
  return (letter) => accepted.some(([from, to]) => letter >= from && letter <= to) !== isNegated;
}
