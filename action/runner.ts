/**
 * What the Action asks of the runner that it runs on. `githubRunner` is the real one; tests run the whole
 * Action in a child process and read what the runner would.
 */
import { randomUUID } from 'node:crypto';
import * as core from '@actions/core';
import type { Clock } from '../shared/ports.ts';
import { maskLines, maskTokens } from '../shared/report/mask-tokens.ts';
import { oneLine } from './one-line.ts';

export interface Runner {
  /** One line of ours, which may quote other people's words: nothing in it is a workflow command. */
  info(line: string): void;
  /** As it is: workflow commands in it work, unless they have been stopped. */
  print(line: string): void;
  /** Shown only when a workflow run is debugged. */
  debug(line: string): void;
  warning(line: string): void;
  /** An annotation on the run, or on a place of a file; does not end it. */
  error(line: string, place?: Place): void;
  /** The runner shows it as `***` from now on. */
  mask(value: string): void;
  setOutput(name: string, value: string): void;
  /** Kept for the post step; the newest value wins. */
  saveState(name: string, value: string): void;
  getState(name: string): string;
  /** Appends Markdown to the job's summary page. */
  addSummary(markdown: string): Promise<void>;
}

/** A place in a file of the repository, counted from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands (1 MiB a step) */
const maxSummaryBytes = 1024 * 1024 - 1_024;

export const githubRunner: Runner = {
  info: (line) => core.info(maskTokens(inert(line))),
  print: (line) => core.info(oneLine(line)),
  debug: (line) => core.debug(maskTokens(line)),
  warning: (line) => core.warning(paragraph(line)),
  error: (line, place) =>
    place === undefined
      ? core.error(paragraph(line))
      : core.error(paragraph(line), {
          file: place.file,
          startLine: place.line,
          startColumn: place.column,
        }),
  mask: core.setSecret,
  setOutput: core.setOutput,
  saveState: core.saveState,
  getState: core.getState,
  addSummary: async (markdown) => {
    // Run by hand there is no summary page.
    if (!process.env['GITHUB_STEP_SUMMARY']) return;
    const bytes = Buffer.from(markdown);
    const text =
      bytes.length <= maxSummaryBytes ? markdown : bytes.toString('utf8', 0, maxSummaryBytes);
    try {
      await core.summary.addRaw(text, true).write();
    } catch (error) {
      // A full disk must not make a failure of a model that is trained.
      core.warning(`The job summary could not be written: ${String(error)}`);
    }
  },
};

/**
 * The line without anything that the runner acts on: it looks for `::command::` at a line's beginning and
 * for the older `##[command]` anywhere in it.
 * @see https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
 * @internal
 */
export function inert(line: string): string {
  return oneLine(line)
    .replaceAll('##[', '##\u200b[')
    .replace(/^(\s*):(?=:)/, '$1:\u200b');
}

/**
 * A text of several lines, which may quote what a service answered: `core` escapes the ends that it knows.
 * @internal
 */
export function paragraph(text: string): string {
  return maskLines(text.split(/\r?\n/).map(oneLine)).join('\n');
}

/** A bracket on a line of its own is no secret, and masked would make the whole log unreadable. */
const leastMasked = 4;

/** What of a secret the runner is to hide: each line by itself, because its log is lines, and however it is indented. */
export function linesToMask(secret: string): readonly string[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  const filled = [...new Set(lines.filter((line) => line !== ''))];
  return filled.length === 1 ? filled : filled.filter(({ length }) => length >= leastMasked);
}

/** Prints logs of untrusted programs so that no line of theirs is taken for a workflow command. */
export class LogPrinter {
  readonly #runner: Pick<Runner, 'info' | 'print'>;
  readonly #clock: Pick<Clock, 'now'>;
  #open: string | undefined;
  #printedAt: number;

  constructor(runner: Pick<Runner, 'info' | 'print'>, clock: Pick<Clock, 'now'>) {
    this.#runner = runner;
    this.#clock = clock;
    this.#printedAt = clock.now().getTime();
  }

  /** For how long nothing was printed. */
  get silentMs(): number {
    return this.#clock.now().getTime() - this.#printedAt;
  }

  /** Hostile lines, folded under a title that they share with the lines before. */
  lines(title: string, lines: readonly string[]): void {
    if (this.#open !== title) {
      this.close();
      this.#runner.print(`::group::${title}`);
      this.#open = title;
    }
    if (lines.every((line) => inert(line) === oneLine(line))) this.#print(lines);
    else {
      // Only for as long as these take: a token that is renewed meanwhile is masked by a command as well, and a
      // runner that has stopped would show it.
      // @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#stopping-and-starting-workflow-commands
      const token = randomUUID();
      this.#print([`::stop-commands::${token}`, ...lines, `::${token}::`]);
    }
    this.#printedAt = this.#clock.now().getTime();
  }

  /** One line of our own. */
  event(line: string): void {
    this.close();
    this.#runner.info(line);
    this.#printedAt = this.#clock.now().getTime();
  }

  close(): void {
    if (this.#open === undefined) return;
    this.#runner.print('::endgroup::');
    this.#open = undefined;
  }

  #print(lines: readonly string[]): void {
    for (const line of lines) this.#runner.print(line);
  }
}
