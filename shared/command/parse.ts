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
import { parseHelp, parseTrain, problem } from './parse-arguments.ts';
import { parseCancel, parseStatus } from './parse-control.ts';

/** GitHub's own limit for a comment; what is longer did not come from it. */
const maxCommentLength = 65_536;
/** More commands in one comment are a mistake or an attack. */
export const maxCommands = 10;
/** A longer line is refused rather than split. */
const maxLineLength = 4_000;

/** The start of a line that could be ours: a slash and one word. */
const commandStart = /^\/([a-zA-Z][a-zA-Z0-9_-]{0,30})(?=\s|$)/;

/** At most `maxCommands` entries; never throws, whatever the comment holds. */
export function parseCommands(markdown: string): readonly CommandLine[] {
  const text = markdown.slice(0, maxCommentLength).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  const found: CommandLine[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const parsed = parseLine(line.trim(), index + 1);
    if (parsed !== undefined) found.push(parsed);
  }
  // Most comments hold nothing that could be ours; only the others are worth reading as Markdown.
  if (found.length === 0 || text.split('\n').some(isNestedTooDeep)) return [];
  const plain = plainLines(text);
  return found.filter(({ line }) => plain.has(line)).slice(0, maxCommands);
}

/** Nobody quotes a quote twenty times; a parser that recurses must not be made to. */
function isNestedTooDeep(line: string): boolean {
  return /^(?:[ \t]*(?:>|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t]))){20}/.test(line);
}

/**
 * Emphasis, links and the like do not decide whether a line is text, and a hostile comment makes reading
 * them slow (minutes for 64 KiB of `*a_`). Code, HTML and blocks do decide.
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

interface Node {
  readonly type: string;
  readonly position?:
    | { readonly start: { readonly line: number }; readonly end: { readonly line: number } }
    | undefined;
  readonly children?: readonly Node[];
}

/** The numbers of the lines that begin as text of a paragraph outside quotes. */
function plainLines(text: string): ReadonlySet<number> {
  const plain = new Set<number>();
  const root: Node = fromMarkdown(text, {
    extensions: [gfm(), { disable: { null: unreadConstructs } }],
    mdastExtensions: [gfmFromMarkdown().map((extension) => ({ ...extension, transforms: [] }))],
  });
  const pending: Node[] = [...(root.children ?? [])];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const isContainer = node.type === 'list' || node.type === 'listItem';
    if (isContainer) pending.push(...(node.children ?? []));
    // A line of dashes below a command makes it a heading, which nobody meant.
    const isText = node.type === 'paragraph' || node.type === 'heading';
    if (!isText || node.position === undefined) continue;
    for (let line = node.position.start.line; line <= node.position.end.line; line++)
      plain.add(line);
    for (const child of node.children ?? []) {
      // Code spans and HTML may run over lines; what they cover is not text that somebody typed to us.
      if (child.type !== 'inlineCode' && child.type !== 'html') continue;
      if (child.position === undefined) continue;
      const { start, end } = child.position;
      for (let line = start.line + 1; line <= end.line; line++) plain.delete(line);
    }
  }
  return plain;
}

const parsers: Readonly<Record<Command['kind'], (rest: string) => Command | CommandProblem>> = {
  train: parseTrain,
  status: parseStatus,
  cancel: parseCancel,
  help: parseHelp,
};

function parseLine(line: string, number: number): CommandLine | undefined {
  const match = commandStart.exec(line);
  if (match === null) return undefined;
  const typed = match[1] ?? '';
  const text = line.slice(0, 200).toWellFormed();
  const known = commandRegistry.find(({ name }) => name === typed);
  if (known === undefined) {
    const near = nearestCommand(typed);
    if (near === undefined) return undefined;
    return {
      kind: 'problem',
      line: number,
      text,
      problem: {
        reason: 'unknown_command',
        token: `/${typed}`,
        message: `There is no \`/${typed}\`. Did you mean \`/${near}\`?`,
        example: near === 'train' ? '/train gpu=T4' : `/${near}`,
      },
    };
  }
  if (line.length > maxLineLength) {
    const tooLong = problem(
      'bad_argument',
      typed,
      `The line is longer than ${maxLineLength} characters.`,
      '/train gpu=T4',
    );
    return { kind: 'problem', line: number, text, problem: tooLong };
  }
  const rest = line.slice(match[0].length);
  const parsed = parsers[known.name](rest);
  return 'kind' in parsed
    ? { kind: 'command', line: number, text, command: parsed }
    : { kind: 'problem', line: number, text, problem: parsed };
}
