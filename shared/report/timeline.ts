/** The phases of a run and how long each took: `built 1m 10s → queued 40s → **running 2m 12s** → metrics`. */
import { formatDuration, secondsBetween } from '../units.ts';
import type { Run } from '../watch/run.ts';

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
  const begun = spans.filter(({ from }) => from !== undefined);
  const parts = begun.map((span, i) => {
    const took = formatDuration(secondsBetween(span.from ?? now, span.to ?? run.end?.at ?? now));
    const isNow = run.end === undefined && i === begun.length - 1;
    return isNow ? `**${span.now} ${took}**` : `${span.past} ${took}`;
  });
  const before = run.reused === undefined ? [] : ['image reused'];
  // What an ended run never reached is not shown.
  const ahead = run.end === undefined ? spans.slice(begun.length).map(({ todo }) => todo) : [];
  const ending = endingOf(run);
  return [...before, ...parts, ...ahead, ...(ending === undefined ? [] : [ending])].join(' → ');
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
  // When it was asked for first, however often that had to be done again.
  const [buildAt, jobAt] = [build, job].map((one) => one?.intent.firstAt ?? one?.intent.at);
  const jobOverAt = snapshot?.endTime;
  const spans: Span[] = [];
  if (run.plan.build !== undefined && run.reused === undefined) {
    const from = buildAt ?? run.createdAt;
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
