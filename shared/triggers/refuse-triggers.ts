/**
 * What a declaration may not have, although it is well written: the operator's limits and what the repository
 * is. Declarations and facts in, one sentence for each breach out.
 */
import { quoteToken } from '../command/quote-token.ts';
import type { DeclaredTrigger, TriggerDeclarations } from './declaration.ts';

interface TriggerLimits {
  /** E-mail addresses, from the operator alone; the first is what triggers without an account get. */
  readonly serviceAccounts: readonly string[];
  readonly regions: readonly string[];
  /** True when anybody may open a pull request. */
  readonly isPublic: boolean;
}

export function refuseTriggers(
  { triggers }: TriggerDeclarations,
  limits: TriggerLimits,
): readonly string[] {
  return triggers.flatMap((trigger) =>
    refuseTrigger(trigger, limits).map((why) => `Trigger ${quoteToken(trigger.name)}: ${why}`),
  );
}

function refuseTrigger(trigger: DeclaredTrigger, limits: TriggerLimits): string[] {
  const { serviceAccount, region, event, template } = trigger;
  const problems: string[] = [];
  if (serviceAccount !== undefined && !limits.serviceAccounts.includes(serviceAccount)) {
    problems.push(
      `the account ${quoteToken(serviceAccount)} is not one that the operator has for triggers. ${choices(limits.serviceAccounts, 'Leave `service_account` out.')}`,
    );
  }
  if (region !== undefined && !limits.regions.includes(region)) {
    problems.push(
      `the region ${quoteToken(region)} is not one that the operator allows. ${choices(limits.regions, '')}`,
    );
  }
  if (
    limits.isPublic &&
    event.kind === 'pull_request' &&
    event.commentControl === 'COMMENTS_DISABLED'
  ) {
    problems.push(
      'anybody can open a pull request here, and would have it built. Use `comment_control: COMMENTS_ENABLED`, so that somebody of yours has to ask for it.',
    );
  }
  const account = serviceAccount ?? limits.serviceAccounts[0];
  if (account !== undefined && template.kind === 'dockerfile' && !template.push) {
    problems.push(
      'Cloud Build refuses builds with an account of their own that do not say where their log goes. Add `image` and `push: true`.',
    );
  }
  return problems;
}

function choices(allowed: readonly string[], otherwise: string): string {
  return allowed.length === 0
    ? otherwise
    : `Use ${allowed.slice(0, 10).map(quoteToken).join(' or ')}.`;
}
