/** A Refusal, made of its three parts. */
import type { RefusalReason } from '../errors.ts';
import type { Refusal } from '../policy/decision.ts';

export function reject(reason: RefusalReason, message: string, fix: string): Refusal {
  return { kind: 'rejected', reason, message, fix };
}
