/**
 * Filters of list methods (AIP-160; Cloud Logging's query language is its ancestor): text in, a tree out,
 * or a FilterError that says where the text stops making sense.
 *
 * OR binds tighter than AND, as in both languages; terms side by side are joined by AND.
 * @see https://google.aip.dev/160
 * @see https://cloud.google.com/logging/docs/view/logging-query-language
 */
import { FilterError } from './filter-error.ts';
import { tokenize, type Token } from './tokenize.ts';

export type Comparator = '=' | '!=' | '<' | '<=' | '>' | '>=' | ':' | '=~' | '!~';

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Filter[] }
  | { readonly kind: 'not'; readonly of: Filter }
  | {
      readonly kind: 'compare';
      /** `resource.labels.job_id` */
      readonly field: readonly string[];
      readonly comparator: Comparator;
      readonly value: string;
      /** Quoted text is never a wildcard. */
      readonly quoted: boolean;
    }
  /** A bare value, searched everywhere. */
  | { readonly kind: 'search'; readonly value: string };

/** Nothing deeper is meant seriously. */
const maxDepth = 50;

/** Undefined for an empty filter, which everything passes. @throws FilterError */
export function parseFilter(text: string): Filter | undefined {
  const tokens = tokenize(text);
  if (tokens.length === 1) return undefined;
  const parser = new Parser(tokens);
  const filter = parser.expression(0);
  parser.expectEnd();
  return filter;
}

const comparators: ReadonlySet<string> = new Set([
  '=',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  ':',
  '=~',
  '!~',
]);

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  expression(depth: number): Filter {
    if (depth > maxDepth) throw new FilterError('the filter is nested too deeply');
    const terms = [this.#disjunction(depth)];
    while (this.#startsTerm() || this.#isWord('AND')) {
      if (this.#isWord('AND')) this.#at++;
      terms.push(this.#disjunction(depth));
    }
    return join('and', terms);
  }

  expectEnd(): void {
    if (this.#peek().kind !== 'end') this.#fail();
  }

  #disjunction(depth: number): Filter {
    const terms = [this.#term(depth)];
    while (this.#isWord('OR')) {
      this.#at++;
      terms.push(this.#term(depth));
    }
    return join('or', terms);
  }

  #term(depth: number): Filter {
    const negated = this.#isWord('NOT') || this.#isSign('-');
    if (negated) this.#at++;
    const inner = this.#simple(depth);
    return negated ? { kind: 'not', of: inner } : inner;
  }

  #simple(depth: number): Filter {
    if (this.#isSign('(')) {
      this.#at++;
      const inner = this.expression(depth + 1);
      this.#expectSign(')');
      return inner;
    }
    const token = this.#peek();
    if (token.kind !== 'word' && token.kind !== 'string') this.#fail();
    if (token.kind === 'word' && reserved.has(token.text)) this.#fail();
    const field = this.#field();
    const sign = this.#peek();
    if (sign.kind === 'sign' && comparators.has(sign.text)) {
      this.#at++;
      return this.#comparison(field, sign.text as Comparator, depth);
    }
    return { kind: 'search', value: field.join('.') };
  }

  /** Words and quoted texts with dots between them. */
  #field(): string[] {
    const parts = [...this.#take()];
    while (this.#isSign('.')) {
      this.#at++;
      parts.push(...this.#take());
    }
    return parts;
  }

  #take(): string[] {
    const token = this.#peek();
    if (token.kind !== 'word' && token.kind !== 'string') this.#fail();
    this.#at++;
    return token.kind === 'word' ? token.text.split('.') : [token.text];
  }

  /** `field = value`, or `field = (a OR b AND NOT c)`. */
  #comparison(field: readonly string[], comparator: Comparator, depth: number): Filter {
    if (!this.#isSign('(')) {
      const token = this.#peek();
      if (token.kind !== 'word' && token.kind !== 'string') this.#fail();
      this.#at++;
      const quoted = token.kind === 'string';
      return { kind: 'compare', field, comparator, value: token.text, quoted };
    }
    this.#at++;
    const inner = this.expression(depth + 1);
    this.#expectSign(')');
    return distribute(inner, field, comparator);
  }

  #startsTerm(): boolean {
    const token = this.#peek();
    if (token.kind === 'string' || this.#isSign('(') || this.#isSign('-')) return true;
    return token.kind === 'word' && token.text !== 'AND' && token.text !== 'OR';
  }

  #peek(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '', line: 1, column: 1 };
  }

  #isWord(text: string): boolean {
    const token = this.#peek();
    return token.kind === 'word' && token.text === text;
  }

  #isSign(text: string): boolean {
    const token = this.#peek();
    return token.kind === 'sign' && token.text === text;
  }

  #expectSign(text: string): void {
    if (!this.#isSign(text)) this.#fail();
    this.#at++;
  }

  #fail(): never {
    const { kind, text, line, column } = this.#peek();
    const what = kind === 'end' ? 'end of input' : `token '${text}'`;
    throw new FilterError(`syntax error at line ${line}, column ${column}, ${what}`);
  }
}

const reserved: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT']);

function join(kind: 'and' | 'or', terms: readonly Filter[]): Filter {
  const [first] = terms;
  return first !== undefined && terms.length === 1 ? first : { kind, of: terms };
}

function distribute(filter: Filter, field: readonly string[], comparator: Comparator): Filter {
  switch (filter.kind) {
    case 'search':
      return { kind: 'compare', field, comparator, value: filter.value, quoted: true };
    case 'not':
      return { kind: 'not', of: distribute(filter.of, field, comparator) };
    case 'and':
    case 'or':
      return {
        kind: filter.kind,
        of: filter.of.map((term) => distribute(term, field, comparator)),
      };
    case 'compare':
      throw new FilterError(`a list of values for ${field.join('.')} holds a comparison`);
  }
}
