/** A finished Plan and the policy in; what it may cost at most and the ceilings it counts against, or a Refusal, out. Pure. */
import type { ProjectSettings } from '../config/project-settings.ts';
import type { Plan } from '../plan/plan.ts';
import { checkPlan } from './check-plan.ts';
import type { Refusal } from './decision.ts';
import { ceilingsOf, type Ceilings, type Policy } from './policy.ts';
import { withoutDearPlaces, worstCaseUsd } from './run-cost.ts';
import { checkUsage, type Usage } from './usage.ts';

export interface Admitted {
  readonly kind: 'admitted';
  /** Without the places that would cost more than a run may. */
  readonly plan: Plan;
  readonly usd: number;
  readonly limits: Ceilings;
}

/** What is admitted is still to be reserved: another run may take what is left. */
export function admit(
  planned: Plan,
  policy: Policy,
  { prices }: Pick<ProjectSettings, 'prices'>,
  usage: Usage,
): Admitted | Refusal {
  const plan = withoutDearPlaces(planned, prices, policy.maxUsdPerRun);
  const usd = worstCaseUsd(plan, prices);
  const limits = ceilingsOf(policy);
  const hasMoneyCeiling = limits.maxUsdPerRun !== undefined || limits.maxUsdPerMonth !== undefined;
  const refusal =
    checkPlan(plan, policy) ??
    (usd === undefined && hasMoneyCeiling ? priceUnknown : undefined) ??
    checkUsage(limits, usage, usd ?? 0);
  return refusal ?? { kind: 'admitted', plan, usd: usd ?? 0, limits };
}

const priceUnknown: Refusal = {
  kind: 'rejected',
  reason: 'price_unknown',
  message: 'The price of this run is not known, so no ceiling in dollars can be kept.',
  fix: 'Choose a machine with a known price, or have its price configured.',
};
