/**
 * What a pull request writes into `.github/trainyard.yml`, a fork's too, as our check shows it: it may mention
 * nobody, add no link and begin no line with a slash.
 */
import { describe, expect, it } from '@jest/globals';
import { fc, runs } from '../../properties.ts';
import rehypeRaw from 'rehype-raw';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { checkOfRefusal } from '../../../app/triggers/triggers-check.ts';
import { badConfig } from '../../../shared/config/bad-config.ts';
import { parseRepoConfig } from '../../../shared/config/repo-config.ts';
import { renderConfigCheck } from '../../../shared/report/render-config-check.ts';

const processor = unified()
  .use(remarkParse)
  .use(remarkGfm)
  .use(remarkRehype, { allowDangerousHtml: true })
  .use(rehypeRaw)
  .use(rehypeStringify);

const piece = fc.oneof(
  fc.constantFrom(
    '@olivia',
    '@acme/team',
    '#1',
    'GH-1',
    'https://evil.example',
    'www.evil.example',
  ),
  fc.constantFrom(
    '[x](https://evil.example)',
    '![x](//evil.example/i.png)',
    '<a href=//evil.example>',
  ),
  fc.constantFrom('<img src=x>', '</details>', '<!--', '```', '`', '``', '\\', '&#64;olivia', '|'),
  fc.constantFrom('\n', '\r', '\u2028', '\n/gcbrun', '/gcbrun', 'deadbeefdeadbeef', '^', '$'),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const hostile = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''));

/** The word wherever a file takes one. */
const filesOf = (word: string): readonly object[] => [
  { [word]: 1 },
  { config: word, region: word, timeout: word, metric: word, goal: word },
  { who: { teams: [word], [word]: 1 }, gpus: [word], machines: [word], open_fields: [word] },
  { profiles: { [word]: { gpu: word } } },
  { profiles: { a: { gpu: word, timeout: word, [word]: word } } },
  { triggers: [{ name: word, on: word, branch: word }] },
  { triggers: [{ name: 'a', on: 'push', config: 'c', branch: word }] },
  { triggers: [{ name: 'a', on: 'push', config: 'c', branch: '^m$', [word]: 1 }] },
  {
    triggers: [
      {
        ...{ name: 'a', on: 'push', config: 'c', branch: '^m$', service_account: word },
        ...{ substitutions: { [word]: word }, included_files: [word] },
      },
    ],
  },
];

function check(markdown: string): void {
  const lines = markdown.split(/\r\n|[\n\r\u2028\u2029\u0085\v\f]/);
  expect(lines.filter((line) => /^\s*\//.test(line))).toEqual([]);
  expect(markdown.match(/@[\w-]+/g) ?? []).toEqual([]);
  expect(markdown).not.toContain('<!--');
  const html = String(processor.processSync(markdown));
  expect(html.match(/<(?:a|img|area|link|form|iframe)\b/gi)).toBeNull();
  const text = html
    .replaceAll(/<(pre|code)\b[^]*?<\/\1>/g, '')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&#x([\da-f]+);/gi, (_, code: string) => String.fromCodePoint(parseInt(code, 16)));
  expect(text.match(/#\d|\bGH-\d|:\/\/|\bwww\.|@\w|(?<!\w)[\da-f]{7,40}(?!\w)/i)).toBeNull();
}

describe('what is wrong with a file', () => {
  it.each([
    ['check', (read: Parsed) => renderConfigCheck(read).summary],
    [
      'check of its triggers',
      (read: Parsed) => (read.ok ? '' : checkOfRefusal(badConfig(read.problems)).summary),
    ],
  ])('is told in the %s without doing anything', (_name, render) => {
    fc.assert(
      fc.property(hostile, (word) => {
        const texts = [...filesOf(word).map((file) => JSON.stringify(file)), word];
        for (const text of texts) check(render(parseRepoConfig(text, '.github/trainyard.yml')));
      }),
      { numRuns: runs(100), examples: [['@olivia'], ['[x](https://evil.example)']] },
    );
  });

  it('is named with its place', () => {
    const read = parseRepoConfig('config: a.yaml\nmax_usd: -1\n', '.github/trainyard.yml');
    expect(renderConfigCheck(read)).toMatchObject({
      ...{ conclusion: 'failure', title: '1 problem' },
      summary: expect.stringMatching(/^- line 2, column \d+: `max_usd` must be above 0\.$/m),
    });
  });
});

type Parsed = ReturnType<typeof parseRepoConfig>;
