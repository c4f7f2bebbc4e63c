/** The workflow job's summary: the card under a heading, without the marker that only comments need. */
import type { Run } from '../watch/run.ts';
import { renderBody, type CardContext } from './render-card.ts';

/** Markdown; a summary may be 1 MiB, a card is far smaller. */
export function renderJobSummary(run: Run, context: CardContext): string {
  return `### Trainyard\n\n${renderBody(run, context)}\n`;
}
