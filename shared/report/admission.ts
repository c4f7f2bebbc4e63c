/** What a dry run says of the policy: a plan's tier, what it may cost and the ceilings in, Markdown out. */
import type { TrustTier } from '../policy/decision.ts';
import type { Ceilings } from '../policy/policy.ts';
import type { Usage } from '../policy/usage.ts';
import { formatUsd } from '../units.ts';

const whoseCode: Readonly<Record<TrustTier, string>> = {
  base: 'the default branch',
  pull: "this repository's pull requests",
  fork: 'an approved fork',
};

export function renderAdmission(
  tier: TrustTier,
  { usd, limits }: { readonly usd: number; readonly limits: Ceilings },
  usage: Usage,
): string {
  const left = [
    ofMonth(limits.maxUsdPerMonth, usage.monthUsd, usd),
    ofRuns(limits.maxRunsPerPull, usage.openRunsOfPull, 'of this pull request'),
    ofRuns(limits.maxRunsPerUser, usage.openRunsOfUser, 'of yours'),
    ofRuns(limits.maxRunsPerRepository, usage.openRunsOfRepository, 'of this repository'),
  ].filter((text) => text !== undefined);
  const remains = left.length === 0 ? '' : ` Then there would remain: ${left.join(', ')}.`;
  return `**Allowed** as code of ${whoseCode[tier]}. Until it ends it would hold est. ${formatUsd(usd)} of the budget.${remains}`;
}

function ofMonth(limit: number | undefined, spent: number, usd: number): string | undefined {
  return limit === undefined
    ? undefined
    : `${formatUsd(Math.max(0, limit - spent - usd))} of this month's ${formatUsd(limit)}`;
}

function ofRuns(limit: number | undefined, open: number, whose: string): string | undefined {
  return limit === undefined
    ? undefined
    : `${Math.max(0, limit - open - 1)} of ${limit} runs ${whose} at once`;
}
