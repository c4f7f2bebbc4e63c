/** Which run a command is about: the one that it names, else the pull request's newest that will do. */
import type { Refusal } from '../../shared/policy/decision.ts';
import type { Run } from '../../shared/watch/run.ts';
import { runOfRepository, runsOfPull } from '../store/runs.ts';
import type { CommandContext, CommandRequest } from './request.ts';

/** More runs of one pull request than anybody looks at. */
const maxRuns = 200;

interface Wanted {
  readonly runId: string | undefined;
  readonly isFit: (run: Run) => boolean;
  /** Why a run that was named will not do. */
  readonly unfit: (run: Run) => Refusal;
  /** Why there is none that would. */
  readonly none: Refusal;
}

/** Run ids are those of one repository, whoever knows them. */
export async function chooseRun(
  { runId, isFit, unfit, none }: Wanted,
  { repository, pullNumber }: Pick<CommandRequest, 'repository' | 'pullNumber'>,
  { db }: Pick<CommandContext, 'db'>,
): Promise<Run | Refusal> {
  if (runId === undefined) {
    const runs = await runsOfPull(db, { repositoryId: repository.id, pullNumber }, maxRuns);
    return runs.find(isFit) ?? none;
  }
  const run = await runOfRepository(db, repository.id, runId);
  if (run === undefined) return noSuchRun(runId);
  return isFit(run) ? run : unfit(run);
}

export function isRefused(chosen: Run | Refusal): chosen is Refusal {
  return 'kind' in chosen;
}

function noSuchRun(runId: string): Refusal {
  return {
    kind: 'rejected',
    reason: 'bad_argument',
    message: `This repository has no run \`${runId}\`.`,
    fix: "The last line of a run's card says its id, and `/status` lists them.",
  };
}
