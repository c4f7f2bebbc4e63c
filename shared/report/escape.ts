/**
 * Makes hostile text harmless in GitHub's Markdown: it can mention nobody, link nowhere, close nothing
 * and be no command to any other bot that reads the comment.
 */

/** Invisible, and enough to keep GitHub from seeing a mention, a reference or a link. */
const split = '\u200b';
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** One line of running text. */
export function escapeText(text: string, maxLength = 300): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll(controls, '').trim();
  const bounded = line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line;
  return bounded
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_{}[\]()|~!$]/g, '\\$&')
    .replaceAll(/[@#]/g, `$&${split}`)
    .replaceAll(/:\/\//g, `:${split}//`)
    .replaceAll(/www\./gi, (www) => `${www.slice(0, 3)}${split}.`)
    .replaceAll(/\bGH-/gi, (word) => `${word.slice(0, 2)}${split}-`)
    .replaceAll(/\b[0-9a-f]{7,40}\b/g, (sha) => `${sha.slice(0, 4)}${split}${sha.slice(4)}`);
}

/** One value in a code span, which nothing inside can close. */
export function codeSpan(text: string, maxLength = 120): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll(controls, '').trim();
  const bounded = line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line;
  const runs = [...bounded.matchAll(/`+/g)].map(([run]) => run.length);
  const fence = '`'.repeat(Math.max(0, ...runs) + 1);
  const pad = bounded.startsWith('`') || bounded.endsWith('`') || bounded === '' ? ' ' : '';
  // A table cell ends at a bar even inside a code span.
  return `${fence}${pad}${bounded.replaceAll('|', '\\|')}${pad}${fence}`;
}

/** Lines of a log in a fence longer than any inside, each behind a gutter so that none starts with a command. */
export function fencedLog(lines: readonly string[], maxLineLength = 400): string {
  const clean = lines.map((line) => {
    const text = line.replaceAll(/[\r\n\t]/g, ' ').replaceAll(controls, '');
    const bounded = text.length > maxLineLength ? `${text.slice(0, maxLineLength - 1)}…` : text;
    // Mail clients and other bots ignore fences.
    return `| ${bounded.replaceAll('@', `@${split}`).replaceAll('<!--', `<${split}!--`)}`;
  });
  const runs = clean.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(Math.max(2, ...runs) + 1);
  return [`${fence}text`, ...clean, fence].join('\n');
}
