/**
 * The card: a Run in, the Markdown of its one comment out. The first line answers; what it was made with
 * is folded; the last line says when, in UTC. Every word that is not ours passes `markdown.ts`.
 */
import type { Run } from '../watch/run.ts';
import { renderEnvironment, renderReproduction } from './environment.ts';
import { fit } from './fit.ts';
import { headline, toMarkdown } from './headline.ts';
import { codeSpan } from './markdown.ts';
import { renderMarker } from './marker.ts';
import { renderParameters } from './parameters.ts';
import { renderNextStep } from './retry-advice.ts';
import {
  renderAttempts,
  renderChart,
  renderCost,
  renderDoors,
  renderLogTail,
  renderMadeImage,
  renderMetrics,
  renderNotes,
  renderProgress,
  renderSuperseded,
} from './sections.ts';
import { renderTimeline } from './timeline.ts';
import { sandboxNote, utcText, type CardContext } from './words.ts';

export type { CardContext } from './words.ts';

/** The comment's body, at most 60,000 bytes, with the marker as its last line. */
export function renderCard(run: Run, context: CardContext): string {
  return `${renderBody(run, context)}\n${renderMarker(run.plan.runId)}\n`;
}

/** The card without its marker, for checks and job summaries. */
export function renderBody(run: Run, context: CardContext): string {
  const [openMetrics, ...moreMetrics] = renderMetrics(run);
  return fit([
    { text: toMarkdown(headline(run, context)) },
    { text: renderNextStep(run, context.takesCommands === true) },
    { text: renderSuperseded(run) },
    { text: renderTimeline(run, context.now) },
    { text: renderMadeImage(run, context) },
    { text: renderNotes(run.plan.notes), leaveOut: 7 },
    { text: renderAttempts(run), leaveOut: 7 },
    { text: renderProgress(run), leaveOut: 1 },
    { text: renderCost(run, context.now) },
    { text: openMetrics, leaveOut: 2 },
    { text: renderChart(run), leaveOut: 4 },
    { text: renderDoors(run, context) },
    { text: renderLogTail(run), leaveOut: 3 },
    { text: renderParameters(run), leaveOut: 7 },
    { text: moreMetrics.join('\n\n'), leaveOut: 6 },
    { text: renderEnvironment(run), leaveOut: 5 },
    { text: renderReproduction(run, context), leaveOut: 8 },
    { text: lastLine(run, context) },
  ]);
}

function lastLine(run: Run, { now, sandbox }: CardContext): string {
  const when =
    run.end === undefined ? `updated ${utcText(now)}` : `ended ${utcText(new Date(run.end.at))}`;
  const note = sandbox ? ` · ${sandboxNote(run.plan.job.machine)}` : '';
  return `Run ${codeSpan(run.plan.runId, 20)}${note} · ${when}`;
}
