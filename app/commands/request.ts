/**
 * One command as it was given, whichever door it came through (a comment's line, a check's button, a push), and
 * what is needed to see to it. Each door makes a request; `perform` takes it from there.
 */
import type { Kysely } from 'kysely';
import type { RetryCommand } from '../../shared/command/command.ts';
import type { ServerConfig } from '../../shared/config/server-config.ts';
import type { Octokit, RepositoryName } from '../../shared/github/client.ts';
import type { Reaction } from '../../shared/github/comments.ts';
import type { Permission, Refusal } from '../../shared/policy/decision.ts';
import type { Run } from '../../shared/watch/run.ts';
import type { Launchers } from '../launchers.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { CommandKey } from '../store/commands.ts';
import type { Admission } from '../store/runs.ts';
import type { Tables } from '../store/tables.ts';
import type { KeptTriggers } from '../triggers/keep-triggers.ts';

/** What somebody asks for, wherever that is. */
export interface Request {
  readonly key: CommandKey;
  /** A bot only where the operator names it. */
  readonly actor: { readonly id: number; readonly login: string; readonly isBot?: boolean };
  /** Asked for just now. */
  readonly permission: Permission;
  readonly repository: RepositoryName & { readonly id: number };
  /** Undefined for what a push to the default branch stands for. */
  readonly pullNumber: number | undefined;
  readonly installationId: number;
  /** How often its delivery was handled, this time included. */
  readonly attempt: number;
  /** The commit of the run that is done again; undefined for a command about the newest. */
  readonly retries?: {
    readonly headSha: string;
    readonly command: RetryCommand & { readonly runId: string };
    /** Which run that is, where nobody named one and another is newer. */
    readonly note?: string;
  };
  /** As it was typed; undefined for what was clicked. */
  readonly text: string | undefined;
  /** A courtesy where the command was given: does not throw. */
  readonly react: (content: Reaction) => Promise<void>;
}

/** A command of a pull request. */
export interface CommandRequest extends Request {
  readonly pullNumber: number;
  /** When it was given, by GitHub's clock. */
  readonly askedAt: Date;
  readonly receivedAt: Date;
}

export interface CommandContext {
  readonly db: Kysely<Tables>;
  readonly octokit: Octokit;
  readonly appId: number;
  /** `https://github.com` */
  readonly githubUrl: string;
  readonly config: ServerConfig;
  readonly launchers: Launchers;
  readonly sandbox: boolean;
  readonly now: () => Date;
  readonly wakeRun: (runId: string) => Promise<void>;
  /** Brings a repository's Cloud Build triggers to what its default branch declares, now. */
  readonly keepTriggers: (repositoryId: number) => Promise<KeptTriggers>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface Answer {
  /** For the record. */
  readonly verdict: 'refused' | 'answered' | 'failed' | 'ignored';
  readonly reason: string | null;
  /** Markdown; undefined says nothing. */
  readonly body: string | undefined;
  /** Where it is one: what a title can be made of. */
  readonly refusal?: Refusal;
}

/** Says an answer where it was asked for; `fresh`: nobody can have said it yet. */
export type Tell = (answer: Answer & { readonly body: string }, fresh: boolean) => Promise<void>;

/** A run that is to begin; its card is the answer. */
export interface NewRunOutcome {
  readonly verdict: 'run';
  readonly run: Run;
  /** What it may cost at most, and below which ceilings it has to fit. */
  readonly admission: Admission;
}

/** What is to be done about one command, found out before anything is. */
export type Outcome = Answer | NewRunOutcome;
