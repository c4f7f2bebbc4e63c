/**
 * A Run in, what has happened so far out, one line each in order: the step's log prints those that are
 * new. A state in which somebody waits says what for. Pure.
 */
import {
  isJobOver,
  jobPlanOf,
  postponementOf,
  type BuildStatus,
  type JobState,
  type Run,
  type Tracked,
} from '../shared/watch/run.ts';
import { consoleLinks } from './outputs.ts';

export function milestones(run: Run): readonly string[] {
  const links = consoleLinks(run);
  const lines: string[] = [];
  if (run.plan.build !== undefined && run.image === undefined)
    lines.push('Reading the build context');
  if (run.source !== undefined) {
    lines.push(`Source: gs://${run.source.bucket}/${run.source.object}`);
  }
  lines.push(...unnamed('build', run.build));
  if (run.build?.snapshot !== undefined) {
    const { id, status } = run.build.snapshot;
    lines.push(`Build ${id}${links.build === undefined ? '' : `: ${links.build}`}`);
    lines.push(`Build ${id}: ${status}${waitingForBuild[status] ?? ''}`);
  }
  if (run.reused !== undefined) {
    lines.push('Nothing that goes into the image has changed: the one that is there is used');
  }
  if (run.image !== undefined) lines.push(`Image: ${run.image}`);
  for (const [at, { region, message }] of (run.attempts ?? []).entries()) {
    lines.push(`Attempt ${at + 1} in ${region} ended: ${message}`);
    lines.push(...nextPlace(run, at + 1));
  }
  lines.push(...unnamed('job', run.job));
  if (run.job?.snapshot !== undefined) {
    const { id, state, error } = run.job.snapshot;
    lines.push(`Job ${id}: ${links.job ?? run.job.snapshot.name}`);
    lines.push(`Job ${id}: ${state}${waitingForJob[state] ?? ''}`);
    if (isJobOver(state) && run.end === undefined && run.cancel === undefined) {
      lines.push(
        state === 'failed' && error === undefined
          ? 'Waiting for Vertex AI to say why, which takes a minute or so'
          : 'Reading the last of its log',
      );
    }
  }
  if (run.cancel !== undefined) lines.push(`Cancelling, asked for by ${run.cancel.by}`);
  return lines;
}

/** Where the launch after the first `ended` ones goes on, and whether it finds what they had saved. */
function nextPlace(run: Run, ended: number): readonly string[] {
  const [before, after] = [ended - 1, ended].map((count) =>
    jobPlanOf({ ...run, attempts: (run.attempts ?? []).slice(0, count) }),
  );
  if (before === undefined || after === undefined) return [];
  const keeps =
    after.outputUriPrefix !== undefined && after.outputUriPrefix === before.outputUriPrefix;
  return [
    `Trying again in ${after.region}; ${keeps ? 'checkpoints are in the same directory' : 'it starts over, because its directory is another one'}`,
  ];
}

const waitingForBuild: Readonly<Partial<Record<BuildStatus, string>>> = {
  queued: ', waiting for a worker',
};

const waitingForJob: Readonly<Partial<Record<JobState, string>>> = {
  queued: ', waiting for its turn',
  pending: ', waiting for a machine and its image',
  paused: ', until somebody resumes it',
};

/** What was asked for and has no name yet. */
function unnamed(what: string, tracked: Tracked<unknown> | undefined): readonly string[] {
  if (tracked === undefined || tracked.name !== undefined) return [];
  const postponed = postponementOf(tracked.intent);
  if (postponed !== undefined) {
    const { message, until } = postponed;
    return [
      `Google has had too many requests: asking for the ${what} again at ${until.slice(11, 19)} UTC (${message})`,
    ];
  }
  return tracked.intent.inDoubtSince === undefined
    ? []
    : [`No answer came about the ${what}: looking for it before it is created again`];
}
