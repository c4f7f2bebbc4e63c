/**
 * Hostile text in, Markdown out that shows it and nothing more: no markup, no links, no mentions, no
 * references, no marker of ours. Everything that a run, a file or a person wrote goes through one of
 * `escapeText`, `codeSpan`, `fence` and `sentence` before it reaches a comment, and loses what looks like a token.
 *
 * GitHub links `@name`, `#1`, `GH-1` and commit shas in the *rendered* text, where backslashes and
 * entities are gone, and other bots read the raw text. So these are split by a zero-width space.
 * @see https://github.github.com/gfm/
 * @see https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
 */

import { maskLines, maskTokens } from './mask-tokens.ts';

const zeroWidthSpace = '\u200b';

/** Line ends, controls, invisible characters and those that turn the direction of writing. */
const controls =
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]/gu;
const terminalSequence = /\u001b\[[\d;?]{0,32}[A-Za-z]/g;

/** One line of printable, well-formed text of at most `limit` characters. */
export function toOneLine(text: string, limit = 500): string {
  // Cut before the work, generously: what is removed below is not counted.
  const bounded = text.slice(0, limit * 4).toWellFormed();
  const plain = bounded
    .replaceAll(terminalSequence, '')
    .replaceAll(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ')
    .replaceAll(controls, '')
    .trim();
  const line = maskTokens(plain);
  const characters = Array.from(line);
  return characters.length > limit ? `${characters.slice(0, limit - 1).join('')}…` : line;
}

/** Breaks what GitHub, mail programs and other bots would act on even inside code. */
function splitReferences(text: string): string {
  return (
    text
      // An image's digest stays whole, since people copy it.
      .replaceAll(/@(?=[\w-])(?!sha256:[\da-f]{64}(?!\w))/g, `@${zeroWidthSpace}`)
      .replaceAll(/<(?=[!?])/g, `<${zeroWidthSpace}`)
  );
}

/** Breaks what GitHub turns into a link in running text: URLs, `www.`, `#1`, `GH-1`, commit shas. */
function splitLinks(text: string): string {
  return (
    splitReferences(text)
      .replaceAll('@sha256', `@${zeroWidthSpace}sha256`)
      .replaceAll(/:(?=\/\/)/g, `:${zeroWidthSpace}`)
      .replaceAll(/www(?=\.)/gi, `$&${zeroWidthSpace}`)
      .replaceAll(/#(?=\w)/g, `#${zeroWidthSpace}`)
      .replaceAll(/gh(?=-\d)/gi, `$&${zeroWidthSpace}`)
      // Every part is too short to be a commit, also where digits of nothing stand before one.
      .replaceAll(/[\da-f]{7,}/gi, (hex) => hex.replaceAll(/.{6}(?=.)/g, `$&${zeroWidthSpace}`))
  );
}

/** Hostile text as running text within a line. */
export function escapeText(text: string, limit = 500): string {
  return escapeMarkup(toOneLine(text, limit));
}

function escapeMarkup(line: string): string {
  return (
    splitLinks(line)
      .replaceAll(/[\\`*_[\]<>#|~&!]|\$(?!\d)/g, '\\$&')
      // What begins a list, a heading's underline or a rule, should this be the beginning of a line.
      .replace(/^(\s*)([-+=]|\d{1,9}(?=[.)]))/, (_, space: string, mark: string) =>
        /\d/.test(mark) ? `${space}${mark}\\` : `${space}\\${mark}`,
      )
  );
}

/** Hostile text as a code span, in running text or in a table's cell; empty text gives nothing. */
export function codeSpan(text: string, limit = 300): string {
  const content = splitReferences(toOneLine(text, limit));
  if (content === '') return '';
  const ticks = '`'.repeat(longestRun(content, '`') + 1);
  const pad = content.startsWith('`') || content.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${content}${pad}${ticks}`;
}

const plainName = /^(?=.{1,40}$)[a-z][a-z\d]*(?:[_.-][a-z\d]+)*$/i;

/** A metric's name: as it is when it is a plain word, else as code. Safe in a table's cell too. */
export function nameText(name: string): string {
  const isPlain = plainName.test(name) && !/^www|gh-\d|[\da-f]{7}/i.test(name);
  return isPlain ? name : codeCell(name, 100);
}

/**
 * A code span for a table's cell, where `|` must be escaped even in code, and a backslash before it would be taken
 * for the one that is escaped: the cell would end there.
 */
export function codeCell(text: string, limit = 120): string {
  return codeSpan(text, limit)
    .replaceAll(/\\(?=\|)/g, `$&${zeroWidthSpace}`)
    .replaceAll('|', '\\|');
}

/**
 * A sentence that we or a service wrote: its code spans stay code, its backslash escapes are understood,
 * all else is text. So `sentence(escapeText(x))` is `escapeText(x)`, and nothing can be smuggled in.
 */
export function sentence(text: string, limit = 600): string {
  const line = toOneLine(text, limit);
  let markdown = '';
  let plain = '';
  for (let at = 0; at < line.length;) {
    const ticks = /^`+/.exec(line.slice(at))?.[0] ?? '';
    const end = ticks === '' ? -1 : findClosing(line, at + ticks.length, ticks.length);
    if (end !== -1) {
      markdown += escapeMarkup(plain) + codeSpan(line.slice(at + ticks.length, end), limit);
      plain = '';
      at = end + ticks.length;
    } else if (line[at] === '\\' && /[!-/:-@[-`{-~]/.test(line[at + 1] ?? '')) {
      plain += line[at + 1] ?? '';
      at += 2;
    } else {
      plain += ticks === '' ? (line[at] ?? '') : ticks;
      at += Math.max(1, ticks.length);
    }
  }
  return markdown + escapeMarkup(plain);
}

function findClosing(line: string, from: number, length: number): number {
  for (const match of line.slice(from).matchAll(/`+/g)) {
    if (match[0].length === length) return from + match.index;
  }
  return -1;
}

/** Hostile lines in a fence that none of them can close, each behind a gutter so that none reads as a command. */
export function fence(
  lines: readonly string[],
  options: { language?: string; gutter?: string } = {},
): string {
  const { language = 'text', gutter = '│ ' } = options;
  const single = lines.flatMap((line) =>
    line.slice(0, 20_000).split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/),
  );
  const shown = maskLines(single).map((line) =>
    `${gutter}${splitReferences(toLogLine(line))}`.trimEnd(),
  );
  const ticks = '`'.repeat(Math.max(3, longestRun(shown.join('\n'), '`') + 1));
  return `${ticks}${language}\n${shown.join('\n')}\n${ticks}`;
}

/** As `toOneLine`, but what stands before the first word stays: tracebacks are read by their indent. */
function toLogLine(line: string): string {
  const indent = /^[ \t]{0,40}/.exec(line)?.[0].replaceAll('\t', '    ') ?? '';
  return indent + toOneLine(line, 400);
}

function longestRun(text: string, character: string): number {
  let longest = 0;
  let current = 0;
  for (const each of text) {
    current = each === character ? current + 1 : 0;
    longest = Math.max(longest, current);
  }
  return longest;
}

/** A link to an address that we built ourselves; nothing when it is not plain http(s). */
export function link(label: string, address: string | undefined): string | undefined {
  if (address === undefined || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  const href = url.href.replaceAll(/[()<>\\\s]/g, (each) => `%${each.charCodeAt(0).toString(16)}`);
  return `[${label}](${href})`;
}

/** A folded part; `summary` is our own text, never anybody else's. */
export function details(summary: string, body: string): string {
  return `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

/** A table of finished cells. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}
