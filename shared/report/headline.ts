/**
 * The first line, which is the answer: of the card, of the step's log, of the terminal. It is made of
 * pieces, so that Markdown and plain text say the same words.
 */
import { assertNever } from '../errors.ts';
import { formatDuration, formatUsd, secondsBetween, shortSha } from '../units.ts';
import { isImageOnly } from '../plan/plan-image.ts';
import type { Plan } from '../plan/plan.ts';
import { jobPlanOf, phaseOf, type Run } from '../watch/run.ts';
import { waitingOf } from '../watch/postponed.ts';
import { beforeName } from './change.ts';
import { baselineName, headlineChange } from './comparison.ts';
import { headlineMetric } from './headline-metric.ts';
import { codeSpan, escapeText, nameText, sentence, toOneLine } from './markdown.ts';
import {
  elapsedSeconds,
  estimatedUsd,
  formatMetric,
  machineText,
  type CardContext,
} from './words.ts';

export type Piece =
  | { readonly kind: 'plain' | 'bold' | 'code' | 'name'; readonly text: string }
  /** A sentence of ours or a service's, with code spans in it. */
  | { readonly kind: 'sentence'; readonly text: string };

const plain = (text: string): Piece => ({ kind: 'plain', text });
const bold = (text: string): Piece => ({ kind: 'bold', text });
const code = (text: string): Piece => ({ kind: 'code', text });

/** The run's headline, in pieces that stand side by side. */
export function headline(run: Run, context: Pick<CardContext, 'now'>): readonly Piece[] {
  const { plan } = run;
  const sha = code(subjectName(plan));
  const job = jobPlanOf(run);
  const hasJob = job.machine.replicas > 0;
  const on = hasJob ? ` on ${machineText(job.machine, job.region)}` : '';
  const took = formatDuration(elapsedSeconds(run, context.now));
  const usd = estimatedUsd(run, context.now);
  const spent = usd === undefined ? '' : ` · est. ${formatUsd(usd)}`;
  const waiting = waitingOf(run);
  if (waiting !== undefined) {
    const next = formatDuration(secondsBetween(context.now, waiting.until));
    return [
      bold('Waiting'),
      plain(` to ask for the ${waiting.what} of `),
      sha,
      plain(`: Google has had too many requests, next try in ${next} · ${took}`),
    ];
  }
  const phase = phaseOf(run);
  switch (phase) {
    case 'building':
      return [
        bold('Building'),
        plain(' the image of '),
        sha,
        plain(`${hasJob ? ` to train${on}` : ''} · ${took}`),
      ];
    case 'queued':
      return [bold('Waiting'), plain(' for a machine to train '), sha, plain(`${on} · ${took}`)];
    case 'running':
      return [
        bold('Training'),
        plain(' '),
        sha,
        plain(`${on} · ${took}${spent === '' ? '' : `${spent} so far`}`),
      ];
    case 'collecting':
      return [bold('Collecting the metrics'), plain(' of '), sha, plain(` · ${took}${spent}`)];
    case 'cancelling':
      return [
        bold('Cancelling'),
        plain(' '),
        sha,
        plain(`: waiting for Google Cloud to confirm · ${took}${spent}`),
      ];
    case 'succeeded':
      return isImageOnly(plan)
        ? [bold('Built'), plain(' the image of '), sha, plain(` · ${took}`)]
        : [bold('Trained'), plain(' '), sha, ...measured(run), plain(` · ${took}${spent}`)];
    case 'failed':
      return [
        bold('Failed'),
        plain(' '),
        sha,
        plain(` after ${took}: `),
        { kind: 'sentence', text: run.end?.message ?? 'no reason is known.' },
      ];
    case 'cancelled': {
      const by = run.cancel?.by;
      return [
        bold('Cancelled'),
        plain(' '),
        sha,
        plain(` after ${took}`),
        ...(by === undefined ? [] : [plain(' by '), code(by)]),
        plain(spent),
      ];
    }
    default:
      return assertNever(phase, 'phase');
  }
}

/** The commit; for a job of which none is known what it is called. */
function subjectName({ subject, job, build }: Plan): string {
  if (subject.headSha !== '') return shortSha(subject.headSha);
  return job.displayName || (build === undefined ? 'a job' : 'a build');
}

function measured(run: Run): readonly Piece[] {
  const values = run.metrics?.values ?? {};
  const name = headlineMetric(values, run.plan.metric);
  const value = name === undefined ? undefined : values[name];
  if (name === undefined || value === undefined) return [plain(': no metrics were written')];
  return [
    plain(': '),
    { kind: 'name', text: name },
    plain(' '),
    bold(formatMetric(value)),
    ...comparedWithBaseline(run),
  ];
}

/** ` (+0.004 against main)` */
function comparedWithBaseline({ metrics, baseline, plan }: Run): readonly Piece[] {
  const change = headlineChange(metrics?.values ?? {}, baseline, plan);
  if (change === undefined || baseline === undefined) return [];
  const branch = { kind: 'name', text: baselineName(baseline) } as const;
  return [plain(` (${beforeName(change)} `), branch, plain(')')];
}

export function toMarkdown(pieces: readonly Piece[]): string {
  return pieces.map(pieceToMarkdown).join('');
}

function pieceToMarkdown(piece: Piece): string {
  switch (piece.kind) {
    case 'plain':
      // Our own words; machine types and regions in them come from allow-lists, and are escaped all the same.
      return keepOuterSpaces(piece.text, escapeWords);
    case 'bold':
      return `**${escapeWords(piece.text)}**`;
    case 'code':
      return codeSpan(piece.text, 100);
    case 'name':
      return nameText(piece.text);
    case 'sentence':
      return sentence(piece.text);
    default:
      return assertNever(piece, 'piece');
  }
}

function keepOuterSpaces(text: string, escape: (inner: string) => string): string {
  const [, before = '', inner = '', after = ''] = /^( *)([^]*?)( *)$/.exec(text) ?? [];
  return `${before}${escape(inner)}${after}`;
}

function escapeWords(text: string): string {
  // Our own punctuation reads better unescaped, also in raw text; only what could be markup is escaped.
  return /^[\w .,:·×$()+−%-]*$/.test(text) && !/:\/\/|www\.|GH-\d/i.test(text)
    ? text
    : escapeText(text);
}

/** One line of plain text, for terminals and step logs: printable, but with others' words. */
export function toPlainText(pieces: readonly Piece[]): string {
  const text = pieces
    .map((piece) => (piece.kind === 'sentence' ? piece.text.replaceAll('`', '') : piece.text))
    .join('');
  return toOneLine(text, 1_000);
}

/** The run's headline as plain text. */
export function firstLine(run: Run, context: Pick<CardContext, 'now'>): string {
  return toPlainText(headline(run, context));
}
