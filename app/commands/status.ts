/** `/status`: the pull request's newest runs. */
import { renderStatus } from '../../shared/report/status.ts';
import { runsOfPull } from '../store/runs.ts';
import { control } from './control.ts';
import type { Answer, CommandContext, CommandRequest } from './request.ts';

const shownRuns = 10;

export function status(request: CommandRequest, context: CommandContext): Promise<Answer> {
  const { pullNumber, repository } = request;
  return control(request, context, async () => {
    const pull = { repositoryId: repository.id, pullNumber };
    return renderStatus(await runsOfPull(context.db, pull, shownRuns), context.now());
  });
}
