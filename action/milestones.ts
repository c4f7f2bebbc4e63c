/** A Run in, what has happened so far out, one line each in order: the step's log prints those that are new. Pure. */
import type { Run } from '../shared/watch/run.ts';
import { consoleLinks } from './outputs.ts';

export function milestones(run: Run): readonly string[] {
  const links = consoleLinks(run);
  const lines: string[] = [];
  if (run.source !== undefined) {
    lines.push(`Source: gs://${run.source.bucket}/${run.source.object}`);
  }
  if (run.build?.snapshot !== undefined) {
    const { id, status } = run.build.snapshot;
    lines.push(`Build ${id}${links.build === undefined ? '' : `: ${links.build}`}`);
    lines.push(`Build ${id}: ${status}`);
  }
  if (run.image !== undefined) lines.push(`Image: ${run.image}`);
  if (run.job?.snapshot !== undefined) {
    const { id, state } = run.job.snapshot;
    lines.push(`Job ${id}: ${links.job ?? run.job.snapshot.name}`);
    lines.push(`Job ${id}: ${state}`);
  }
  if (run.cancel !== undefined) lines.push(`Cancelling, asked for by ${run.cancel.by}`);
  return lines;
}
