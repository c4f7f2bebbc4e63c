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
    ['https://example.com/p.png', 'href="https://example.com/p.png"'],
    ['p.png', '<span>plot</span>'],
    ['/acme/digits/pulls', '<span>plot</span>'],
    ['//example.com/p.png', '<span>plot</span>'],
    ['data:image/png;base64,AA==', '<span>plot</span>'],
  ])('makes an image of %s what can be followed', (source, expected) => {
    expect(renderMarkdown(`![plot](${source})`).text).toContain(expected);
  });

  it.each([
    ['quotes', '>'],
    ['lists', '- '],
    ['wide and deep lists', `${'- '.repeat(32)}a\n`],
    ['lines of lists', '- a\n'],
    ['elements', '<div>'],
    ['emphasis', '*a '],
    ['two kinds of emphasis', '*_'],
    ['strikethrough', '~~a'],
    ['headings', 'a\n=\n'],
    ['tables', '|a|\n|-|\n'],
    ['footnotes', '[^a]'],
    ['brackets', '['],
    ['links', '[a]('],
  ])('is soon done with %s without end, and shows at least their text', (_, part) => {
    const markdown = part.repeat(Math.floor(65_000 / part.length));
    const startedAt = process.cpuUsage();
    const { text } = renderMarkdown(`${markdown}\n\nthe end`);
    // Several of these took 20 to 50 s when nothing limited them.
    expect(process.cpuUsage(startedAt).user / 1_000).toBeLessThan(10_000);
    expect(text).toContain('the end');
  });

  it('remembers what it could not write, so that looking again costs nothing', () => {
    const markdown = `${'*_'.repeat(30_000)} again`;
    const first = renderMarkdown(markdown);
    expect(first.text).toMatch(/^<pre>\*_/);
    expect(renderMarkdown(markdown)).toBe(first);
  });
});
