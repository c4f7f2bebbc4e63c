/**
 * The errors of Trainyard, and the closed sets of reasons that people and steps can rely on.
 *
 * A refusal is not an error: it is a `Decision` (see policy/decision.ts). What is thrown is either a
 * `UserError` (somebody can fix it; its text may be shown to them) or a `CloudError` (a service
 * answered badly). Everything else is a bug, of which the public sees a reference id only.
 */

/** Why a run did not start. Stable: workflows and dashboards match on these words. */
export const refusalReasons = [
  'unknown_command',
  'bad_argument',
  'no_permission',
  'repository_not_allowed',
  'pull_closed',
  'fork_not_approved',
  'head_moved',
  'stale_command',
  'no_config',
  'bad_config',
  'no_dockerfile',
  'field_not_allowed',
  'unknown_gpu',
  'unknown_machine',
  'machine_gpu_mismatch',
  'gpu_count_invalid',
  'region_not_allowed',
  'machine_not_allowed',
  'timeout_too_long',
  'over_ceiling',
  'over_budget',
  'too_many_runs',
  'price_unknown',
  'too_many_commands',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** Why a run that started did not succeed. Stable, as above. @internal */
export const endReasons = [
  'user_code_exit',
  'out_of_memory',
  'cuda_out_of_memory',
  'build_failed',
  'build_timeout',
  'image_pull_denied',
  'image_not_found',
  'quota',
  'stockout',
  'preempted',
  'timeout',
  'start_timeout',
  'permission_denied',
  'iam_propagating',
  'service_agent_missing',
  'api_disabled',
  'billing_disabled',
  'org_policy',
  'bucket_region',
  'build_region_restricted',
  'bad_config',
  'no_longer_allowed',
  'cancelled',
  'internal',
] as const;
export type EndReason = (typeof endReasons)[number];

/** A mistake that somebody can mend: `message` says what is wrong, `fix` what to type or click next. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly reason: RefusalReason | EndReason;
  readonly fix: string;

  constructor(
    reason: RefusalReason | EndReason,
    message: string,
    fix: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.reason = reason;
    this.fix = fix;
  }
}

/** How the outside world failed, in the terms that the retry and recovery rules need. */
interface CloudFailure {
  /** HTTP status, or 0 when no answer came (reset, timeout, DNS). */
  readonly status: number;
  /** True when the same *read* may be tried again. A create is never repeated blindly. */
  readonly retryable: boolean;
  /** True when nobody can know whether the request took effect: look it up before trying again. */
  readonly ambiguous: boolean;
  readonly retryAfterSeconds?: number;
  /** True when requests came too fast: nothing was done, and the same one may be taken in a moment. */
  readonly rateLimited?: boolean;
  readonly cause?: unknown;
}

/** A request to Google Cloud or GitHub that was refused or not answered. `message` is the service's own text. */
export class CloudError extends Error {
  override readonly name = 'CloudError';
  /** Such as `customJobs.create`; never contains a URL, header or token. */
  readonly operation: string;
  readonly status: number;
  readonly retryable: boolean;
  readonly ambiguous: boolean;
  readonly retryAfterSeconds: number | undefined;
  readonly rateLimited: boolean;

  constructor(operation: string, message: string, failure: CloudFailure) {
    super(message, { cause: failure.cause });
    this.operation = operation;
    this.status = failure.status;
    this.retryable = failure.retryable;
    this.ambiguous = failure.ambiguous;
    this.retryAfterSeconds = failure.retryAfterSeconds;
    this.rateLimited = failure.rateLimited === true;
  }
}

/** A value or the problems that kept us from having it; for parsers whose failures are shown to people. */
export type Result<T, P> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly P[] };

/** Makes the compiler prove that a switch is exhaustive, and fails loudly if the wire disagrees. */
export function assertNever(value: never, what: string): never {
  throw new Error(`unexpected ${what}: ${JSON.stringify(value)}`);
}
