/**
 * What others wrote, in every report that shows it: it may mention nobody, forge no marker, close no fence, add
 * no link and begin no line with a slash, as it is and as GitHub renders it.
 */
import { describe, expect, it } from '@jest/globals';
import { fc, runs } from '../../properties.ts';
import rehypeRaw from 'rehype-raw';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { parseCommands } from '../../../shared/command/parse.ts';
import type { Refusal } from '../../../shared/policy/decision.ts';
import { renderComparison, type Compared } from '../../../shared/report/comparison.ts';
import { renderCostOverview } from '../../../shared/report/cost.ts';
import { renderJobSummary } from '../../../shared/report/job-summary.ts';
import { renderLogs } from '../../../shared/report/logs.ts';
import { parseMarker, renderMarker } from '../../../shared/report/marker.ts';
import { renderPlan } from '../../../shared/report/plan.ts';
import { renderProblem, renderRefusal } from '../../../shared/report/refusal.ts';
import { renderCard } from '../../../shared/report/render-card.ts';
import { renderCheck } from '../../../shared/report/render-check.ts';
import { renderStatus } from '../../../shared/report/status.ts';
import type { Run } from '../../../shared/watch/run.ts';
import { context, hostileRun, running } from './runs.ts';

const processor = unified()
  .use(remarkParse)
  .use(remarkGfm)
  .use(remarkRehype, { allowDangerousHtml: true })
  .use(rehypeRaw)
  .use(rehypeStringify);

const outside = { triggerBuildsUsd: 1, workflowsUsd: 1, bindingUsd: 1 };
const month = { month: '2026-01', settledUsd: 1, reservedUsd: 2, maxUsd: 3, ...outside };
const refusal = (word: string): Refusal => ({
  ...{ kind: 'rejected', reason: 'bad_argument', message: `No: ${word}` },
  ...{ fix: `Try \`${word}\``, example: `/train ${word}` },
});

/** Each report, of a run and of words that are all the same hostile one. */
const reports: readonly (readonly [
  name: string,
  render: (word: string, run: Run) => string,
  /** The marker that is ours. */
  marker?: string,
])[] = [
  ['card', (_, run) => renderCard(run, { ...context, takesCommands: true }), 'k7q2m4xa'],
  ['card of a run that goes on', (word) => renderCard(progressing(word), context), 'k7q2m4xa'],
  ['card of a run that trained', (_, run) => renderCard(trained(run), context), 'k7q2m4xa'],
  ['check', (_, run) => renderCheck(run, context).summary],
  ['job summary', (_, run) => renderJobSummary(run, context)],
  ['plan', (_, { plan }) => renderPlan(plan, { sandbox: true })],
  ['status', (_, run) => renderStatus([run, run], context.now)],
  ['cost', (_, run) => renderCostOverview([run], month, context)],
  [
    'log of a job',
    (word, run) => renderLogs(run, { of: 'job', lines: [word, word] }, context.now, 50),
  ],
  [
    'log of a build',
    (word, run) => renderLogs(run, { of: 'build', lines: [word] }, context.now, 50),
  ],
  ['comparison', (_, run) => renderComparison({ run, against: run, againstName: undefined })],
  ['comparison with base', (word, run) => renderComparison(ofBase(word, run))],
  ['refusal', (word) => renderRefusal(refusal(word), { command: word })],
  [
    'problem',
    (word) =>
      renderProblem(
        { reason: 'bad_argument', token: word, message: `\`${word}\``, example: word },
        { of: 'train', text: word },
      ),
  ],
  ...['/train ', '/help ', '/logs ', '/trian '].map(
    (start) => [`answer to ${start}`, (word: string) => answerTo(start + word)] as const,
  ),
];

function trained(run: Run): Run {
  return { ...run, end: { outcome: 'succeeded', at: run.createdAt } };
}

function ofBase(word: string, run: Run): Compared {
  return { run, against: run, againstName: word };
}

function progressing(word: string): Run {
  const values = { [word]: 1, loss: 0.5 };
  return { ...running, progress: { unit: 'step', step: 1, values } };
}

function answerTo(line: string): string {
  const [found] = parseCommands(line);
  return found?.kind === 'problem' ? renderProblem(found.problem, found) : '';
}

