/** A run that did not succeed in, the text of its annotation out: what happened, what to do, its last words. Pure. */
import { secretsLabel } from '../shared/plan/job-secrets.ts';
import { maskLines } from '../shared/report/mask-tokens.ts';
import { jobPlanOf, type Run } from '../shared/watch/run.ts';
import { oneLine } from './one-line.ts';
import { sentences } from './workflow-words.ts';

/** The runner shows some 4,000 characters of an annotation. */
const maxLines = 8;
const maxLineLength = 200;

/** Several lines, of which those after the first are the program's own: hostile text. */
export function annotation(run: Run, state: 'failed' | 'cancelled'): string {
  const { message, fix } = run.end ?? {};
  return [sentences(message ?? `the run was ${state}`, fix), ...lastWords(run)].join('\n');
}

/** As in the summary: whoever cancels has no use for them, and a job with secrets keeps its own. */
function lastWords(run: Run): readonly string[] {
  if (run.end?.outcome !== 'failed' || secretsLabel in jobPlanOf(run).labels) return [];
  const tail = (run.logTail ?? []).slice(-maxLines);
  return maskLines(tail).map(
    (line) => `| ${Array.from(oneLine(line)).slice(0, maxLineLength).join('')}`,
  );
}
