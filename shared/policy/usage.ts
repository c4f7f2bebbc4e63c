/** What a repository's runs hold of its ceilings, and whether one more fits below them. Pure. */
import { formatUsd } from '../units.ts';
import { reject, type Refusal } from './decision.ts';
import type { Ceilings } from './policy.ts';

export interface Usage {
  /** Runs that have not ended. */
  readonly openRunsOfPull: number;
  readonly openRunsOfUser: number;
  readonly openRunsOfRepository: number;
  /** What this month's ended runs have cost, and what its open ones may cost at most. */
  readonly monthUsd: number;
  /** Of that, what builds of triggers and jobs of workflows have cost; undefined: nothing. */
  readonly outsideUsd?: number;
}

/**
 * Why another run does not fit, or undefined.
 * @param usd what it may cost at most; 0 where that is not known yet
 */
export function checkUsage(limits: Ceilings, usage: Usage, usd: number): Refusal | undefined {
  return (
    tooMany(limits.maxRunsPerPull, usage.openRunsOfPull, 'this pull request') ??
    tooMany(limits.maxRunsPerUser, usage.openRunsOfUser, 'yours in this repository') ??
    tooMany(limits.maxRunsPerRepository, usage.openRunsOfRepository, 'this repository') ??
    overBudget(limits.maxUsdPerMonth, usage, usd)
  );
}

function tooMany(limit: number | undefined, open: number, whose: string): Refusal | undefined {
  if (limit === undefined || open < limit) return undefined;
  const runs = open === 1 ? '1 run' : `${open} runs`;
  return reject(
    'too_many_runs',
    `${runs} of ${whose} ${open === 1 ? 'has' : 'have'} not ended, and ${limit} may run at once.`,
    'Wait until one has ended, or comment `/cancel` to end one.',
  );
}

/** Why nothing more may be spent in this month, or undefined. @param usd as of `checkUsage` */
export function overBudget(
  limit: number | undefined,
  { monthUsd: spent, outsideUsd = 0 }: Pick<Usage, 'monthUsd' | 'outsideUsd'>,
  usd: number,
): Refusal | undefined {
  if (limit === undefined || (spent + usd <= limit && spent < limit)) return undefined;
  const outside = outsideUsd === 0 ? '' : ", triggers' builds and workflows";
  const more = usd === 0 ? '' : `, and this one may cost ${formatUsd(usd)}`;
  return reject(
    'over_budget',
    `This month's runs${outside} have cost or may yet cost ${formatUsd(spent)} of ${formatUsd(limit)}${more}.`,
    'Wait for open runs to end, take a cheaper machine or a shorter timeout, or ask the operator of Trainyard for more.',
  );
}
