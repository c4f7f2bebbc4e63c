/**
 * RE2's syntax: a pattern in, its tree out, or what is wrong with it in the words of RE2's Go library.
 * @see https://github.com/google/re2/wiki/Syntax
 * @see https://pkg.go.dev/regexp/syntax (the errors)
 */

/** The pattern cannot be read; the message says where. */
export class Re2Error extends Error {
  override readonly name = 'Re2Error';
  constructor(problem: string, at: string) {
    super(`error parsing regexp: ${problem}: \`${at}\``);
  }
}

export type Assertion =
  | 'text begins'
  | 'text ends'
  | 'line begins'
  | 'line ends'
  | 'word ends or begins'
  | 'no word ends or begins';

export type Re2Node =
  | { readonly kind: 'one'; readonly of: (character: string) => boolean }
  | { readonly kind: 'assert'; readonly at: Assertion }
  | { readonly kind: 'sequence'; readonly of: readonly Re2Node[] }
  | { readonly kind: 'either'; readonly of: readonly Re2Node[] }
  | { readonly kind: 'repeat'; readonly of: Re2Node; readonly min: number; readonly max: number };

interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
}

/** @see https://github.com/google/re2/wiki/Syntax (implementation restriction: at most 1000) */
const maxRepeat = 1_000;
const maxDepth = 200;
/** No name of a branch has a hundredth of it. */
const maxLength = 10_000;

