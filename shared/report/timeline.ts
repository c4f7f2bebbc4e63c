/** The phases of a run and how long each took: `built 1m 10s → queued 40s → **running 2m 12s** → metrics`. */
import { formatDuration, secondsBetween } from '../units.ts';
import { phaseOf, type Run } from '../watch/run.ts';

interface Span {
  readonly past: string;
  readonly now: string;
  readonly todo: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** One line of Markdown made of our own words and durations only. */
export function renderTimeline(run: Run, now: Date): string {
  const spans = spansOf(run);
  const phase = phaseOf(run);
  const parts: string[] = [];
  for (const span of spans) {
    if (span.from === undefined) {
      // What an ended run never reached is not shown.
      if (run.end === undefined) parts.push(span.todo);
      continue;
    }
    const isCurrent = span.to === undefined || span.to === run.end?.at;
    const took = formatDuration(secondsBetween(span.from, span.to ?? run.end?.at ?? now));
    if (!isCurrent) parts.push(`${span.past} ${took}`);
    else if (run.end === undefined) parts.push(`**${span.now} ${took}**`);
    else parts.push(`${phase === 'succeeded' ? span.past : span.now} ${took}`);
  }
  const ending = endingOf(run);
  if (ending !== undefined) parts.push(ending);
  return parts.join(' → ');
}

function endingOf(run: Run): string | undefined {
  switch (run.end?.outcome) {
    case undefined:
      return undefined;
    case 'succeeded':
      return run.metrics === undefined ? '**done**' : '**metrics**';
    case 'failed':
      return '**failed**';
    case 'cancelled':
      return '**cancelled**';
  }
}

function spansOf(run: Run): readonly Span[] {
  const build = run.build;
  const job = run.job;
  const snapshot = job?.snapshot;
  const jobAt = job?.intent.at;
  const jobOverAt = snapshot?.endTime;
  const spans: Span[] = [];
  if (run.plan.build !== undefined) {
    const from = build?.intent.at ?? run.createdAt;
    const over = build?.snapshot?.finishTime ?? jobAt;
    spans.push({ past: 'built', now: 'building', todo: 'build', from, to: over });
  }
  if (run.plan.job.machine.replicas === 0) return spans;
  spans.push(
    {
      past: 'queued',
      now: 'queued',
      todo: 'queue',
      from: jobAt,
      to: snapshot?.startTime ?? jobOverAt,
    },
    { past: 'ran', now: 'running', todo: 'run', from: snapshot?.startTime, to: jobOverAt },
  );
  // Collecting takes a moment and is over when the run is.
  const collecting = run.end === undefined ? jobOverAt : undefined;
  if (run.end === undefined) {
    spans.push({
      past: 'metrics',
      now: 'collecting metrics',
      todo: 'metrics',
      from: collecting,
      to: undefined,
    });
  }
  return spans;
}
