/**
 * Finds the commands in a comment: its Markdown in, what each command line asks for out.
 *
 * A command is a line of plain text that starts with `/name`. What stands in code, quotes, HTML or HTML
 * comments is never one, and neither is a line that starts with somebody else's word (`/lgtm`, `/usr/bin`).
 */
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfm } from 'micromark-extension-gfm';
import { nearest } from '../units.ts';
import type { CommandLine } from './command.ts';
import { commandRegistry } from './command-registry.ts';
import { parseHelp, parseTrain, problem } from './parse-arguments.ts';

/** GitHub's own limit for a comment; what is longer did not come from it. */
const maxCommentLength = 65_536;
/** More commands in one comment are a mistake or an attack. */
export const maxCommands = 10;
/** A longer line is refused rather than split. */
const maxLineLength = 4_000;

/** At most `maxCommands` entries; never throws, whatever the comment holds. */
export function parseCommands(markdown: string): readonly CommandLine[] {
  if (!markdown.includes('/')) return [];
  const text = markdown.slice(0, maxCommentLength).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  const plain = plainLines(text);
  const found: CommandLine[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (!plain.has(index + 1)) continue;
    const parsed = parseLine(line.trim(), index + 1);
    if (parsed !== undefined) found.push(parsed);
    if (found.length === maxCommands) break;
  }
  return found;
}

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
    extensions: [gfm()],
    mdastExtensions: [gfmFromMarkdown()],
  });
  const pending: Node[] = [...(root.children ?? [])];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const isContainer = node.type === 'list' || node.type === 'listItem';
    if (isContainer) pending.push(...(node.children ?? []));
    if (node.type !== 'paragraph' || node.position === undefined) continue;
    for (let line = node.position.start.line; line <= node.position.end.line; line++)
      plain.add(line);
    for (const child of node.children ?? []) {
      // Code spans and HTML may run over lines; what they cover is not text that somebody typed to us.
      if (child.type === 'text' || child.position === undefined) continue;
      const { start, end } = child.position;
      for (let line = start.line + 1; line <= end.line; line++) plain.delete(line);
    }
  }
  return plain;
}

function parseLine(line: string, number: number): CommandLine | undefined {
  const match = /^\/([a-zA-Z][a-zA-Z-]{0,30})(?=\s|$)/.exec(line);
  if (match === null) return undefined;
  const typed = match[1] ?? '';
  const text = line.slice(0, 200);
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
  const parsed = known.name === 'train' ? parseTrain(rest) : parseHelp(rest);
  return 'kind' in parsed
    ? { kind: 'command', line: number, text, command: parsed }
    : { kind: 'problem', line: number, text, problem: parsed };
}

/**
 * Only a clear misspelling is answered: other bots' commands live in the same comments. The first letter
 * must be right, and at most two edits away (`/tain`, `/trian`, `/Train`, `/hlep`).
 */
function nearestCommand(typed: string): string | undefined {
  const lower = typed.toLowerCase();
  const candidates = commandRegistry.map(({ name }) => name).filter((name) => name[0] === lower[0]);
  if (candidates.includes(lower as (typeof candidates)[number])) return lower;
  return Math.abs(lower.length - 5) > 3 ? undefined : nearest(lower, candidates);
}
