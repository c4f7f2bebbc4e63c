/** The job summary and the step's last lines: a Run in, Markdown and plain lines out. Pure. */
import { headline, toMarkdown, toPlainText, type Piece } from '../shared/report/headline.ts';
import { renderJobSummary } from '../shared/report/job-summary.ts';
import { codeSpan, sentence } from '../shared/report/markdown.ts';
import { renderLinks, renderLogTail } from '../shared/report/sections.ts';
import type { Run } from '../shared/watch/run.ts';
import { formatDuration, secondsBetween, shortSha } from '../shared/units.ts';
import type { Ended } from './commands/cancel.ts';
import { consoleLinks } from './outputs.ts';
import { inWorkflowWords } from './workflow-words.ts';

interface Context {
  readonly now: Date;
  readonly sandbox: boolean;
}

/**
 * The card, as the job's summary page shows it.
 * @param note one sentence below it
 */
export function runSummary(run: Run, context: Context, note?: string): string {
  const card = renderJobSummary(withWorkflowWords(run), { ...context, links: consoleLinks(run) });
  return note === undefined ? card : `${card}\n${sentence(note)}\n`;
}

/** What became of an image, and why when there is none. */
export function buildSummary(run: Run, { now }: Context): string {
  const fix = withWorkflowWords(run).end?.fix;
  return under([
    toMarkdown(buildHeadline(run, now)),
    ...(run.image === undefined
      ? [fix === undefined ? undefined : sentence(fix), renderLogTail(run)]
      : [codeSpan(run.image)]),
    renderLinks(consoleLinks(run)),
  ]);
}

/** The summary's first line, in plain text. */
export function buildFirstLine(run: Run, now: Date): string {
  return toPlainText(buildHeadline(run, now));
}

function buildHeadline(run: Run, now: Date): readonly Piece[] {
  if (run.image === undefined) return headline(run, { now });
  const done = run.reused === undefined ? 'Built' : 'Found';
  return [
    { kind: 'bold', text: done },
    { kind: 'plain', text: ' the image of ' },
    { kind: 'code', text: shortSha(run.plan.subject.headSha) },
    { kind: 'plain', text: ` · ${formatDuration(secondsBetween(run.createdAt, now))}` },
  ];
}

/** A summary of sentences only, one paragraph each. */
export function shortSummary(...texts: readonly string[]): string {
  return under(
    texts.map((text) =>
      sentence(text).replace(/^(?:Not started|Failed|Would be refused)/, '**$&**'),
    ),
  );
}

function under(paragraphs: readonly (string | undefined)[]): string {
  const shown = ['### Trainyard', ...paragraphs].filter((text) => text !== undefined);
  return `${shown.join('\n\n')}\n`;
}

function withWorkflowWords(run: Run): Run {
  const { end } = run;
  if (end?.fix === undefined) return run;
  return { ...run, end: { ...end, fix: inWorkflowWords(end.fix) } };
}

/** One sentence about what `cancel` has seen to its end. */
export function endedSentence({ kind, name, state, already }: Ended): string {
  return already
    ? `The ${kind} ${name} was over already: ${state}.`
    : `Cancelled the ${kind} ${name}; it has ended: ${state}.`;
}
