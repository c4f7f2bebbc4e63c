/**
 * A comment's Markdown in, inert HTML out, as GitHub shows it: GitHub's dialect, raw HTML allowed and then
 * cleaned by GitHub's list of elements and attributes. Two differences: images become links, because the
 * page loads nothing from elsewhere, and mermaid fences become containers that the page draws.
 * @see https://github.github.com/gfm/
 */
import { createHash } from 'node:crypto';
import { createContext, Script } from 'node:vm';
import type { Element, ElementContent, Root } from 'hast';
import rehypeRaw from 'rehype-raw';
import rehypeSanitize from 'rehype-sanitize';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { Html, html } from './html.ts';

const processor = unified()
  .use(remarkParse)
  .use(remarkGfm)
  // The sanitizer prefixes ids already; twice would break the links of footnotes.
  .use(remarkRehype, { allowDangerousHtml: true, clobberPrefix: '' })
  .use(rehypeRaw)
  .use(rehypeSanitize)
  // After the sanitizer, so that nobody can write what these two produce.
  .use(() => (tree: Root) => {
    tree.children = tree.children.flatMap((node) => rewrite(node) as Root['children']);
  })
  .use(rehypeStringify);

const linkRel = ['nofollow', 'noopener', 'noreferrer'] as const;

/** Comments are drawn again with every look at the page, mostly unchanged. */
const rendered = new Map<string, Html>();
let renderedLength = 0;
/** Of the texts and what they became: some thousand ordinary comments, or a hundred of the longest. */
const maxRenderedLength = 16 * 1024 * 1024;

/** Markdown to HTML that runs nothing and loads nothing. */
export function renderMarkdown(markdown: string): Html {
  const known = rendered.get(markdown);
  if (known !== undefined) return known;
  const fresh = renderInTime(markdown);
  rendered.set(markdown, fresh);
  renderedLength += markdown.length + fresh.text.length;
  for (const [oldest, { text }] of rendered) {
    if (renderedLength <= maxRenderedLength) break;
    rendered.delete(oldest);
    renderedLength -= oldest.length + text.length;
  }
  return fresh;
}

/** An ordinary comment takes a few milliseconds, 65,536 characters of ordinary text a tenth of a second. */
const maxRenderMs = 500;
const stage = createContext({ render: undefined });
const call = new Script('render()');
// What the first text takes longer than others, on a busy machine too long, is not its own.
processor.processSync('**a**\n\n|a|\n|-|\n');

/**
 * Some texts of a comment's length keep the parser busy for most of a minute (`- ` or `*_`, over and over),
 * and all who use the sandbox would wait. Such a text is shown as it was written.
 * @see https://nodejs.org/docs/latest-v24.x/api/vm.html#scriptrunincontextcontextifiedobject-options
 */
function renderInTime(markdown: string): Html {
  stage['render'] = () => processor.processSync(markdown).toString();
  try {
    return new Html(String(call.runInContext(stage, { timeout: maxRenderMs })));
  } catch (error) {
    if (isTooMuch(error)) return html`<pre>${markdown}</pre>`;
    throw error;
  }
}

/** Also when thousands of nested elements exhaust the stack. Errors of another context are no `Error` here. */
function isTooMuch(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if ('code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return true;
  return 'name' in error && error.name === 'RangeError';
}

function rewrite(node: Root['children'][number]): readonly Root['children'][number][] {
  if (node.type !== 'element') return [node];
  if (node.tagName === 'img') return [imageLink(node)];
  // The other sources of an image that is not shown.
  if (node.tagName === 'source') return [];
  if (node.tagName === 'a') node.properties['rel'] = [...linkRel];
  const diagram = diagramSource(node);
  if (diagram !== undefined) return [diagramContainer(diagram)];
  node.children = node.children.flatMap((child) => rewrite(child) as ElementContent[]);
  return [node];
}

function imageLink({ properties }: Element): Element {
  const { src, alt } = properties;
  const name = typeof alt === 'string' && alt.trim() !== '' ? alt : 'image';
  const children: ElementContent[] = [{ type: 'text', value: name }];
  // A path would lead to another page of the sandbox, where there is no image.
  if (typeof src !== 'string' || !/^https?:\/\//.test(src)) {
    return { type: 'element', tagName: 'span', properties: {}, children };
  }
  return { type: 'element', tagName: 'a', properties: { href: src, rel: [...linkRel] }, children };
}

/** The text of a mermaid fence. */
function diagramSource(node: Element): string | undefined {
  const [code] = node.children;
  if (node.tagName !== 'pre' || code?.type !== 'element' || code.tagName !== 'code')
    return undefined;
  const classes = code.properties['className'];
  if (!Array.isArray(classes) || !classes.includes('language-mermaid')) return undefined;
  return code.children.map((child) => (child.type === 'text' ? child.value : '')).join('');
}

/** `data-diagram` changes with the text only, which is how the page knows when to draw again. */
function diagramContainer(source: string): Element {
  const version = createHash('sha256').update(source).digest('hex').slice(0, 16);
  return {
    type: 'element',
    tagName: 'div',
    properties: { className: ['diagram'], dataDiagram: version },
    children: [
      {
        type: 'element',
        tagName: 'pre',
        properties: { className: ['mermaid'] },
        children: [{ type: 'text', value: source }],
      },
      { type: 'element', tagName: 'div', properties: { className: ['picture'] }, children: [] },
    ],
  };
}
