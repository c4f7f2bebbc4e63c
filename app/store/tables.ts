/** The rows of Trainyard's own tables, which are the source of truth; the queue only wakes workers up. */
import type { ColumnType, Generated } from 'kysely';
import type { Published } from '../../shared/github/publish-one.ts';
import type { TriggersCheck } from '../triggers/triggers-check.ts';
import type { WrittenTrigger } from '../../shared/triggers/diff-triggers.ts';
import type { TriggeredBuild } from '../../shared/triggers/report-build.ts';
import type { CancelRequest, Run, Superseded } from '../../shared/watch/run.ts';

/** Written as JSON text (see jsonb.ts), read as the value. */
type Json<T> = ColumnType<T, string, string>;

/** Webhook deliveries exactly as they arrived; a redelivery has the same id. */
interface DeliveryTable {
  id: string;
  event: string;
  /** The raw body: bytes, because NUL characters have no place in jsonb. */
  body: Uint8Array;
  received_at: Date;
  processed_at: Date | null;
  attempts: Generated<number>;
  /** Nobody but the one who claimed it may process it before then. */
  next_attempt_at: Date;
  error: string | null;
}

/** Our own receipts of where a pull request's head was, and since when. */
interface HeadTable {
  delivery_id: string;
  repository_id: number;
  pull_number: number;
  sha: string;
  /** GitHub's clock, whole seconds. */
  happened_at: Date;
  received_at: Date;
  /** Whose push, or opening, the receipt is of; null on receipts of before this was kept. */
  pusher_id: number | null;
  pushed_by_bot: boolean | null;
}

/** One row per command that was ever seen: the unique key that makes a command happen once. */
interface CommandTable {
  repository_id: number;
  /** Where the command was given: `comment/ID/LINE`, `click/RUN-OR-SHA/BUTTON/DIGEST`, or `push/SHA`. */
  origin: string;
  actor_id: number;
  pull_number: number | null;
  created_at: Date;
  /** Null until it is decided. */
  verdict: string | null;
  reason: string | null;
  answered_at: Date | null;
}

/** What somebody without authority was shown: one row per comment of theirs that was answered or reacted to. */
interface StrangerSignTable {
  repository_id: number;
  comment_id: number;
  pull_number: number;
  actor_id: number;
  /** One answer in a pull request, by a unique index. */
  kind: 'answer' | 'reaction';
  given_at: Date;
}

/** One row per run: what it holds of its repository's ceilings. */
interface BudgetTable {
  run_id: string;
  repository_id: number;
  pull_number: number | null;
  actor_id: number;
  /** The month in which it was asked for, such as `2026-11`; once it has ended, that in which it did. */
  month: string;
  /** The most that it may cost. */
  reserved_usd: number;
  /** What it has cost, once it has ended. */
  settled_usd: number | null;
  reserved_at: Date;
  settled_at: Date | null;
}

/** Commits of forks that may run. */
interface ApprovalTable {
  repository_id: number;
  pull_number: number;
  sha: string;
  approver_id: number;
  approved_at: Date;
}

interface RunTable {
  id: string;
  repository_id: number;
  /** As of its command; `restored/RUN` where that is not known. */
  origin: string;
  installation_id: number;
  state: Json<Run>;
  /** Counts the writes; a write that expected another version is refused. */
  version: Generated<number>;
  publication: Json<Publication>;
  /** Set once; the run itself is written by its holder only. */
  cancel_requested: Json<CancelRequest> | null;
  /** Set once, by a push. */
  superseded: Json<Superseded> | null;
  lease_holder: string | null;
  lease_until: Date | null;
  next_wake_at: Date;
  /** Errors in a row while it was reconciled. */
  failures: Generated<number>;
  /** True once the run is over and its end is published: nobody looks at it again. */
  closed: Generated<boolean>;
}

/** What GitHub shows of a run, as far as we know. */
export interface Publication {
  readonly comment: Published;
  readonly check: Published;
  /** The comment that asked for the run has got its rocket. */
  readonly launched?: true;
  /** Of a run that counts for its commit's summary check. */
  readonly summary?: Published;
}

/** Append-only audit trail: who asked for what, what was decided, what came of it. */
interface EventTable {
  id: Generated<number>;
  at: Date;
  kind: string;
  repository_id: number | null;
  run_id: string | null;
  actor_id: number | null;
  detail: Json<Readonly<Record<string, unknown>>>;
}

/** Repositories whose Cloud Build triggers are kept as declared. */
interface TriggerRepositoryTable {
  repository_id: number;
  installation_id: number;
  owner: string;
  repo: string;
  /** When something last may have changed. */
  asked_at: Date;
  next_look_at: Date;
  lease_holder: string | null;
  lease_until: Date | null;
  failures: Generated<number>;
  shown: Json<ShownCheck> | null;
}

/** A check run that shows how a repository's triggers are. */
export interface ShownCheck {
  readonly headSha: string;
  readonly published: Published;
  /** What GitHub has not taken yet. */
  readonly pending?: TriggersCheck;
}

/** Triggers of ours: those whose builds are reported. */
interface TriggerTable {
  project: string;
  region: string;
  trigger_id: string;
  repository_id: number;
  name: string;
  /** As we last wrote it; null when we never had to. */
  written: Json<WrittenTrigger> | null;
}

/** Asked for by a command, so that a repeated attempt starts no second build. */
interface TriggerRunTable {
  repository_id: number;
  origin: string;
  requested_at: Date;
  build_id: string | null;
}

/** How far a place's builds have been looked through. */
interface BuildLookTable {
  project: string;
  region: string;
  seen_until: Date | null;
  lease_holder: string | null;
  lease_until: Date | null;
}

interface TriggeredBuildTable {
  project: string;
  region: string;
  build_id: string;
  repository_id: number;
  /** Of its trigger. */
  name: string;
  build: Json<TriggeredBuild>;
  log_tail: Json<readonly string[]>;
  published: Json<Published>;
  /** True once its end is shown. */
  closed: Generated<boolean>;
}

/** One row per job or build that costs a repository and is no run's. */
interface OutsideSpendTable {
  /** Its resource name. */
  resource: string;
  repository_id: number;
  kind: 'trigger_build' | 'workflow_job';
  /** The month in which it was last seen, such as `2026-11`; once it has ended, that in which it did. */
  month: string;
  /** Until it was last seen, or in all. */
  usd: number;
  /** Whether runs are refused because of it. */
  binds: boolean;
  begun_at: Date;
  settled_at: Date | null;
}

/** How far a place's jobs of workflows have been looked through. */
interface SpendLookTable {
  project: string;
  region: string;
  seen_until: Date;
  oldest_open: Date | null;
}

export interface Tables {
  outside_spend: OutsideSpendTable;
  spend_looks: SpendLookTable;
  trigger_repositories: TriggerRepositoryTable;
  triggers: TriggerTable;
  trigger_runs: TriggerRunTable;
  build_looks: BuildLookTable;
  triggered_builds: TriggeredBuildTable;
  deliveries: DeliveryTable;
  heads: HeadTable;
  commands: CommandTable;
  stranger_signs: StrangerSignTable;
  budget: BudgetTable;
  approvals: ApprovalTable;
  runs: RunTable;
  events: EventTable;
}