const piece = fc.oneof(
  fc.constantFrom('@olivia', '@acme/team', '#1', 'GH-1', 'acme/digits#2', 'https://evil.example'),
  fc.constantFrom('www.evil.example', '[x](https://evil.example)', '![x](//evil.example/i.png)'),
  fc.constantFrom('<a href=//evil.example>', '<img src=x>', '</details>', '</summary>', '<!--'),
  fc.constantFrom('-->', renderMarker('aaaaaaaa'), '```', '~~~', '`', '``', '\\', '&#64;olivia'),
  fc.constantFrom('\n', '\r', '\r\n', '\u2028', '\u0085', '\v', '\f', '\t', '    ', '|', '\\|'),
  fc.constantFrom('/train gpu=A100', '/gcbrun', '\n/gcbrun', '\r/gcbrun', '\n\n/cancel all', '> '),
  fc.constantFrom('\u202e', '\u200b', '\u0000', '\u001b[31m', '[^1]: x', '[x]: //evil', '- [ ] '),
  fc.constantFrom('mailto:a@evil.example', 'a@evil.example', 'deadbeefdeadbeef', '$$x$$', ':x:'),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const hostile = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''));

/**
 * What got through once, or seemed to: a cell that ends in its code, a commit behind digits of
 * nothing or behind code, a line end that JSON keeps.
 */
const found = [
  '\\|https://evil.example',
  `abc${'d'.repeat(40)}`,
  'GH-1``-->``deadbeefdeadbeef',
  '\u2028/train gpu=A100',
];

/** Addresses that we built ourselves. */
const ours = new Set(Object.values(context.links));

function check(markdown: string, marker: string | undefined): void {
  const body = marker === undefined ? markdown : markdown.replace(renderMarker(marker), '');
  expect(parseMarker(markdown)?.runId).toBe(marker);
  expect(body).not.toContain('<!--');
  // Other bots and mail programs read it as it is.
  expect(
    body.split(/\r\n|[\n\r\u2028\u2029\u0085\v\f]/).filter((line) => /^\s*\//.test(line)),
  ).toEqual([]);
  expect(body.match(/@(?!sha256:[\da-f]{64}(?![\da-f]))[\w-]+/g) ?? []).toEqual([]);
  expect(parseCommands(body)).toEqual([]);
  const html = String(processor.processSync(markdown));
  const hrefs = [...html.matchAll(/<(?:a|img|area|link|form|iframe)\b[^>]*/gi)].map(([tag]) => tag);
  expect(hrefs.filter((tag) => !ours.has(/href="([^"]*)"/.exec(tag)?.[1] ?? ''))).toEqual([]);
  const count = (tag: string): number => html.split(tag).length;
  expect(count('<details>')).toBe(count('</details>'));
  // Running text, where GitHub makes links of its own.
  const text = html
    .replaceAll(/<(pre|code)\b[^]*?<\/\1>/g, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/&#x([\da-f]+);/gi, (_, code: string) => String.fromCodePoint(parseInt(code, 16)));
  expect(text.match(/#\d|\bGH-\d|:\/\/|\bwww\.|@\w|(?<![\w])[\da-f]{7,40}(?![\w])/i)).toBeNull();
}

describe('hostile words', () => {
  it.each(reports.map(([name, render, marker]) => [name, render, marker ?? ''] as const))(
    'do nothing in a %s',
    (_name, render, marker) => {
      fc.assert(
        fc.property(hostile, (word) => check(render(word, hostileRun(word)), marker || undefined)),
        { numRuns: runs(150), examples: found.map((word) => [word]) },
      );
    },
    60_000 * runs(1),
  );

  it('a marker is read as what it was rendered from', () => {
    const id = fc.string({
      unit: fc.constantFrom(...Array.from('abcdefghijklmnopqrstuvwxyz234567')),
      ...{ minLength: 8, maxLength: 8 },
    });
    fc.assert(
      fc.property(id, fc.string(), (runId, before) => {
        expect(parseMarker(`${before}\n${renderMarker(runId)}\n`)).toEqual({ runId });
        expect(parseMarker(`${renderMarker(runId)}\n${before}x`)).toBeUndefined();
      }),
    );
  });
});
