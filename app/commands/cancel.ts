/**
 * `/cancel`: which of a pull request's runs are meant, and the request that whoever holds them sees to. The
 * run's own card then says how it ended, so success needs no words of its own.
 */
import type { CancelCommand } from '../../shared/command/command.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import { isOver, type Run } from '../../shared/watch/run.ts';
import { requestCancel, runsOfPull } from '../store/runs.ts';
import { control } from './control.ts';
import type { Answer, CommandContext, CommandRequest, Request } from './request.ts';

/** More runs of one pull request than anybody looks at. */
const maxRuns = 200;
const shownIds = 5;

export function cancel(
  { target }: CancelCommand,
  request: CommandRequest,
  context: CommandContext,
): Promise<Answer> {
  const { db } = context;
  const { repository, pullNumber } = request;
  return control(request, context, async () => {
    const runs = await runsOfPull(db, { repositoryId: repository.id, pullNumber }, maxRuns);
    const open = runs.filter((run) => !isOver(run));
    const chosen = choose(target, runs, open);
    if ('kind' in chosen) return chosen;
    await end(chosen, request, context);
    return undefined;
  });
}

/** The button of a run that no pull request has. */
export function cancelRun(run: Run, request: Request, context: CommandContext): Promise<Answer> {
  return control(request, context, async () => {
    if (isOver(run)) return hasEnded(run.plan.runId, []);
    await end([run], request, context);
    return undefined;
  });
}

async function end(
  runs: readonly Run[],
  { actor, react }: Request,
  { db, now, wakeRun }: CommandContext,
): Promise<void> {
  const ids = runs.map(({ plan }) => plan.runId);
  await requestCancel(db, ids, { at: now().toISOString(), by: actor.login }, now());
  await react('eyes');
  await Promise.all(ids.map((id) => wakeRun(id)));
}

function choose(
  target: CancelCommand['target'],
  runs: readonly Run[],
  open: readonly Run[],
): readonly Run[] | Refusal {
  if (target.kind === 'run') {
    const run = runs.find(({ plan }) => plan.runId === target.runId);
    if (run === undefined) {
      const has = runs.slice(0, shownIds).map(({ plan }) => `\`${plan.runId}\``);
      const others = has.length === 0 ? '' : `; its newest are ${has.join(', ')}`;
      return refuse(`This pull request has no run \`${target.runId}\`${others}.`, open);
    }
    return isOver(run) ? hasEnded(target.runId, open) : [run];
  }
  if (open.length === 0) return refuse('Nothing of this pull request is running.', open);
  if (target.kind === 'only' && open.length > 1) {
    return refuse(`${open.length} runs of this pull request are running.`, open);
  }
  return open;
}

function hasEnded(runId: string, open: readonly Run[]): Refusal {
  return refuse(`The run \`${runId}\` has ended already.`, open);
}

function refuse(message: string, open: readonly Run[]): Refusal {
  const commands = open.slice(0, shownIds).map(({ plan }) => `\`/cancel ${plan.runId}\``);
  const fix =
    commands.length === 0
      ? 'Nothing is left to cancel; `/status` lists the runs.'
      : `Comment ${[...commands, '`/cancel all`'].join(' or ')}.`;
  return { kind: 'rejected', reason: 'bad_argument', message, fix };
}
