/** The verdict on a command: data, so that it can be stored, shown and tested. */
import type { RefusalReason } from '../errors.ts';
import type { Policy } from './policy.ts';
import type { Usage } from './usage.ts';

/** A refusal as people see it: a stable reason, what is wrong, and what to do about it. */
export interface Refusal {
  readonly kind: 'rejected';
  readonly reason: RefusalReason;
  /** One sentence, Markdown-safe: what is wrong. */
  readonly message: string;
  /** One sentence, Markdown-safe: what to type or click next. */
  readonly fix: string;
  /** A whole line that would work, where one is known. */
  readonly example?: string;
}

export function reject(reason: RefusalReason, message: string, fix: string): Refusal {
  return { kind: 'rejected', reason, message, fix };
}

/** Whose code is about to run, from most to least trusted. Accounts, caches and buckets are pooled by tier. */
export type TrustTier = 'base' | 'pull' | 'fork';

export type Decision = { readonly kind: 'allowed'; readonly tier: TrustTier } | Refusal;

/** GitHub's collaborator permission, weakest first. `none` stands for everybody who is not one. */
export const permissions = ['none', 'read', 'triage', 'write', 'maintain', 'admin'] as const;
export type Permission = (typeof permissions)[number];

/** What is known about a command when it is decided. All of it is asked for at that time, never remembered. */
export interface CommandFacts {
  readonly actor: {
    readonly id: number;
    readonly login: string;
    readonly isBot: boolean;
    /** Of the teams that the policy names, those that the person is a member of. */
    readonly teams: readonly string[];
  };
  readonly permission: Permission;
  readonly policy: Policy;
  readonly repository: RepositoryFacts;
  /** Seconds since the comment was written. */
  readonly ageSeconds: number;
  readonly pull: PullFacts;
  readonly usage: Usage;
}

export interface RepositoryFacts {
  /** From the delivery. */
  readonly id: number;
  /** What its name leads to now. */
  readonly idByName: number;
  readonly isArchived: boolean;
  /** Undefined when GitHub does not say. */
  readonly ownerId: number | undefined;
  /** Of the operator's file; undefined: whoever owns it. */
  readonly requiredOwnerId: number | undefined;
}

export interface PullFacts {
  readonly number: number;
  readonly state: 'open' | 'closed';
  readonly author: Account;
  /** Null when the head repository was deleted. */
  readonly headRepositoryId: number | null;
  /** Who owns the fork; undefined when there is none, any more. */
  readonly forkOwnerId: number | undefined;
  readonly headSha: string;
  /** Head as it was when the comment was written; undefined when that cannot be known. */
  readonly headShaAtComment: string | undefined;
  /** Who pushed that commit, by our own receipts; undefined when we have none. */
  readonly pusher: Account | undefined;
  /** Whether that very commit was approved for this pull request. */
  readonly isApproved: boolean;
  /** Whether the operator has accounts and a registry for code of forks alone. */
  readonly hasForkPlaces: boolean;
}

interface Account {
  readonly id: number;
  readonly isBot: boolean;
}
