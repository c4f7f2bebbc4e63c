/** The verdict on a command: data, so that it can be stored, shown and tested. */
import type { RefusalReason } from '../errors.ts';

/** A refusal as people see it: a stable reason, what is wrong, and what to do about it. */
export interface Refusal {
  readonly kind: 'rejected';
  readonly reason: RefusalReason;
  /** One sentence, Markdown-safe: what is wrong. */
  readonly message: string;
  /** One sentence, Markdown-safe: what to type or click next. */
  readonly fix: string;
}

/**
 * Whose code is about to run, from most to least trusted. Accounts, caches and buckets are pooled by tier.
 * Forks are refused until approvals exist, so no `fork` tier is ever handed out yet.
 */
export type TrustTier = 'base' | 'pull' | 'fork';

export type Decision = { readonly kind: 'allowed'; readonly tier: TrustTier } | Refusal;

/** GitHub's collaborator permission, weakest first. `none` stands for everybody who is not one. */
export const permissions = ['none', 'read', 'triage', 'write', 'maintain', 'admin'] as const;
export type Permission = (typeof permissions)[number];

/** What is known about a command when it is decided. All of it is asked for at that time, never remembered. */
export interface CommandFacts {
  readonly actor: { readonly id: number; readonly login: string; readonly isBot: boolean };
  readonly permission: Permission;
  /** Seconds since the comment was written. */
  readonly ageSeconds: number;
  readonly pull: {
    readonly number: number;
    readonly state: 'open' | 'closed';
    /** Null when the head repository was deleted. */
    readonly headRepositoryId: number | null;
    readonly baseRepositoryId: number;
    readonly headSha: string;
    /** Head as it was when the comment was written; undefined when that cannot be known. */
    readonly headShaAtComment: string | undefined;
  };
}
