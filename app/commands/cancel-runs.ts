/**
 * `/cancel`: which of a pull request's runs are meant, and the request that whoever holds them sees to. The
 * run's own card then says how it ended, so success needs no words of its own.
 */
import type { Kysely } from 'kysely';
import type { CancelCommand } from '../../shared/command/command.ts';
import type { Refusal } from '../../shared/policy/decision.ts';
import { isOver, type Run } from '../../shared/watch/run.ts';
import { requestCancel, runsOfPull } from '../store/runs.ts';
import type { Tables } from '../store/tables.ts';

export interface CancelContext {
  readonly db: Kysely<Tables>;
  readonly now: Date;
  readonly repositoryId: number;
  readonly pullNumber: number;
  readonly actor: { readonly login: string };
}

/** More runs of one pull request than anybody looks at. */
const maxRuns = 200;

/** @returns the ids of the runs whose end is now asked for, or why there are none */
export async function cancelRuns(
  target: CancelCommand['target'],
  context: CancelContext,
): Promise<readonly string[] | Refusal> {
  const { db, now, actor } = context;
  const runs = await runsOfPull(db, context, maxRuns);
  const open = runs.filter((run) => !isOver(run));
  const chosen = choose(target, runs, open);
  if ('kind' in chosen) return chosen;
  const cancel = { at: now.toISOString(), by: actor.login };
  const ids = chosen.map((run) => run.plan.runId);
  await requestCancel(db, ids, cancel, now);
  return ids;
}

function choose(
  target: CancelCommand['target'],
  runs: readonly Run[],
  open: readonly Run[],
): readonly Run[] | Refusal {
  if (target.kind === 'run') {
    const run = runs.find(({ plan }) => plan.runId === target.runId);
    if (run === undefined) return refuse(`This pull request has no run \`${target.runId}\`.`, open);
    return isOver(run) ? refuse(`The run \`${target.runId}\` has ended already.`, open) : [run];
  }
  if (open.length === 0) return refuse('Nothing of this pull request is running.', open);
  if (target.kind === 'only' && open.length > 1) {
    return refuse(`${open.length} runs of this pull request are running.`, open);
  }
  return open;
}

function refuse(message: string, open: readonly Run[]): Refusal {
  const commands = open.slice(0, 5).map(({ plan }) => `\`/cancel ${plan.runId}\``);
  const fix =
    commands.length === 0
      ? 'There is nothing to do; `/status` lists the runs.'
      : `Comment ${[...commands, '`/cancel all`'].join(' or ')}.`;
  return { kind: 'rejected', reason: 'bad_argument', message, fix };
}
