/**
 * `/retry`: a new run of what an earlier one was asked for, on its commit, with what is typed beside it. Nothing
 * of the earlier verdict counts: who, whether and for how much is decided anew.
 */
import type { BuildCommand, RetryCommand, TrainCommand } from '../../shared/command/command.ts';
import { mergeFields } from '../../shared/command/parse-keys.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import { decideControl } from '../../shared/policy/decide.ts';
import { isOver, type Run } from '../../shared/watch/run.ts';
import { runsOfPull } from '../store/runs.ts';
import { chooseRun, isRefused } from './choose-run.ts';
import { refused } from './refused.ts';
import type { CommandContext, CommandRequest, Outcome } from './request.ts';
import { train } from './train.ts';

/** As many as a note has room for. */
const maxNewer = 5;

export async function retry(
  { runId, changes }: RetryCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<Outcome> {
  // Who may not learns nothing of which runs there are.
  const rules = context.config.repositories.get(request.repository.id)?.policy;
  const denied = decideControl(request, rules);
  if (denied !== undefined) return refused(denied, request);
  const run = await chooseRun(
    { runId, isFit: isOver, unfit: isGoingOn, none: noneHasEnded },
    request,
    context,
  );
  if (isRefused(run)) return refused(run, request);
  const { command, subject } = run.plan;
  if (subject.pullNumber !== request.pullNumber) return refused(ofAnother(run), request);
  const again = command === undefined ? unknownCommand(run) : withChanges(command, changes, run);
  if (again.kind === 'rejected') return refused(again, request);
  const note = runId === undefined ? await noteOnNewer(run, request, context) : {};
  const asked = { kind: 'retry', runId: run.plan.runId, changes } as const;
  const retries = { headSha: subject.headSha, command: asked, ...note };
  return train(again, { ...request, retries }, context);
}

/** Whoever names no run may have meant the one that is still going on. */
async function noteOnNewer(
  { plan, createdAt }: Run,
  { repository, pullNumber }: CommandRequest,
  { db }: CommandContext,
): Promise<{ readonly note?: string }> {
  const runs = await runsOfPull(db, { repositoryId: repository.id, pullNumber }, maxNewer);
  const newer = runs.filter((run) => !isOver(run) && run.createdAt > createdAt);
  if (newer.length === 0) return {};
  const ids = newer.map((run) => `\`${run.plan.runId}\``).join(', ');
  const goOn = newer.length === 1 ? 'goes on' : 'go on';
  return {
    note: `This is \`${plan.runId}\` again, the newest run that has ended; ${ids} ${goOn}.`,
  };
}

function withChanges(
  command: TrainCommand | BuildCommand,
  changes: TrainCommand,
  run: Run,
): TrainCommand | BuildCommand | Refusal {
  if (command.kind === 'train')
    // A dry run is asked for each time.
    return { ...mergeFields(command, changes), dryRun: changes.dryRun };
  const { kind: _, dryRun, build, ...others } = changes;
  const [other] = Object.keys(others);
  if (other !== undefined || build === 'never') return noJobToChange(run);
  return { ...command, ...(build === undefined ? {} : { build }), dryRun };
}

function isGoingOn({ plan }: Run): Refusal {
  return refuse(
    `The run \`${plan.runId}\` has not ended.`,
    `\`/cancel ${plan.runId}\` ends it; \`/train\` starts another one beside it.`,
  );
}

const noneHasEnded = refuse(
  'No run of this pull request has ended, so there is none to do again.',
  '`/train` starts one.',
);

/** Its commit was decided upon there, by other people's approval perhaps. */
function ofAnother({ plan }: Run): Refusal {
  const { pullNumber } = plan.subject;
  return pullNumber === undefined
    ? refuse(
        `The run \`${plan.runId}\` is one of a push to the default branch.`,
        'The next push is trained again; `/train` trains this pull request.',
      )
    : refuse(
        `The run \`${plan.runId}\` is one of pull request ${pullNumber}.`,
        'Comment the command there.',
      );
}

function unknownCommand({ plan }: Run): Refusal {
  return refuse(
    `What the run \`${plan.runId}\` was asked for is not on record.`,
    'Comment `/train` with the keys that you want.',
  );
}

function noJobToChange({ plan }: Run): Refusal {
  return refuse(
    `The run \`${plan.runId}\` only built an image, so there is no job whose keys could be changed.`,
    'Comment `/train` with the keys that you want.',
  );
}

function refuse(message: string, fix: string): Refusal {
  return { kind: 'rejected', reason: 'bad_argument', message, fix };
}
