import { describe, expect, it } from '@jest/globals';
import { renderMarkdown } from '../../../sandbox/web/markdown.ts';
import { hostileComments } from './hostile.ts';

describe('renderMarkdown', () => {
  it.each([
    ['emphasis', '**Trained** `3f2c1ab`', '<p><strong>Trained</strong> <code>3f2c1ab</code></p>'],
    ['tables', '| a |\n|---|\n| 1 |', '<td>1</td>'],
    ['strikethrough', '~~no~~', '<del>no</del>'],
    ['tasks', '- [x] done', 'type="checkbox" checked disabled'],
    ['folded parts', '<details><summary>Parameters</summary>\n\n*x*\n\n</details>', '<em>x</em>'],
    ['code', '```python\nx < 1\n```', '<code class="language-python">x &#x3C; 1'],
    ['links', '[Logs](https://example.com/)', 'href="https://example.com/"'],
    ['images as links', '![a plot](https://example.com/p.png)', '>a plot</a>'],
    ['images without words', '<img src="https://example.com/p.png">', '>image</a>'],
  ])('writes %s', (_, markdown, expected) => {
    expect(renderMarkdown(markdown).text).toContain(expected);
  });

  it('leaves out HTML comments, where markers are', () => {
    expect(renderMarkdown('a\n\n<!-- run k7q2 -->\n').text.trim()).toBe('<p>a</p>');
  });

  it('turns mermaid fences into containers whose version changes with their text only', () => {
    const version = (markdown: string): string | undefined =>
      /data-diagram="(\w+)"/.exec(renderMarkdown(markdown).text)?.[1];
    const first = version('```mermaid\ngraph TD\n```');
    expect(first).toHaveLength(16);
    expect(version('before\n\n```mermaid\ngraph TD\n```')).toBe(first);
    expect(version('```mermaid\ngraph LR\n```')).not.toBe(first);
    expect(renderMarkdown('```mermaid\nA["<b>"]\n```').text).toContain('A["&#x3C;b>"]');
  });

  it.each(Object.entries(hostileComments))('makes %s inert', (_, markdown) => {
    const { text } = renderMarkdown(markdown);
    expect(text).not.toMatch(/<(script|svg|iframe|object|embed|form|button|style|base|meta)\b/i);
    expect(text).not.toMatch(/<(img|source)\b|srcset=/i);
    expect(text).not.toMatch(/<[^>]*\s(on\w+|style|class="(?!language-)|data-)[^>]*>/i);
    expect(text).not.toMatch(/(href|src)="(?!https?:|#)/i);
    expect(text).not.toMatch(/\s(id|name)="(?!user-content-)/i);
  });

  it.each([
    ['quotes', '>'.repeat(20_000)],
    ['lists', '- '.repeat(10_000)],
    ['elements', '<div>'.repeat(10_000)],
    ['emphasis', '*a '.repeat(20_000)],
    ['brackets', '['.repeat(60_000)],
  ])('survives %s without end', (_, markdown) => {
    expect(typeof renderMarkdown(`${markdown} text`).text).toBe('string');
  });
});
