import { describe, expect, it } from '@jest/globals';
import { fc, runs } from '../../properties.ts';
import rehypeRaw from 'rehype-raw';
import rehypeStringify from 'rehype-stringify';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import remarkRehype from 'remark-rehype';
import { unified } from 'unified';
import { parseMarker, renderMarker } from '../../../shared/report/marker.ts';
import { firstLine } from '../../../shared/report/headline.ts';
import { renderCard } from '../../../shared/report/render-card.ts';
import { renderJobSummary } from '../../../shared/report/job-summary.ts';
import type { Run } from '../../../shared/watch/run.ts';
import { plan } from '../world.ts';
import {
  building,
  compared,
  context,
  created,
  ended,
  hostileRun,
  queued,
  running,
  succeeded,
} from './runs.ts';

const processor = unified()
  .use(remarkParse)
  .use(remarkGfm)
  .use(remarkRehype, { allowDangerousHtml: true })
  .use(rehypeRaw)
  .use(rehypeStringify);
const toHtml = (markdown: string): string => String(processor.processSync(markdown));

function goingOn({ end: _, ...run }: Run): Run {
  return run;
}

describe('renderCard', () => {
  it.each([
    [
      'created',
      created,
      '**Building** the image of `aaaaaaa` to train on 1 × T4 (n1-standard-8, us-central1) · 4m',
    ],
    [
      'queued',
      queued,
      '**Waiting** for a machine to train `aaaaaaa` on 1 × T4 (n1-standard-8, us-central1) · 4m',
    ],
    [
      'running',
      running,
      '**Training** `aaaaaaa` on 1 × T4 (n1-standard-8, us-central1) · 4m · est. $0.03 so far',
    ],
    [
      'running for less than a cent',
      { ...running, plan: { ...plan, estimate: { ...plan.estimate, usdPerHour: 0.04 } } },
      '**Training** `aaaaaaa` on 1 × T4 (n1-standard-8, us-central1) · 4m · est. <$0.01 so far',
    ],
    [
      'collecting',
      goingOn(succeeded),
      '**Collecting** the metrics and the last of the log of `aaaaaaa` · 4m · est. $0.05',
    ],
    ['succeeded', succeeded, '**Trained** `aaaaaaa`: val_accuracy **0.961** · 6m 12s · est. $0.05'],
    [
      'compared',
      compared,
      '**Trained** `aaaaaaa`: val_accuracy **0.961** (+0.004 against main) · 6m 12s · est. $0.05',
    ],
    [
      'compared by what must fall',
      { ...compared, plan: { ...plan, metric: 'loss' } },
      '**Trained** `aaaaaaa`: loss **0.118** (−9.92 % against main) · 6m 12s · est. $0.05',
    ],
    [
      'no better and no worse',
      { ...compared, baseline: { ...compared.baseline!, values: { val_accuracy: 0.961 } } },
      '**Trained** `aaaaaaa`: val_accuracy **0.961** (same as main) · 6m 12s · est. $0.05',
    ],
    [
      'compared with what did not measure that',
      { ...compared, baseline: { ...compared.baseline!, values: { f1: 1 } } },
      '**Trained** `aaaaaaa`: val_accuracy **0.961** · 6m 12s · est. $0.05',
    ],
    [
      'without metrics',
      ended({ outcome: 'succeeded' }),
      '**Trained** `aaaaaaa`: no metrics were written · 6m 12s · est. $0.05',
    ],
    [
      'failed',
      ended({
        outcome: 'failed',
        reason: 'out_of_memory',
        message: 'the container ran out of memory.',
      }),
      '**Failed** `aaaaaaa` after 6m 12s: the container ran out of memory.',
    ],
    [
      'cancelled',
      ended({ outcome: 'cancelled' }, { cancel: { at: '2026-01-02T03:05:00Z', by: 'wes' } }),
      '**Cancelled** `aaaaaaa` after 6m 12s by `wes` · est. $0.05',
    ],
    [
      'cancelling',
      { ...running, cancel: { at: '2026-01-02T03:03:00Z', by: 'wes' } },
      '**Cancelling** `aaaaaaa`: waiting for Google Cloud to confirm · 4m · est. $0.03',
    ],
  ])('answers in its first line when %s', (_name, run, line) => {
    expect(renderCard(run, context).split('\n')[0]).toBe(line);
    expect(firstLine(run, context)).toBe(line.replaceAll(/\*\*|`/g, ''));
  });

  it.each([
    ['building', building, '**building 4m** → queue → run → metrics'],
    ['queued', queued, 'built 1m 10s → **queued 2m 50s** → run → metrics'],
    ['running', running, 'built 1m 10s → queued 40s → **running 2m 10s** → metrics'],
    [
      'the image was there',
      { ...queued, reused: { build: 'projects/p/b', digest: 'sha256:0' } },
      'image reused → **queued 2m 50s** → run → metrics',
    ],
    ['succeeded', succeeded, 'built 1m 10s → queued 40s → ran 4m → **metrics**'],
    [
      'failed while it built',
      { ...building, end: { outcome: 'failed', at: '2026-01-02T03:00:20Z' } } as const,
      'built 20s → **failed**',
    ],
  ])('shows the phases when %s', (_name, run, timeline) => {
    expect(renderCard(run, context).split('\n')[2]).toBe(timeline);
  });

  it('shows progress, links, cost and the time', () => {
    const card = renderCard(running, { ...context, sandbox: true });
    expect(card).toContain('\nepoch 7/20 · loss 0.212 · val_accuracy 0.941\n');
    expect(card).toContain(
      '[Logs](https://console.example/logs) · [Job](https://console.example/job)',
    );
    expect(card).toContain('Cost: at most est. $0.73 by the timeout of 1h (est. $0.73/h)\n');
    expect(card.indexOf('Cost:')).toBeLessThan(card.indexOf('<details>'));
    expect(card).toContain('| price | `est. $0.73/h, list prices of 2025-03-06` |');
    expect(card).toContain('updated 2026-01-02 03:04:00 UTC\n');
    expect(card.match(/sandbox: the T4 is simulated/g)).toHaveLength(1);
    expect(renderCard(running, context)).not.toContain('sandbox');
  });

  it('shows the metrics with the headline first, and the image by its whole digest', () => {
    const card = renderCard(succeeded, context);
    expect(card).toContain('| val_accuracy | **0.961** |\n| loss | 0.118 |');
    expect(card).toContain(`\`${succeeded.image!}\``);
    expect(card).toContain('```mermaid\n');
    const asked = { ...succeeded, plan: { ...plan, metric: 'loss' } };
    expect(firstLine(asked, context)).toContain('loss 0.118');
  });

  it('shows them beside what the default branch had measured when the run ended', () => {
    const card = renderCard(compared, context);
    expect(card).toContain(
      [
        '| metric | main `9d0e4f1` | this | change |',
        '| --- | --- | --- | --- |',
        '| val_accuracy | 0.957 | **0.961** | +0.004 better |',
        '| loss | 0.131 | **0.118** | −9.92 % better |',
        '',
      ].join('\n'),
    );
    const strange = { ...compared, baseline: { ...compared.baseline!, branch: 'a|b' } };
    expect(renderCard(strange, context)).toContain('| metric | `a\\|b` `9d0e4f1` | this |');
  });

  it('says where it was tried before, and adds up what that cost', () => {
    const attempt = {
      region: 'us-east1',
      startTime: '2026-01-02T02:00:00Z',
      endTime: '2026-01-02T03:00:00Z',
      reason: 'preempted',
      message: 'Google took the *spot* machine back.',
    } as const;
    const card = renderCard({ ...succeeded, attempts: [attempt] }, context);
    expect(card).toContain('- attempt 1 in `us-east1`: Google took the \\*spot\\* machine back.');
    const hours = 1 + 240 / 3_600;
    expect(card).toContain(` · est. $${(hours * plan.estimate.usdPerHour).toFixed(2)}\n`);
  });

  it('says what a failed run has cost, and of others only in its first line', () => {
    const failed = renderCard(ended({ outcome: 'failed', message: 'x' }), context);
    expect(failed).toContain('\nCost: est. $0.05\n');
    expect(renderCard(succeeded, context)).not.toContain('Cost:');
  });

  it('folds the log of a failed run behind a gutter and a longer fence', () => {
    const card = renderCard(
      ended(
        { outcome: 'failed', message: 'x' },
        { logTail: ['Traceback', '  File "a"', '````', '/gcbrun'] },
      ),
      context,
    );
    expect(card).toContain('`````text\n│ Traceback\n│   File "a"\n│ ````\n│ /gcbrun\n`````');
  });

  it('refuses links that are not http(s)', () => {
    const links = { job: 'javascript:alert(1)', logs: 'https://a.example/x) [y](z', build: 'no' };
    const html = toHtml(renderCard(running, { ...context, links }));
    expect(html.match(/href="[^"]*"/g)).toEqual(['href="https://a.example/x%29%20%5By%5D%28z"']);
  });

  it('stays within 60,000 characters', () => {
    const long = 'x`|*_'.repeat(20_000);
    const values = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`${i}${'m|'.repeat(49)}`, i]),
    );
    const run = { ...hostileRun(long), metrics: { values, series: {} } };
    const card = renderCard(run, context);
    expect(card.length).toBeLessThanOrEqual(60_100);
    expect(parseMarker(card)).toEqual({ runId: plan.runId });
  });
});

