/** `/cost`: what this pull request's runs cost, and what is left of the repository's month. */
import { renderCostOverview } from '../../shared/report/cost.ts';
import { monthOf, monthSpend } from '../store/budget.ts';
import { runsOfPull } from '../store/runs.ts';
import { control } from './control.ts';
import type { Answer, CommandContext, CommandRequest } from './request.ts';

/** More runs of one pull request than anybody looks at. */
const maxRuns = 200;

export function cost(request: CommandRequest, context: CommandContext): Promise<Answer> {
  const { pullNumber, repository } = request;
  const { db, config, now } = context;
  return control(request, context, async () => {
    const runs = await runsOfPull(db, { repositoryId: repository.id, pullNumber }, maxRuns);
    const month = monthOf(now());
    const spend = await monthSpend(db, repository.id, month);
    const limit = config.repositories.get(repository.id)?.policy?.maxUsdPerMonth;
    return renderCostOverview(runs, { ...spend, month, maxUsd: limit }, now());
  });
}
