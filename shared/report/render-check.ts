/** The check run's output: a Run in, status, conclusion, title and summary out. The title is the answer. */
import { assertNever } from '../errors.ts';
import { isImageOnly } from '../plan/plan-image.ts';
import { phaseOf, waitingOf, type Run, type RunEnd } from '../watch/run.ts';
import { checkActions } from './check-actions.ts';
import { headlineChange } from './comparison.ts';
import { headlineMetric } from './headline-metric.ts';
import { toOneLine } from './markdown.ts';
import { renderBody } from './render-card.ts';
import { progressCount } from './sections.ts';
import { formatMetric, reasonWords, type CardContext } from './words.ts';

interface CheckOutput {
  readonly status: 'queued' | 'in_progress' | 'completed';
  /** Present exactly when the status is `completed`. */
  readonly conclusion?: 'success' | 'failure' | 'cancelled';
  /** Plain text, at most 255 characters. */
  readonly title: string;
  /** Markdown, at most 65,535 bytes. */
  readonly summary: string;
  readonly text?: string;
  readonly actions?: ReturnType<typeof checkActions>;
}

const conclusions = {
  succeeded: 'success',
  failed: 'failure',
  cancelled: 'cancelled',
} as const satisfies Record<RunEnd['outcome'], CheckOutput['conclusion']>;

const maxTitleLength = 255;

export function renderCheck(run: Run, context: CardContext): CheckOutput {
  const title = toOneLine(checkTitle(run), maxTitleLength);
  // There is nowhere to type a command about a run of no pull request.
  const takesCommands = context.takesCommands === true && run.plan.subject.pullNumber !== undefined;
  const summary = renderBody(run, { ...context, takesCommands });
  const actions = context.takesCommands === true ? { actions: checkActions(run) } : {};
  if (run.end !== undefined) {
    return {
      status: 'completed',
      conclusion: conclusions[run.end.outcome],
      title,
      summary,
      ...actions,
    };
  }
  const hasBegun = run.build !== undefined || run.job !== undefined;
  return { status: hasBegun ? 'in_progress' : 'queued', title, summary, ...actions };
}

/** `val_accuracy 0.961 (+0.004)`, `Failed: out of memory`, `Running: epoch 7/20`. @internal */
export function checkTitle(run: Run): string {
  if (waitingOf(run) !== undefined) return 'Waiting: Google has had too many requests';
  const phase = phaseOf(run);
  switch (phase) {
    case 'building':
      return 'Building the image';
    case 'queued':
      return 'Waiting for a machine';
    case 'running': {
      const counted = progressCount(run);
      return counted === undefined ? 'Running' : `Running: ${counted}`;
    }
    case 'collecting':
      return 'Collecting the metrics';
    case 'cancelling':
      return 'Cancelling';
    case 'succeeded': {
      if (isImageOnly(run.plan)) return 'Image built';
      const values = run.metrics?.values ?? {};
      const name = headlineMetric(values, run.plan.metric);
      if (name === undefined) return 'Trained, no metrics written';
      const change = headlineChange(values, run.baseline, run.plan);
      const detail = change === undefined ? '' : ` (${change})`;
      return `${name} ${formatMetric(values[name] ?? 0)}${detail}`;
    }
    case 'failed':
      return `Failed: ${reasonWords[run.end?.reason ?? 'internal']}`;
    case 'cancelled':
      return 'Cancelled';
    default:
      return assertNever(phase, 'phase');
  }
}