const escapedCharacters: Readonly<Record<string, string>> = {
  a: '\x07',
  f: '\f',
  t: '\t',
  n: '\n',
  r: '\r',
  v: '\v',
};
/** As the inside of a class in JavaScript; RE2's are of ASCII alone. */
const perlClasses: Readonly<Record<string, string>> = {
  d: '0-9',
  s: '\\t\\n\\f\\r ',
  w: '0-9A-Za-z_',
};
const asciiClasses: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7F',
  blank: '\\t ',
  cntrl: '\\x00-\\x1F\\x7F',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`\\{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

/**
 * @param maxSize how many characters the pattern may stand for, repetitions written out
 * @throws Re2Error
 */
export function parseRe2(pattern: string, maxSize: number): Re2Node {
  if (!pattern.isWellFormed()) throw new Re2Error('invalid UTF-8', pattern);
  if (pattern.length > maxLength) throw new Re2Error('expression too large', pattern.slice(0, 20));
  const parser = new Parser(pattern);
  const node = parser.alternatives({ i: false, m: false, s: false }, 0);
  if (!parser.atEnd) throw new Re2Error('unexpected )', pattern);
  if (sizeOf(node) > maxSize) throw new Re2Error('expression too large', pattern);
  return node;
}

function sizeOf(node: Re2Node): number {
  switch (node.kind) {
    case 'one':
    case 'assert':
      return 1;
    case 'sequence':
    case 'either':
      return node.of.reduce((sum, part) => sum + sizeOf(part) + 1, 1);
    case 'repeat':
      return (sizeOf(node.of) + 1) * Math.max(node.max === Infinity ? node.min + 1 : node.max, 1);
  }
}

class Parser {
  readonly #pattern: string;
  #at = 0;
  readonly #names = new Set<string>();

  constructor(pattern: string) {
    this.#pattern = pattern;
  }

  get atEnd(): boolean {
    return this.#at >= this.#pattern.length;
  }

  /** Up to the end or the parenthesis that closes the group. */
  alternatives(given: Flags, depth: number): Re2Node {
    if (depth > maxDepth) throw new Re2Error('expression nests too deeply', this.#pattern);
    let flags = given;
    const branches: Re2Node[] = [];
    let branch: Re2Node[] = [];
    while (!this.atEnd && !this.#rest.startsWith(')')) {
      if (this.#take('|')) {
        branches.push({ kind: 'sequence', of: branch });
        branch = [];
        continue;
      }
      const atom = this.#atom(flags, depth);
      if ('flags' in atom) flags = atom.flags;
      else branch.push(this.#repeated(atom.node));
    }
    branches.push({ kind: 'sequence', of: branch });
    const [only] = branches;
    return branches.length === 1 && only !== undefined ? only : { kind: 'either', of: branches };
  }

  get #rest(): string {
    return this.#pattern.slice(this.#at);
  }

  #take(text: string): boolean {
    if (!this.#pattern.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #match(expression: RegExp): RegExpExecArray | undefined {
    const found = expression.exec(this.#rest);
    if (found === null) return undefined;
    this.#at += found[0].length;
    return found;
  }

  #atom(flags: Flags, depth: number): { readonly node: Re2Node } | { readonly flags: Flags } {
    const quoted = this.#match(/^\\Q([^]*?)(?:\\E|$)/);
    if (quoted !== undefined) {
      const of = Array.from(quoted[1] ?? '', (character) => literal(character, flags));
      return { node: { kind: 'sequence', of } };
    }
    const wrong = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(this.#rest);
    if (wrong !== null) throw new Re2Error('missing argument to repetition operator', wrong[0]);
    if (this.#take('(')) return this.#group(flags, depth);
    if (this.#rest.startsWith('[')) return { node: this.#characterClass(flags) };
    if (this.#rest.startsWith('\\')) return { node: this.#escape(flags) };
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
    this.#at += character.length;
    if (character === '.') {
      return { node: { kind: 'one', of: (other) => flags.s || other !== '\n' } };
    }
    if (character === '^') return { node: asserted(flags.m ? 'line begins' : 'text begins') };
    if (character === '$') return { node: asserted(flags.m ? 'line ends' : 'text ends') };
    return { node: literal(character, flags) };
  }

  #repeated(node: Re2Node): Re2Node {
    const start = this.#at;
    const operator = this.#match(/^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/);
    if (operator === undefined) return node;
    const [, sign, from, comma, to] = operator;
    const again = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(this.#rest);
    if (again !== null) {
      const both = this.#pattern.slice(start, this.#at + again[0].length);
      throw new Re2Error('invalid nested repetition operator', both);
    }
    const min = sign === undefined ? Number(from) : sign === '+' ? 1 : 0;
    const upper = comma === undefined ? min : to === '' ? Infinity : Number(to);
    const max = sign === undefined ? upper : sign === '?' ? 1 : Infinity;
    if (max < min || min > maxRepeat || (max !== Infinity && max > maxRepeat)) {
      throw new Re2Error('invalid repeat count', operator[0]);
    }
    return { kind: 'repeat', of: node, min, max };
  }

  #group(flags: Flags, depth: number): { readonly node: Re2Node } | { readonly flags: Flags } {
    const start = this.#at - 1;
    let inner = flags;
    if (this.#rest.startsWith('?')) {
      const name = this.#match(/^\?P?<(\w+)>/)?.[1];
      if (name !== undefined) {
        if (this.#names.has(name)) throw new Re2Error('duplicate capture group name', name);
        this.#names.add(name);
      } else {
        const found = this.#match(/^\?([imsU]*)(?:-([imsU]+))?([:)])/);
        if (found === undefined) {
          const problem = /^\?P?</.test(this.#rest) && !/^\?<[=!]/.test(this.#rest);
          const at = `(${this.#rest.slice(0, problem ? undefined : /^\?<?./.exec(this.#rest)?.[0].length)}`;
          throw new Re2Error(
            problem ? 'invalid named capture' : 'invalid or unsupported Perl syntax',
            at,
          );
        }
        const [, on = '', off = '', end] = found;
        const set = (flag: keyof Flags): boolean =>
          off.includes(flag) ? false : on.includes(flag) || flags[flag];
        inner = { i: set('i'), m: set('m'), s: set('s') };
        if (end === ')') return { flags: inner };
      }
    }
    const node = this.alternatives(inner, depth + 1);
    if (!this.#take(')')) throw new Re2Error('missing closing )', this.#pattern.slice(start));
    return { node };
  }

  #escape(flags: Flags): Re2Node {
    const assertion = this.#match(/^\\([AzbB])/)?.[1];
    if (assertion !== undefined) {
      const assertions: Readonly<Record<string, Assertion>> = {
        A: 'text begins',
        z: 'text ends',
        b: 'word ends or begins',
        B: 'no word ends or begins',
      };
      return asserted(assertions[assertion] ?? 'text begins');
    }
    if (this.#match(/^\\C/) !== undefined) return { kind: 'one', of: () => true };
    const set = this.#setEscape();
    if (set !== undefined) return oneOf(`[${set}]`, flags);
    return literal(this.#characterEscape(), flags);
  }

  /** `\d`, `\pL` …, as the inside of a JavaScript class; undefined for what names one character. */
  #setEscape(): string | undefined {
    const perl = this.#match(/^\\([dswDSW])/)?.[1];
    if (perl !== undefined) {
      const inside = perlClasses[perl.toLowerCase()] ?? '';
      return perl === perl.toLowerCase() ? inside : `[^${inside}]`;
    }
    const start = this.#at;
    const unicode = this.#match(/^\\([pP])(?:\{(\^?)(\w+)\}|(\w))/);
    if (unicode === undefined) {
      if (/^\\[pP]/.test(this.#rest))
        throw new Re2Error('invalid character class range', this.#rest);
      return undefined;
    }
    const [all, letter, caret = '', long, short] = unicode;
    const name = long ?? short ?? '';
    const isNegated = (letter === 'P') !== (caret === '^');
    for (const candidate of [name, `Script=${name}`]) {
      const set = `\\${isNegated ? 'P' : 'p'}{${candidate}}`;
      // General categories and scripts only: JavaScript has properties that RE2 has not.
      if (candidate.length > 2 === candidate.startsWith('Script=') && isProperty(set)) return set;
    }
    if (name === 'Any') return isNegated ? '[^\\s\\S]' : '\\s\\S';
    this.#at = start;
    throw new Re2Error('invalid character class range', all);
  }

  /** One character that is written with a backslash. */
  #characterEscape(): string {
    const hexadecimal = this.#match(/^\\x(?:\{([0-9A-Fa-f]{1,8})\}|([0-9A-Fa-f]{2}))/);
    if (hexadecimal !== undefined) {
      const code = parseInt(hexadecimal[1] ?? hexadecimal[2] ?? '', 16);
      if (code <= 0x10ffff) return String.fromCodePoint(code);
      throw new Re2Error('invalid escape sequence', hexadecimal[0]);
    }
    const octal = this.#match(/^\\(0[0-7]{0,2}|[1-7][0-7]{1,2})/);
    if (octal !== undefined) return String.fromCodePoint(parseInt(octal[1] ?? '0', 8));
    const found = this.#match(/^\\([aftnrv]|[^0-9A-Za-z_])/u)?.[1];
    if (found !== undefined) return escapedCharacters[found] ?? found;
    if (this.#rest === '\\') throw new Re2Error('trailing backslash at end of expression', '');
    throw new Re2Error('invalid escape sequence', this.#rest.slice(0, 2));
  }

  #characterClass(flags: Flags): Re2Node {
    const start = this.#at;
    const missing = (): Re2Error => new Re2Error('missing closing ]', this.#pattern.slice(start));
    this.#take('[');
    const isNegated = this.#take('^');
    let inside = '';
    // A bracket that comes first is a member.
    for (let isFirst = true; isFirst || !this.#rest.startsWith(']'); isFirst = false) {
      if (this.atEnd) throw missing();
      const named = this.#match(/^\[:(\^?)(\w*):\]/);
      if (named !== undefined) {
        const ascii = asciiClasses[named[2] ?? ''];
        if (ascii === undefined) throw new Re2Error('invalid character class range', named[0]);
        inside += named[1] === '^' ? `[^${ascii}]` : ascii;
        continue;
      }
      const set = this.#setEscape();
      inside += set ?? this.#range(missing);
    }
    this.#take(']');
    return oneOf(`[${isNegated ? '^' : ''}${inside}]`, flags);
  }

  #range(missing: () => Re2Error): string {
    const start = this.#at;
    const low = this.#member(missing);
    let high = low;
    if (/^-[^\]]/.test(this.#rest)) {
      this.#take('-');
      high = this.#member(missing);
    }
    if ((high.codePointAt(0) ?? 0) < (low.codePointAt(0) ?? 0)) {
      const range = this.#pattern.slice(start, this.#at);
      throw new Re2Error('invalid character class range', range);
    }
    return `${codeOf(low)}-${codeOf(high)}`;
  }

  #member(missing: () => Re2Error): string {
    if (this.atEnd) throw missing();
    if (this.#rest.startsWith('\\')) return this.#characterEscape();
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) ?? 0);
    this.#at += character.length;
    return character;
  }
}

function codeOf(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

function literal(character: string, flags: Flags): Re2Node {
  return flags.i
    ? oneOf(`[${codeOf(character)}]`, flags)
    : { kind: 'one', of: (other) => other === character };
}

/** @param set a class of JavaScript's `v` syntax, where classes may hold classes */
function oneOf(set: string, flags: Flags): Re2Node {
  const expression = new RegExp(`^${set}$`, flags.i ? 'vi' : 'v');
  return { kind: 'one', of: (character) => expression.test(character) };
}

function isProperty(set: string): boolean {
  try {
    new RegExp(set, 'v');
    return true;
  } catch {
    return false;
  }
}

function asserted(at: Assertion): Re2Node {
  return { kind: 'assert', at };
}
