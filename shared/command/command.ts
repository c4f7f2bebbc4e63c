/**
 * What a comment can ask for: the values that `parseCommands` makes of a comment's Markdown.
 * Adding a command means a member here, a case wherever the compiler then asks for one, and a row in
 * `command-registry.ts`, without which nobody can give it.
 */

/** `gpu=T4`, `gpu=T4:2`, `gpu=none`, as typed and not yet held against the catalogue. */
export type GpuRequest =
  | { readonly kind: 'none' }
  | { readonly kind: 'gpu'; readonly name: string; readonly count: number };

export interface TrainCommand {
  readonly kind: 'train';
  readonly gpu?: GpuRequest;
  readonly machineType?: string;
  readonly region?: string;
  readonly timeoutSeconds?: number;
  /** Path of the job config in the repository, relative to its root. */
  readonly config?: string;
  readonly dryRun: boolean;
  /** What followed `--`, split as a POSIX shell splits words; replaces the container's args. */
  readonly args?: readonly string[];
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
  TrainCommand | CancelCommand | StatusCommand | HelpCommand | ApproveCommand | TriggerCommand;

/** Why a line that looks like one of our commands is not one. */
export interface CommandProblem {
  readonly reason: 'unknown_command' | 'bad_argument';
  /** The exact token that is wrong. */
  readonly token: string;
  /** One sentence: what is wrong with it, with the nearest valid word where there is one. */
  readonly message: string;
  /** A line that would work. */
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
      readonly problem: CommandProblem;
    };
