/**
 * Finds the commands in a comment: its Markdown in, what each command line asks for out.
 *
 * A command is a line of plain text that starts with `/name`. What stands in code, quotes, HTML or HTML
 * comments is never one, and neither is a line that starts with somebody else's word (`/lgtm`, `/usr/bin`).
 */
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfm } from 'micromark-extension-gfm';
import { commandRegistry } from './command-registry.ts';
import { nearestCommand } from './nearest-command.ts';
import type { Command, CommandLine, CommandProblem } from './command.ts';
import { coveredLines } from './covered-lines.ts';
import { parseApprove } from './parse-approve.ts';
import { parseBuild, parseHelp, parseRetry, parseTrain } from './parse-arguments.ts';
import { parseCancel, parseCompare, parseCost, parseLogs, parseStatus } from './parse-control.ts';
import { maxExampleLength } from './parse-keys.ts';
import { parseTrigger } from './parse-trigger.ts';
import { problem } from './problem.ts';
import { splitWords } from './split-words.ts';
import { straighten } from './straighten.ts';

/** GitHub's own limit for a comment; what is longer did not come from it. */
const maxCommentLength = 65_536;
/** More commands in one comment are a mistake or an attack. @internal */
export const maxCommands = 10;
/** A longer line is refused rather than split. */
const maxLineLength = 4_000;
/** Lines beside prose, which a Markdown parser reads in a second at worst, and thousands in minutes. */
const maxReadLines = 1_000;
/** Each of these is looked for the end of in all that follows, and thousands without one take a minute. */
const opensHtml = /<[!?]/g;
const maxOpened = 100;
/** Escapes, code, HTML and cells of tables: each is a token or several, and tens of thousands take seconds. */
const marks = /[\\`<|]/g;
const maxMarks = 5_000;
/** Lists in lists, far to the right: the parser goes through all of them again for every line. */
const deepItem = /^[ \t]{40,}(?:[-+*>]|\d{1,9}[.)])/gm;
const maxDeepItems = 50;

/** The start of a line that could be ours: a slash and one word. */
const commandStart = /^\/([a-zA-Z][a-zA-Z0-9_-]{0,30})(?=\s|$)/;

/** False for most comments, at no cost: no line of it could be ours. */
export function mayHoldCommands(markdown: string): boolean {
  return linesOf(markdown).some((line) => commandStart.test(line.trim()));
}

/** A line that could be a command of ours, not yet read. */
interface Candidate {
  readonly line: number;
  readonly text: string;
  /** As it stands there. */
  readonly typed: string;
  /** What it is, or is nearest to. */
  readonly kind: Command['kind'];
  readonly rest: string;
}

/** At most `maxCommands` entries, and one that says so when there were more; never throws, whatever the comment holds. */
export function parseCommands(markdown: string): readonly CommandLine[] {
  const lines = linesOf(markdown);
  const found = lines.flatMap((line, index) => candidateIn(line.trim(), index + 1));
  const [first] = found;
  // Most comments hold nothing that could be ours; only the others are worth reading as Markdown.
  if (first === undefined) return [];
  if (lines.some(isNestedTooDeep)) return [unread(first, 'nests lists or quotes too deeply')];
  const condensed = condense(lines);
  if (isTooLong(condensed)) return [unread(first, 'is too long')];
  const plain = plainLines(condensed, lines);
  const meant = found.filter(({ line }) => plain.has(line));
  const [excess] = meant.slice(maxCommands);
  const read = meant.slice(0, maxCommands).map(readCandidate);
  return excess === undefined ? read : [...read, tooMany(excess)];
}

function isTooLong({ text, numbers }: Condensed): boolean {
  const count = (what: RegExp): number => text.match(what)?.length ?? 0;
  return (
    numbers.length > maxReadLines ||
    count(opensHtml) > maxOpened ||
    count(marks) > maxMarks ||
    count(deepItem) > maxDeepItems
  );
}

/** Whoever meant a command hears so; nobody can say whether it stands in a quoted log. */
function unread({ line, text, kind }: Candidate, why: string): CommandLine {
  const message = `This comment ${why} to be searched for commands.`;
  const said = problem('bad_argument', text, message, '/train gpu=T4');
  return { kind: 'problem', line, text, of: kind, problem: said };
}

/** What follows the last command that is taken. */
function tooMany({ line, text, kind }: Candidate): CommandLine {
  const message = `A comment may hold ${maxCommands} commands: this one and those below it were left out.`;
  const left = problem('too_many_commands', text, message, text.slice(0, maxExampleLength));
  return { kind: 'problem', line, text, of: kind, problem: left };
}

function linesOf(markdown: string): string[] {
  return markdown.slice(0, maxCommentLength).split(/\r\n|\r|\n/);
}

/** Nobody quotes a quote eight times; a parser that recurses must not be made to. */
function isNestedTooDeep(line: string): boolean {
  return /^(?:[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t])|\[\^[^\s\]]{1,99}\]:)){8}/.test(line);
}

/**
 * Emphasis does not decide whether a line is text, and a hostile comment makes reading it and links slow (minutes for
 * 64 KiB of `*a_`). Code, HTML and blocks do decide; what a link covers is looked for in covered-lines.ts.
 */
const unreadConstructs = [
  'attention',
  'strikethrough',
  'labelStartLink',
  'labelStartImage',
  'labelEnd',
  'gfmFootnoteCall',
  'gfmPotentialFootnoteCall',
  'autolink',
  'wwwAutolink',
  'protocolAutolink',
  'emailAutolink',
  'characterReference',
];

interface Point {
  readonly line: number;
  readonly column: number;
}

interface Node {
  readonly type: string;
  readonly position?: { readonly start: Point; readonly end: Point } | undefined;
  readonly children?: readonly Node[];
}

interface Condensed {
  readonly text: string;
  readonly numbers: readonly number[];
}

/** Words that open and close nothing, or the underline of a heading. */
const prose = /^ {0,3}(?:[^\s>+*\d#`~<|[=_:\\-][^`<~|]*|=+ *)$/;
const opensDefinition = /^[ \t]*(?:(?:[-+*]|\d{1,9}[.)])[ \t]+)*\[/;

/**
 * The lines without prose that follows prose: it goes on whatever the line before it was in, and thousands of
 * such lines take the parser a minute. `numbers` has each remaining line's number in the comment.
 */
function condense(lines: readonly string[]): Condensed {
  const numbers: number[] = [];
  let afterProse = false;
  // A definition's title and a tag may go on for lines, and nobody sees them: what ends them has to stay.
  let inDefinition = false;
  let afterTag = false;
  for (const [index, line] of lines.entries()) {
    inDefinition = line.trim() !== '' && (inDefinition || opensDefinition.test(line));
    const isProse = prose.test(line) && !inDefinition && !(afterTag && line.includes('>'));
    if (!isProse || !afterProse || commandStart.test(line.trim())) numbers.push(index + 1);
    afterProse = isProse;
    afterTag ||= line.includes('<');
  }
  return { text: numbers.map((number) => lines[number - 1] ?? '').join('\n'), numbers };
}

/** The numbers of the lines that begin as text of a paragraph outside quotes. */
function plainLines(condensed: Condensed, lines: readonly string[]): ReadonlySet<number> {
  const plain = new Set<number>();
  const root: Node = fromMarkdown(condensed.text, {
    extensions: [gfm(), { disable: { null: unreadConstructs } }],
    mdastExtensions: [gfmFromMarkdown().map((extension) => ({ ...extension, transforms: [] }))],
  });
  const pending: Node[] = [...(root.children ?? [])];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const isContainer = node.type === 'list' || node.type === 'listItem';
    if (isContainer) pending.push(...(node.children ?? []));
    // A line of dashes below a command makes it a heading, which nobody meant.
    const isText = node.type === 'paragraph' || node.type === 'heading';
    if (isText) for (const line of shownLines(node, condensed, lines)) plain.add(line);
  }
  return plain;
}

/** The numbers of the lines of a paragraph that begin as text. */
function shownLines(
  { position, children = [] }: Node,
  { numbers }: Condensed,
  lines: readonly string[],
): Iterable<number> {
  if (position === undefined) return [];
  const numberOf = (line: number): number => numbers[line - 1] ?? lines.length + 1;
  const first = numberOf(position.start.line);
  // What was left out behind its last line is of it too.
  const own = lines.slice(first - 1, numberOf(position.end.line + 1) - 1);
  const shown = new Set(own.map((_line, index) => first + index));
  if (!own.some((line) => commandStart.test(line.trim()))) return shown;
  const starts = [0];
  for (const line of own) starts.push((starts.at(-1) ?? 0) + line.length + 1);
  const offsetOf = ({ line, column }: Point): number =>
    (starts[numberOf(line) - first] ?? 0) + column - 1;
  const text = own.join('\n');
  const pieces: string[] = [];
  let at = 0;
  for (const { type, position: covers } of children) {
    if ((type !== 'inlineCode' && type !== 'html') || covers === undefined) continue;
    const { start, end } = covers;
    // They may run over lines; what they cover is not text that somebody typed to us, and no link's mark either.
    const [from, to] = [numberOf(start.line), numberOf(end.line)];
    for (let line = from + 1; line <= to; line++) shown.delete(line);
    const covered = text.slice(offsetOf(start), offsetOf(end));
    pieces.push(text.slice(at, offsetOf(start)), covered.replaceAll(/[^\n]/g, 'x'));
    at = offsetOf(end);
  }
  pieces.push(text.slice(at));
  for (const index of coveredLines(pieces.join(''))) shown.delete(first + index);
  return shown;
}

type Parser = (rest: string) => Command | CommandProblem;

const parsers: Readonly<Record<Command['kind'], Parser>> = {
  train: parseTrain,
  build: parseBuild,
  retry: parseRetry,
  status: parseStatus,
  cancel: parseCancel,
  logs: parseLogs,
  compare: parseCompare,
  cost: parseCost,
  help: parseHelp,
  approve: parseApprove,
  trigger: parseTrigger,
};

/** Cheap, as there may be thousands. */
function candidateIn(line: string, number: number): readonly Candidate[] {
  const match = commandStart.exec(line);
  if (match === null) return [];
  const typed = match[1] ?? '';
  const kind = commandRegistry.find(({ name }) => name === typed)?.name ?? nearestCommand(typed);
  if (kind === undefined) return [];
  const text = line.slice(0, 200).toWellFormed();
  return [{ line: number, text, typed, kind, rest: line.slice(match[0].length) }];
}

function readCandidate({ line, text, typed, kind, rest }: Candidate): CommandLine {
  if (typed !== kind) {
    const wrong = unknownCommand(typed, kind, rest);
    return { kind: 'problem', line, text, of: kind, problem: wrong };
  }
  const parsed = parseRest(kind, rest);
  return 'kind' in parsed
    ? { kind: 'command', line, text, command: parsed }
    : { kind: 'problem', line, text, of: kind, problem: parsed };
}

function parseRest(name: Command['kind'], rest: string): Command | CommandProblem {
  if (rest.length > maxLineLength) {
    const message = `The line is longer than ${maxLineLength} characters.`;
    return problem('bad_argument', `/${name}`, message, exampleOf(name));
  }
  return asksForHelp(rest) ? { kind: 'help', topic: name } : parsers[name](rest);
}

/** `/train -h` in the place of a key; what follows `--` is not ours to read. */
function asksForHelp(rest: string): boolean {
  const split = splitWords(straighten(rest));
  const words = split.ok ? split.words : [];
  const end = words.indexOf('--');
  const own = end < 0 ? words : words.slice(0, end);
  return own.includes('-h') || own.includes('--help');
}

function unknownCommand(typed: string, near: Command['kind'], rest: string): CommandProblem {
  const parsed = parseRest(near, rest);
  const meant = `/${near}${rest}`.trim();
  const asTyped = meant.length <= maxExampleLength ? meant : exampleOf(near);
  return problem(
    'unknown_command',
    `/${typed}`,
    `There is no \`/${typed}\`. Did you mean \`/${near}\`?`,
    'kind' in parsed ? asTyped : parsed.example,
  );
}

function exampleOf(name: Command['kind']): string {
  return commandRegistry.find((one) => one.name === name)?.example ?? '/help';
}
