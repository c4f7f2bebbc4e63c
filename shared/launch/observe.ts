/** Looks at a run's build or job: a Run and its log cursor in, the Run with what is there now out. */
import { CloudError } from '../errors.ts';
import type { RunPorts } from '../flow.ts';
import { parseProgress } from '../metrics/parse-progress.ts';
import {
  isTailWanted,
  readBuildLog,
  readJobLog,
  readJobTail,
  type BuildLogPlace,
} from '../watch/log-cursor.ts';
import {
  isBuildOver,
  isJobOver,
  maxLogTailLines,
  type BuildSnapshot,
  type JobSnapshot,
  type Run,
} from '../watch/run.ts';

export async function observeBuild(run: Run, ports: RunPorts): Promise<Run> {
  if (run.build?.name === undefined) return run;
  const snapshot = await ports.builds.get(run.build.name);
  const lines =
    snapshot.logsTo === 'nowhere'
      ? []
      : await readOrReport('build', ports, () =>
          readBuildLog(
            ports.logCursor,
            ports.buildLogs,
            placeOfLog(run, snapshot),
            isBuildOver(snapshot.status),
          ),
        );
  if (lines.length > 0) ports.log?.(lines, 'build');
  const logTail = [...(run.logTail ?? []), ...lines].slice(-maxLogTailLines);
  const observed: Run = { ...run, build: { ...run.build, snapshot } };
  return lines.length === 0 ? observed : { ...observed, logTail };
}

function placeOfLog(run: Run, snapshot: BuildSnapshot): BuildLogPlace {
  const since = snapshot.createTime ?? run.createdAt;
  return {
    uri: snapshot.logsBucket ?? `gs://${run.plan.build?.logsBucket ?? ''}`,
    buildId: snapshot.id,
    ...(snapshot.logsTo === 'cloud_logging'
      ? { logged: { project: run.plan.project, since } }
      : {}),
  };
}

export async function observeJob(run: Run, ports: RunPorts): Promise<Run> {
  if (run.job?.name === undefined) return run;
  const looked = await ports.jobs.get(run.job.name);
  const seen = run.job.snapshot;
  // Lists lag: a job that ran must not be taken for one that waits for a machine, which may be given up.
  const snapshot = seen !== undefined && stageOf(looked) < stageOf(seen) ? seen : looked;
  const next: Run = { ...run, job: { ...run.job, snapshot } };
  // The build's last lines say nothing about the job.
  const hasBuildTail = seen?.startTime === undefined && snapshot.startTime !== undefined;
  const observed = hasBuildTail ? { ...next, logTail: [] } : next;
  if (snapshot.startTime === undefined && snapshot.endTime === undefined) return observed;
  return withNewLines(observed, snapshot, ports);
}

/** Waiting, started, over: there is no way back. */
function stageOf({ state, startTime }: JobSnapshot): number {
  if (isJobOver(state)) return 2;
  return startTime === undefined ? 0 : 1;
}

async function withNewLines(run: Run, snapshot: JobSnapshot, ports: RunPorts): Promise<Run> {
  const { logCursor, jobLogs, logTails, clock } = ports;
  const where = {
    project: run.plan.project,
    jobId: snapshot.id,
    jobCreatedAt: snapshot.createTime ?? run.job?.intent.at ?? run.createdAt,
    isOver: snapshot.endTime !== undefined,
  };
  // The end of a run does not wait for lines that nobody prints: a card has the last ones.
  const tails = where.isOver && ports.log === undefined ? logTails : undefined;
  const lines = await readOrReport('job', ports, () =>
    tails !== undefined && isTailWanted(logCursor)
      ? readJobTail(logCursor, tails, where)
      : readJobLog(logCursor, jobLogs, where, clock.now()),
  );
  if (lines.length === 0) return run;
  ports.log?.(
    lines.map(({ late, text }) => (late ? `(late) ${text}` : text)),
    'job',
  );
  // A late line is no news of how far the training is.
  const progress = lines
    .filter(({ late }) => !late)
    .reduce<Run['progress']>((latest, { text }) => parseProgress(text) ?? latest, run.progress);
  const logTail = logCursor.job.tail.map(({ text }) => text);
  return { ...run, logTail, ...(progress === undefined ? {} : { progress }) };
}

/**
 * Logs are worth having but not worth a run: without permission to read them, or with too many reading at
 * once, the build or job is still followed.
 */
async function readOrReport<T>(
  stream: 'build' | 'job',
  ports: RunPorts,
  read: () => Promise<readonly T[]>,
): Promise<readonly T[]> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof CloudError)) throw error;
    ports.logRefused?.(error, stream);
    return [];
  }
}
