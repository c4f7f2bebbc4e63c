/** `/cost`: what this pull request's runs cost, and what is left of the repository's month. */
import { policyOf } from '../../shared/policy/settings-of-tier.ts';
import { renderCostOverview } from '../../shared/report/cost.ts';
import { monthSpend } from '../store/budget.ts';
import { monthOf } from '../store/month.ts';
import { outsideOfMonth } from '../store/outside-spend.ts';
import { runsOfPull } from '../store/runs.ts';
import { control } from './control.ts';
import { readRepoConfig } from './gather-facts.ts';
import type { Answer, CommandContext, CommandRequest } from './request.ts';

/** More runs of one pull request than anybody looks at. */
const maxRuns = 200;

export function cost(request: CommandRequest, context: CommandContext): Promise<Answer> {
  const { pullNumber, repository } = request;
  const { db, now, sandbox } = context;
  return control(request, context, async () => {
    const runs = await runsOfPull(db, { repositoryId: repository.id, pullNumber }, maxRuns);
    const month = monthOf(now());
    const spend = await monthSpend(db, repository.id, month);
    const outside = await outsideOfMonth(db, repository.id, month);
    return renderCostOverview(
      runs,
      { ...spend, ...outside, month, maxUsd: await ceiling(request, context) },
      { now: now(), sandbox },
    );
  });
}

/** A repository's own file may be narrower than the operator's; one that cannot be read says nothing. */
async function ceiling(
  request: CommandRequest,
  context: CommandContext,
): Promise<number | undefined> {
  const settings = context.config.repositories.get(request.repository.id);
  if (settings === undefined) return undefined;
  const repoConfig = await readRepoConfig(request, context);
  return policyOf(settings, 'kind' in repoConfig ? undefined : repoConfig).maxUsdPerMonth;
}
