/**
 * The first line, which is the answer: of the card, of the step's log, of the terminal. It is made of
 * pieces, so that Markdown and plain text say the same words.
 */
import { assertNever } from '../errors.ts';
import { formatDuration, formatUsd, secondsBetween, shortSha } from '../units.ts';
import { isImageOnly } from '../plan/plan-image.ts';
import type { Plan } from '../plan/plan.ts';
import { jobPlanOf, phaseOf, waitingOf, type Run } from '../watch/run.ts';
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

/** What each phase's line is made of. */
interface Words {
  readonly sha: Piece;
  /** ` on 1 × T4 (n1-standard-8, us-central1)`; empty for a run that is for its image only. */
  readonly on: string;
  readonly took: string;
  /** ` · est. $0.04`; empty while there is nothing to say. */
  readonly spent: string;
}

/** The run's headline, in pieces that stand side by side. */
export function headline(run: Run, { now }: Pick<CardContext, 'now'>): readonly Piece[] {
  const { machine, region } = jobPlanOf(run);
  const usd = estimatedUsd(run, now);
  const words: Words = {
    sha: code(subjectName(run.plan)),
    on: machine.replicas > 0 ? ` on ${machineText(machine, region)}` : '',
    took: formatDuration(elapsedSeconds(run, now)),
    spent: usd === undefined ? '' : ` · est. ${formatUsd(usd)}`,
  };
  const waiting = waitingOf(run);
  if (waiting !== undefined) return postponed(waiting, words, now);
  return ofPhase(run, words);
}

function postponed(
  { what, until }: NonNullable<ReturnType<typeof waitingOf>>,
  { sha, took }: Words,
  now: Date,
): readonly Piece[] {
  const next = formatDuration(secondsBetween(now, until));
  return [
    bold('Waiting'),
    plain(` to ask for the ${what} of `),
    sha,
    plain(`: Google has had too many requests, next try in ${next} · ${took}`),
  ];
}

function ofPhase(run: Run, { sha, on, took, spent }: Words): readonly Piece[] {
  const phase = phaseOf(run);
  switch (phase) {
    case 'building': {
      const what = on === '' ? '' : ` to train${on}`;
      return [bold('Building'), plain(' the image of '), sha, plain(`${what} · ${took}`)];
    }
    case 'queued':
      return [bold('Waiting'), plain(' for a machine to train '), sha, plain(`${on} · ${took}`)];
    case 'running': {
      const soFar = spent === '' ? '' : `${spent} so far`;
      return [bold('Training'), plain(' '), sha, plain(`${on} · ${took}${soFar}`)];
    }
    case 'collecting': {
      const what = ' the metrics and the last of the log of ';
      return [bold('Collecting'), plain(what), sha, plain(` · ${took}${spent}`)];
    }
    case 'cancelling': {
      const what = `: waiting for Google Cloud to confirm · ${took}${spent}`;
      return [bold('Cancelling'), plain(' '), sha, plain(what)];
    }
    case 'succeeded':
      return isImageOnly(run.plan)
        ? [bold('Built'), plain(' the image of '), sha, plain(` · ${took}${spent}`)]
        : [bold('Trained'), plain(' '), sha, ...measured(run), plain(` · ${took}${spent}`)];
    case 'failed': {
      const why: Piece = { kind: 'sentence', text: run.end?.message ?? 'no reason is known.' };
      return [bold('Failed'), plain(' '), sha, plain(` after ${took}: `), why];
    }
    case 'cancelled': {
      const by = run.cancel?.by;
      const who = by === undefined ? [] : [plain(' by '), code(by)];
      return [bold('Cancelled'), plain(' '), sha, plain(` after ${took}`), ...who, plain(spent)];
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
  return /^(?:[\w .,:·×$()+−%-]|<(?=\$))*$/.test(text) && !/:\/\/|www\.|GH-\d/i.test(text)
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
