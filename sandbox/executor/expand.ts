/**
 * Words and variables of a Dockerfile. In: an instruction's text and the variables in force. Out: its words
 * with quotes removed and `$name`, `${name}`, `${name:-word}`, `${name:+word}` expanded.
 * @see https://docs.docker.com/reference/dockerfile/#environment-replacement
 */

type Variables = ReadonlyMap<string, string>;

/** The text cannot be read: an unclosed quote, a broken `${…}`. */
export class ExpansionError extends Error {
  override readonly name = 'ExpansionError';
}

/** The words of the text; a variable's value is never split again. */
export function expandWords(text: string, variables: Variables, escape = '\\'): string[] {
  return new Lexer(text, variables, escape).words();
}

/** The text as a single word: blanks stay, quotes go. */
export function expandText(text: string, variables: Variables, escape = '\\'): string {
  return new Lexer(text, variables, escape).whole();
}

/** Reads `NAME=value …`, or the old form `NAME value with blanks`, of ENV and LABEL. */
export function expandPairs(
  text: string,
  variables: Variables,
  escape = '\\',
): readonly (readonly [string, string])[] {
  const first = /^(\S+?)(=|\s+)/.exec(text);
  if (first?.[1] === undefined) throw new ExpansionError(`${text}: expected NAME=value`);
  if (first[2] !== '=') {
    return [[first[1], expandText(text.slice(first[0].length), variables, escape)]];
  }
  return expandWords(text, variables, escape).map((word) => {
    const at = word.indexOf('=');
    if (at < 1) throw new ExpansionError(`Syntax error - can't find = in "${word}"`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
}

const maxExpanded = 1024 * 1024;

class Lexer {
  readonly #text: string;
  readonly #variables: Variables;
  readonly #escape: string;
  #at = 0;

  constructor(text: string, variables: Variables, escape: string) {
    this.#text = text;
    this.#variables = variables;
    this.#escape = escape;
  }

  words(): string[] {
    const words: string[] = [];
    for (;;) {
      while (/\s/.test(this.#peek())) this.#at++;
      if (this.#at >= this.#text.length) return words;
      words.push(this.#read((character) => /\s/.test(character)));
    }
  }

  whole(): string {
    return this.#read(() => false);
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #read(ends: (character: string) => boolean): string {
    let word = '';
    while (this.#at < this.#text.length && !ends(this.#peek())) {
      word += this.#piece();
      // `ENV A=$A$A` doubles at each line; a few dozen lines would fill the memory.
      if (word.length > maxExpanded) throw new ExpansionError('the expanded text is too long');
    }
    return word;
  }

  #piece(): string {
    const character = this.#peek();
    this.#at++;
    if (character === "'") return this.#singleQuoted();
    if (character === '"') return this.#doubleQuoted();
    if (character === '$') return this.#variable();
    if (character === this.#escape && this.#at < this.#text.length) return this.#next();
    return character;
  }

  #next(): string {
    const character = this.#peek();
    this.#at++;
    return character;
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0)
      throw new ExpansionError("unexpected end of statement while looking for matching '");
    const value = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return value;
  }

  #doubleQuoted(): string {
    let value = '';
    while (this.#at < this.#text.length) {
      const character = this.#next();
      if (character === '"') return value;
      if (character === '$') value += this.#variable();
      else if (character === this.#escape && ['"', '$', this.#escape].includes(this.#peek())) {
        value += this.#next();
      } else value += character;
    }
    throw new ExpansionError('unexpected end of statement while looking for matching "');
  }

  #variable(): string {
    if (this.#peek() !== '{') {
      const name = /^[A-Za-z_][A-Za-z0-9_]*/.exec(this.#text.slice(this.#at, this.#at + 256))?.[0];
      if (name === undefined) return '$';
      this.#at += name.length;
      return this.#variables.get(name) ?? '';
    }
    this.#at++;
    const name = this.#read((character) => !/[A-Za-z0-9_]/.test(character));
    const operator = this.#peek() === ':' ? this.#next() + this.#next() : '';
    if (name === '' || !['', ':-', ':+'].includes(operator)) {
      throw new ExpansionError(`unsupported modifier in substitution: ${name}${operator}`);
    }
    const word = operator === '' ? '' : this.#read((character) => character === '}');
    if (this.#peek() !== '}') throw new ExpansionError(`syntax error: missing '}' after ${name}`);
    this.#at++;
    const value = this.#variables.get(name) ?? '';
    if (operator === ':-') return value === '' ? word : value;
    if (operator === ':+') return value === '' ? '' : word;
    return value;
  }
}
