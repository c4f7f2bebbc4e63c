/** The documents say what the code says, and lead to places that exist. */
import { describe, expect, it } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fromMarkdown } from 'mdast-util-from-markdown';
import type { Nodes } from 'mdast';
import { repoConfigKeys } from '../../shared/config/repo-config.ts';
import { serverConfigKeys } from '../../shared/config/server-config.ts';
import { generate } from '../../scripts/generate-docs.ts';

const root = join(import.meta.dirname, '../..');
const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'examples/digits/README.md',
];

function linksIn(node: Nodes): string[] {
  const own = node.type === 'link' || node.type === 'image' ? [node.url] : [];
  return 'children' in node ? [...own, ...node.children.flatMap((child) => linksIn(child))] : own;
}

/** As GitHub makes them of headings. */
function anchorsIn(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  );
}

describe('the documents', () => {
  it('have the tables that the registries make', () => {
    expect(generate(true)).toEqual([]);
  });

  it.each(documents)('%s leads to files and headings that exist', (document) => {
    const text = readFileSync(join(root, document), 'utf8');
    const local = linksIn(fromMarkdown(text)).filter((url) => !/^[a-z]+:/.test(url));
    const broken = local.filter((url) => {
      const [path = '', anchor] = url.split('#');
      const file = path === '' ? join(root, document) : join(root, dirname(document), path);
      if (!existsSync(file)) return true;
      return anchor !== undefined && !anchorsIn(readFileSync(file, 'utf8')).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('docs/configuration.md names every key of the two files', () => {
    const text = readFileSync(join(root, 'docs/configuration.md'), 'utf8');
    const missing = [...repoConfigKeys, ...serverConfigKeys].filter(
      (key) => !text.includes(`| \`${key}\``),
    );
    expect(missing).toEqual([]);
  });
});
