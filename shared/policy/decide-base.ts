/** Whether a push to the default branch is trained: facts asked for just now in, a Decision out. Pure. */
import { refuseActor, refuseRepository } from './decide.ts';
import type { CommandFacts, Decision } from './decision.ts';
import { checkUsage } from './usage.ts';

/** The commit is the default branch's newest, which is why there are none of a pull request. */
export type BaseFacts = Omit<CommandFacts, 'pull' | 'ageSeconds'>;

export function decideBase(facts: BaseFacts): Decision {
  const refusal =
    refuseActor(facts) ??
    refuseRepository(facts.repository) ??
    checkUsage(facts.policy, facts.usage, 0);
  return refusal ?? { kind: 'allowed', tier: 'base' };
}
