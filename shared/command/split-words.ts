/**
 * Splits a line into words as a POSIX shell does (quotes and backslashes), and does nothing else that a
 * shell does: no variables, no substitution, no globs, no operators. The words are an argument vector.
 * @see https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02
 */

type Words =
  | { readonly ok: true; readonly words: readonly string[] }
  | { readonly ok: false; readonly problem: 'unclosed_quote' | 'trailing_backslash' };

export function splitWords(line: string): Words {
  const words: string[] = [];
  let word: string | undefined;
  let quote: "'" | '"' | undefined;
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i);
    if (quote === "'") {
      if (char === "'") quote = undefined;
      else word = (word ?? '') + char;
    } else if (char === '\\' && (quote === undefined || '"\\$`'.includes(line.charAt(i + 1)))) {
      if (i + 1 >= line.length) return { ok: false, problem: 'trailing_backslash' };
      i += 1;
      word = (word ?? '') + line.charAt(i);
    } else if (quote === '"') {
      if (char === '"') quote = undefined;
      else word = (word ?? '') + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      // An empty pair of quotes is a word too.
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== undefined) return { ok: false, problem: 'unclosed_quote' };
  if (word !== undefined) words.push(word);
  return { ok: true, words };
}

/** The line that `splitWords` makes these words of, also after `straighten`. */
export function joinWords(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
