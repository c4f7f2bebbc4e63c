/** `/logs`: the end of a run's log, asked for as it is now. */
import type { LogsCommand } from '../../shared/command/command.ts';
import { maxLogLines } from '../../shared/command/parse-control.ts';
import { secretsLabel } from '../../shared/plan/job-secrets.ts';
import { CloudError } from '../../shared/errors.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import type { CloudPorts } from '../../shared/ports.ts';
import { renderLogs, type ShownLog } from '../../shared/report/logs.ts';
import {
  jobPlanOf,
  type BuildSnapshot,
  type JobSnapshot,
  type Run,
} from '../../shared/watch/run.ts';
import { formatDuration } from '../../shared/units.ts';
import { chooseRun, isRefused } from './choose-run.ts';
import { control } from './control.ts';
import type { Answer, CommandContext, CommandRequest } from './request.ts';

const standardLines = 50;
/** The quota is of a minute. */
const usualWaitSeconds = 60;
/** What the last lines of a build can take; they are cut where they are shown. */
const maxBuildLogBytes = 256 * 1024;

export function logs(
  { runId, lines: asked = standardLines }: LogsCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<Answer> {
  const lines = Math.min(asked, maxLogLines);
  return control(request, context, async () => {
    const run = await chooseRun(
      { runId, isFit: () => true, unfit: noLogYet, none: noRuns },
      request,
      context,
    );
    if (isRefused(run)) return run;
    // Who may read this comment is more than who may read the job's log.
    if (run.plan.secrets !== undefined || secretsLabel in jobPlanOf(run).labels)
      return hasSecrets(run);
    const google = context.launchers.ofRepository(request.repository.id);
    const shown = (google && (await readNow(run, google, lines))) ?? remembered(run, lines);
    if (typeof shown === 'number') return usedUp(shown);
    return shown === undefined ? noLogYet(run) : renderLogs(run, shown, context.now(), asked);
  });
}

/** What was seen earlier, or in how many seconds to ask again, where too many read the project's logs this minute. */
async function readNow(
  run: Run,
  google: Parameters<typeof readEnd>[1],
  lines: number,
): Promise<ShownLog | number | undefined> {
  try {
    return await readEnd(run, google, lines);
  } catch (error) {
    if (!(error instanceof CloudError) || error.status !== 429) throw error;
    const seconds = Math.max(1, Math.ceil(error.retryAfterSeconds ?? usualWaitSeconds));
    const seen = remembered(run, lines);
    return seen === undefined ? seconds : { ...seen, newerIn: seconds };
  }
}

/** The job's log once it has one, else the build's. */
async function readEnd(
  run: Run,
  google: Pick<CloudPorts, 'logTails' | 'buildLogs' | 'objects'>,
  lines: number,
): Promise<ShownLog | undefined> {
  const { job, build } = run;
  const ofJob = job?.snapshot && (await endOfJob(run, job.snapshot, google, lines));
  if (ofJob !== undefined) return ofJob;
  return build?.snapshot && endOfBuild(build.snapshot, google, lines);
}

async function endOfJob(
  { plan }: Run,
  { id, createTime }: JobSnapshot,
  { logTails }: Pick<CloudPorts, 'logTails'>,
  lines: number,
): Promise<ShownLog | undefined> {
  if (logTails === undefined || createTime === undefined) return undefined;
  const where = { project: plan.project, jobId: id, since: createTime, limit: lines };
  const entries = await logTails.tail(where);
  if (entries.length === 0) return undefined;
  const all = entries.map(({ text }) => text);
  return { of: 'job', lines: all.slice(-lines), isWhole: all.length < lines };
}

async function endOfBuild(
  { id, logsBucket }: BuildSnapshot,
  { buildLogs, objects }: Pick<CloudPorts, 'buildLogs' | 'objects'>,
  lines: number,
): Promise<ShownLog | undefined> {
  const [, bucket, path = ''] = /^gs:\/\/([^/]+)\/?(.*)$/.exec(logsBucket ?? '') ?? [];
  if (bucket === undefined || logsBucket === undefined) return undefined;
  const prefix = `${path === '' ? '' : `${path.replace(/\/$/, '')}/`}log-${id}.txt`;
  const [object] = await objects.list({ bucket, prefix, limit: 1 });
  if (object === undefined) return undefined;
  const offset = Math.max(0, object.size - maxBuildLogBytes);
  const { text } = await buildLogs.read({ uri: logsBucket, buildId: id, offset });
  const all = text.split(/\r\n|[\n\r]/).filter((line) => line !== '');
  // The first line of a part of the log has no beginning.
  const whole = offset === 0 ? all : all.slice(1);
  if (whole.length === 0) return undefined;
  const isWhole = offset === 0 && whole.length <= lines;
  return { of: 'build', lines: whole.slice(-lines), isWhole };
}

/** What was seen of the log while the run was followed. */
function remembered({ job, logTail = [] }: Run, lines: number): ShownLog | undefined {
  if (logTail.length === 0) return undefined;
  return { of: job === undefined ? 'build' : 'job', lines: logTail.slice(-lines) };
}

const noRuns: Refusal = {
  kind: 'rejected',
  reason: 'bad_argument',
  message: 'There are no runs of this pull request, so there are no logs.',
  fix: '`/train` starts one.',
};

function usedUp(seconds: number): Refusal {
  return {
    kind: 'rejected',
    reason: 'bad_argument',
    message: 'Google lets a project read its logs 60 times a minute, and this minute is used up.',
    fix: `Comment the command again in ${formatDuration(seconds)}.`,
  };
}

function noLogYet({ plan }: Run): Refusal {
  return {
    kind: 'rejected',
    reason: 'bad_argument',
    message: `The run \`${plan.runId}\` has written nothing to a log, or nothing that has arrived yet.`,
    fix: "A job's first lines arrive up to a minute after it has begun; comment the command again then.",
  };
}

function hasSecrets({ plan }: Run): Refusal {
  return {
    kind: 'rejected',
    reason: 'field_not_allowed',
    message: `The log of \`${plan.runId}\` is not shown in comments, because its job has secrets.`,
    fix: 'Read it in the Google Cloud console.',
  };
}
