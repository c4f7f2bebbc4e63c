/** The page's own scripts and style, and mermaid's bundle: a name in, the file out; nothing else is served. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { sendUnlessKnown } from './respond.ts';

const types = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' } as const;

interface StaticFile {
  readonly url: URL;
  readonly type: keyof typeof types;
}

const files: ReadonlyMap<string, StaticFile> = new Map<string, StaticFile>([
  ['page.css', asset('page.css', 'css')],
  ['markdown.css', asset('markdown.css', 'css')],
  ['page.js', asset('page.js', 'js')],
  ['check-buttons.js', asset('check-buttons.js', 'js')],
  ['comment-form.js', asset('comment-form.js', 'js')],
  ['diagrams.js', asset('diagrams.js', 'js')],
  ['morph.js', asset('morph.js', 'js')],
  ['plain-svg.js', asset('plain-svg.js', 'js')],
  ['times.js', asset('times.js', 'js')],
  ['favicon.svg', asset('favicon.svg', 'svg')],
  // The one file that needs nothing else: GitHub draws its comments' diagrams with the same library.
  ['mermaid.js', { url: new URL('mermaid.min.js', mermaidFolder()), type: 'js' }],
]);

/** False when there is no such file. */
export async function sendStaticFile(
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
): Promise<boolean> {
  const file = files.get(name);
  if (file === undefined) return false;
  const content = await readFile(fileURLToPath(file.url));
  sendUnlessKnown(request, response, `${types[file.type]}; charset=utf-8`, content);
  return true;
}

function asset(name: string, type: StaticFile['type']): StaticFile {
  return { url: new URL(`assets/${name}`, import.meta.url), type };
}

function mermaidFolder(): URL {
  return new URL('../../node_modules/mermaid/dist/', import.meta.url);
}
