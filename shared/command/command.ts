/**
 * What a comment can ask for: the values that `parseCommands` makes of a comment's Markdown.
 * Adding a command means a member here, a case wherever the compiler then asks for one, and a row in
 * `command-registry.ts`, without which nobody can give it.
 */

/** `gpu=T4`, `gpu=T4:2`, `gpu=none`, as typed and not yet held against the catalogue. */
export type GpuRequest =
  | { readonly kind: 'none' }
  | { readonly kind: 'gpu'; readonly name: string; readonly count: number };

/** Whether an image of just this content that was built before will do; `never` builds none. */
export const buildModes = ['auto', 'always', 'never'] as const;
export type BuildMode = (typeof buildModes)[number];

export interface TrainCommand {
  readonly kind: 'train';
  readonly gpu?: GpuRequest;
  readonly machineType?: string;
  readonly region?: string;
  readonly timeoutSeconds?: number;
  /** Path of the job config in the repository, relative to its root. */
  readonly config?: string;
  /** How many machines train together. */
  readonly replicas?: number;
  /** A set of keys that the default branch's `.github/trainyard.yml` names; typed keys beat its. */
  readonly profile?: string;
  /** Machines that may be taken away, for less; undefined leaves it to the job config. */
  readonly spot?: boolean;
  /** `sha256:…` or `name@sha256:…`, which a build of this repository has made. */
  readonly image?: string;
  readonly build?: BuildMode;
  /** The most that the run may cost. */
  readonly maxUsd?: number;
  /** What Vertex AI shows the job as; fit for a label. */
  readonly name?: string;
  /** Environment variables of the program; each replaces the job config's of its name. */
  readonly env?: Readonly<Record<string, string>>;
  readonly dryRun: boolean;
  /** What followed `--`, split as a POSIX shell splits words; replaces the container's args. */
  readonly args?: readonly string[];
}

/** An image and nothing more. */
export interface BuildCommand {
  readonly kind: 'build';
  readonly build?: Exclude<BuildMode, 'never'>;
  readonly dryRun: boolean;
}

/** The command of an earlier run again, on its commit, with changes. */
export interface RetryCommand {
  readonly kind: 'retry';
  /** Undefined for the pull request's newest run that has ended. */
  readonly runId?: string;
  /** What is typed beats what the run was asked for with. */
  readonly changes: TrainCommand;
}

export interface LogsCommand {
  readonly kind: 'logs';
  /** Undefined for the pull request's newest run. */
  readonly runId?: string;
  readonly lines?: number;
}

/** The metrics of two runs side by side. */
export interface CompareCommand {
  readonly kind: 'compare';
  /** Undefined for the pull request's newest run that has metrics. */
  readonly runId?: string;
  /** A run's id, or what the default branch's newest run measured; undefined means that, too. */
  readonly other?:
    | { readonly kind: 'run'; readonly runId: string }
    /** `name`: what the default branch is called, if it is. */
    | { readonly kind: 'base'; readonly name?: string };
}

/** What the pull request's runs cost. */
export interface CostCommand {
  readonly kind: 'cost';
}

export interface HelpCommand {
  readonly kind: 'help';
  /** The command that help is wanted for; undefined for the overview. */
  readonly topic?: string;
}

export interface CancelCommand {
  readonly kind: 'cancel';
  /** A run's id, all of the pull request's, or the only one that there is. */
  readonly target:
    { readonly kind: 'run'; readonly runId: string } | { readonly kind: 'all' | 'only' };
}

export interface StatusCommand {
  readonly kind: 'status';
}

/** Lets one commit of a fork's pull request run. */
export interface ApproveCommand {
  readonly kind: 'approve';
  /** 40 hex digits, lower case. */
  readonly sha: string;
}

/** Cloud Build triggers that the default branch declares. */
export interface TriggerCommand {
  readonly kind: 'trigger';
  readonly action: 'list' | 'show' | 'run' | 'apply';
  /** Always there for `show` and `run`. */
  readonly name?: string;
  /** For `run`: `head`, the default branch's name or a full commit, as typed. */
  readonly ref?: string;
  /** For `run`: `_NAME=value`. */
  readonly substitutions: Readonly<Record<string, string>>;
  /** For `apply`. */
  readonly dryRun: boolean;
}

export type Command =
  | TrainCommand
  | BuildCommand
  | RetryCommand
  | CancelCommand
  | StatusCommand
  | LogsCommand
  | CompareCommand
  | CostCommand
  | HelpCommand
  | ApproveCommand
  | TriggerCommand;

/** Why a line that looks like one of our commands is not one. */
export interface CommandProblem {
  readonly reason: 'unknown_command' | 'bad_argument' | 'too_many_commands';
  /** The exact token that is wrong. */
  readonly token: string;
  /** One sentence: what is wrong with it, with the nearest valid word where there is one. */
  readonly message: string;
  /** A line that would work: what was typed, where it can be mended. */
  readonly example: string;
}

/** One line of a comment that is, or nearly is, a command. `line` counts from 1 in the comment's text. */
export type CommandLine =
  | {
      readonly kind: 'command';
      readonly line: number;
      readonly text: string;
      readonly command: Command;
    }
  | {
      readonly kind: 'problem';
      readonly line: number;
      readonly text: string;
      /** The command that it is, or nearly is. */
      readonly of: Command['kind'];
      readonly problem: CommandProblem;
    };
