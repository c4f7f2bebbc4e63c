/** A finished Plan and the policy in; what it may cost at most and the ceilings it counts against, or a Refusal, out. Pure. */
import type { Plan } from '../plan/plan.ts';
import { checkPlan } from './check-plan.ts';
import type { Refusal } from './decision.ts';
import { ceilingsOf, type Ceilings, type Policy } from './policy.ts';
import { checkUsage, type Usage } from './usage.ts';

export interface Admitted {
  readonly kind: 'admitted';
  /** The most that the run can cost, as its plan says. */
  readonly usd: number;
  readonly limits: Ceilings;
}

/** What is admitted is still to be reserved: another run may take what is left. */
export function admit(plan: Plan, policy: Policy, usage: Usage): Admitted | Refusal {
  const { ceilingUsd: usd, isIncomplete = false } = plan.estimate;
  const limits = ceilingsOf(policy);
  const hasMoneyCeiling = limits.maxUsdPerRun !== undefined || limits.maxUsdPerMonth !== undefined;
  const refusal =
    checkPlan(plan, policy) ??
    (isIncomplete && hasMoneyCeiling ? priceUnknown : undefined) ??
    checkUsage(limits, usage, usd);
  return refusal ?? { kind: 'admitted', usd, limits };
}

const priceUnknown: Refusal = {
  kind: 'rejected',
  reason: 'price_unknown',
  message: 'The price of this run is not known, so no ceiling in dollars can be kept.',
  fix: 'Choose a machine with a known price, or have its price configured.',
};
