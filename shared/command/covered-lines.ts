/**
 * Which lines of a paragraph are not shown as lines of its text: its source in, their indexes out. They begin inside
 * a link's text, destination or title, an image's alt text, a label, a formula, or what is struck out.
 *
 * One pass, without asking whether a bracket is a link in the end: who writes `[` and closes it lines later means
 * no command between the two.
 */

const tokens = /\\[^]|\n|\[|\]\(?|[()]|["']|\${2,}|~~(?!~)/g;
/** The destination of a link that may hold anything but a line's end. */
const pointed = /\s*<(?:\\.|[^<>\n\\])*>/y;
const closesLink = /\s*\)/y;

export function coveredLines(paragraph: string): ReadonlySet<number> {
  const covered = new Stretches();
  const brackets: number[] = [];
  const parentheses: { readonly line: number; readonly ofLink: boolean }[] = [];
  const open: { math?: number | undefined; struck?: number | undefined } = {};
  let line = 0;
  let at = 0;
  const skipTo = (end: number): void => {
    for (; at < end; at++) if (paragraph.charAt(at) === '\n') line++;
  };
  const toggle = (what: 'math' | 'struck'): void => {
    const from = open[what];
    if (from !== undefined) covered.add(from, line);
    open[what] = from === undefined ? line : undefined;
  };
  for (;;) {
    tokens.lastIndex = at;
    const match = tokens.exec(paragraph);
    if (match === null) return covered.lines();
    const [token] = match;
    at = match.index;
    const before = paragraph.charAt(at - 1);
    skipTo(at + token.length);
    if (token === '[') brackets.push(line);
    else if (token.startsWith(']')) {
      covered.add(brackets.pop() ?? line, line);
      if (token === ']') continue;
      parentheses.push({ line, ofLink: true });
      skipTo(endOf(pointed, paragraph, at) ?? at);
    } else if (token === '(') {
      if (parentheses.length > 0) parentheses.push({ line, ofLink: false });
    } else if (token === ')') {
      const opened = parentheses.pop();
      if (opened?.ofLink === true) covered.add(opened.line, line);
    } else if (token === '"' || token === "'") {
      const isTitle = parentheses.length > 0 && /\s/.test(before);
      if (isTitle) skipTo(endOfTitle(token, paragraph, at) ?? at);
    } else if (token.startsWith('$')) toggle('math');
    else if (token === '~~') {
      const beside = open.struck === undefined ? paragraph.charAt(at) : before;
      if (/\S/.test(beside)) toggle('struck');
    }
  }
}

/** Behind the quote that closes it, when the link ends there too. */
function endOfTitle(quote: string, text: string, from: number): number | undefined {
  let at = from;
  while (at < text.length && text.charAt(at) !== quote) at += text.charAt(at) === '\\' ? 2 : 1;
  return endOf(closesLink, text, at + 1) === undefined ? undefined : at + 1;
}

function endOf(sticky: RegExp, text: string, at: number): number | undefined {
  sticky.lastIndex = at;
  return sticky.test(text) ? sticky.lastIndex : undefined;
}

/** As many as there may be, in one step each. */
class Stretches {
  private readonly changes = new Map<number, number>();

  /** Covers what begins after `from`, up to and with `to`. */
  add(from: number, to: number): void {
    if (from === to) return;
    this.changes.set(from + 1, (this.changes.get(from + 1) ?? 0) + 1);
    this.changes.set(to + 1, (this.changes.get(to + 1) ?? 0) - 1);
  }

  lines(): ReadonlySet<number> {
    const found = new Set<number>();
    const ordered = [...this.changes].sort(([a], [b]) => a - b);
    let depth = 0;
    for (const [index, [line, change]] of ordered.entries()) {
      depth += change;
      const next = ordered[index + 1]?.[0] ?? line;
      for (let one = line; depth > 0 && one < next; one++) found.add(one);
    }
    return found;
  }
}