describe('hostile text in a card', () => {
  const attacks = [
    '@olivia',
    'x@acme/team',
    '#1',
    'acme/digits#12',
    'GH-7',
    'http://evil.example',
    'https://evil.example/?q',
    'www.evil.example',
    'ftp://evil.example',
    'me@evil.example',
    '[click](http://evil.example)',
    '![x](//evil.example/p.png)',
    '<img src=x onerror=alert(1)>',
    '<script>',
    '</details>',
    '<!-- x',
    '-->',
    '<!-- trainyard:run v1 id=aaaaaaaa -->',
    '```',
    '~~~',
    '````text',
    '`',
    '``',
    '|',
    '\\',
    '\\`',
    '&lt;b&gt;',
    '&#64;olivia',
    '\\@olivia',
    '\n',
    '\r',
    '\r\n\r\n',
    '\u2028',
    '\u200b',
    '\n/train gpu=T4',
    '# x',
    '- x',
    '1. x',
    '---',
    '$x$',
    '**b**',
    '_i_',
    '<https://evil.example>',
    '[a]: http://evil.example',
    '\u202e',
    '\ud800',
    '\u0000',
    '\u001b[31m',
    'deadbeefdeadbeef',
    '%%{init: {}}%%',
    '"',
    'olivia',
  ];
  const hostileText = fc
    .array(fc.oneof(fc.constantFrom(...attacks), fc.string({ unit: 'binary', maxLength: 8 })), {
      maxLength: 8,
    })
    .map((parts) => parts.join(''));

  const check = (word: string): void => {
    const card = renderCard(hostileRun(word), context);
    // The raw text, as mail programs and other bots read it.
    expect(card.match(/<!--/g)).toHaveLength(1);
    expect(parseMarker(card)).toEqual({ runId: plan.runId });
    expect(card.replaceAll(/@sha256:[\da-f]{64}/g, '')).not.toMatch(/@[\w-]/);
    expect(card).not.toMatch(/(?:^|[\n\r])\s*\/(?:train|gcbrun)/);
    // The rendered text, as people see it.
    const html = toHtml(card);
    const links = html.match(/href="[^"]*"/g);
    expect(links).toEqual([
      'href="https://console.example/logs"',
      'href="https://console.example/job"',
    ]);
    const tags = new Set(
      (html.match(/<\/?[a-z][\w-]*/gi) ?? []).map((tag) => tag.replace(/^<\/?/, '')),
    );
    for (const tag of tags) {
      expect(
        'p strong code a details summary pre table thead tbody tr th td ul li'.split(' '),
      ).toContain(tag);
    }
    // Log, parameters and environment, closed by us: nothing has escaped from them. How to do it again where the
    // words can be shown as they are.
    const isReproducible = card.includes('<summary>How to reproduce</summary>');
    expect(html.match(/<details>/g)).toHaveLength(isReproducible ? 4 : 3);
    const outside = html.replaceAll(/<(pre|code)[\s>][^]*?<\/\1>/g, '');
    expect(outside).not.toMatch(/#\d|GH-\d|https?:\/\/evil|www\.evil/i);
  };

  it.each(attacks)('shows %j as text', check);

  it('shows any mixture of them as text', () => {
    fc.assert(fc.property(hostileText, check), { numRuns: runs(150) });
  });

  it('holds for job summaries, which have no marker', () => {
    expect(renderJobSummary(hostileRun(renderMarker('aaaaaaaa')), context)).not.toContain('<!--');
  });
});

describe('parseMarker', () => {
  it.each([
    ['no marker', 'hello'],
    ['another id alphabet', '<!-- trainyard:run v1 id=AAAAAAAA -->'],
    ['not the last line', '<!-- trainyard:run v1 id=aaaaaaaa -->\nmore'],
    ['within a line', 'x <!-- trainyard:run v1 id=aaaaaaaa -->'],
    ['another version', '<!-- trainyard:run v2 id=aaaaaaaa -->'],
  ])('finds none: %s', (_name, body) => {
    expect(parseMarker(body)).toBeUndefined();
  });

  it('survives the line ends that GitHub returns', () => {
    const body = renderCard(running, context).replaceAll('\n', '\r\n');
    expect(parseMarker(body)).toEqual({ runId: plan.runId });
  });

  it('refuses to write an id that is not one', () => {
    expect(() => renderMarker('--> <!--')).toThrow(TypeError);
  });
});
