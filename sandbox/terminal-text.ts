/**
 * A comment as a terminal can show it: GitHub's Markdown in, plain text out. Marks and HTML go, words stay,
 * tables are lined up. Diagrams are left out, and so is the paragraph before one, which says what its lines are.
 */
import type { PhrasingContent, RootContent, Table } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { gfmFromMarkdown } from 'mdast-util-gfm';
import { gfm } from 'micromark-extension-gfm';

/** Nothing of it can move the cursor, change colours or title, or reorder what is read. */
export function toTerminalText(markdown: string): string {
  const root = fromMarkdown(markdown, {
    extensions: [gfm()],
    mdastExtensions: [gfmFromMarkdown()],
  });
  return printable(blocks(root.children));
}

/** All control characters but the line's end, and those that change the direction of text. */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    ' ',
  );
}

function blocks(nodes: readonly RootContent[]): string {
  return nodes
    .map((node, at) => (isLegend(node, nodes[at + 1]) ? '' : block(node)))
    .filter((text) => text !== '')
    .join('\n\n');
}

function isLegend({ type }: RootContent, next: RootContent | undefined): boolean {
  return type === 'paragraph' && next !== undefined && isDiagram(next);
}

function isDiagram(node: RootContent): boolean {
  return node.type === 'code' && node.lang === 'mermaid';
}

function block(node: RootContent): string {
  switch (node.type) {
    case 'paragraph':
    case 'heading':
      return inline(node.children);
    case 'code':
      return isDiagram(node) ? '' : indent(node.value);
    case 'table':
      return table(node);
    case 'list':
      return node.children
        .map((item) => `- ${indent(blocks(item.children)).trimStart()}`)
        .join('\n');
    case 'blockquote':
      return indent(blocks(node.children));
    case 'html':
      return withoutTags(node.value).trim();
    case 'thematicBreak':
      return '---';
    default:
      return '';
  }
}

function inline(nodes: readonly PhrasingContent[]): string {
  return nodes
    .map((node) => {
      switch (node.type) {
        case 'text':
        case 'inlineCode':
          return node.value;
        case 'html':
          return withoutTags(node.value);
        case 'break':
          return '\n';
        case 'image':
          return node.alt ?? '';
        case 'link': {
          const text = inline(node.children);
          return text === node.url ? text : `${text} (${node.url})`;
        }
        default:
          return 'children' in node ? inline(node.children) : '';
      }
    })
    .join('');
}

/** Text of HTML: comments and tags go. What looks like a tag and is none goes too. */
function withoutTags(text: string): string {
  return text.replace(/<!--[\s\S]*?(?:-->|$)|<[^<>]*>/g, '');
}

function table({ children }: Table): string {
  const rows = children.map((row) => row.children.map((cell) => inline(cell.children)));
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const [head = '', ...rest] = lines;
  // Some tables have an empty head, because Markdown has none without one.
  if (head === '') return indent(rest.join('\n'));
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return indent([head, rule, ...rest].join('\n'));
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : `  ${line}`))
    .join('\n');
}
