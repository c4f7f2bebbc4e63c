/**
 * What the Action asks of the runner that it runs on. `githubRunner` is the real one; tests run the whole
 * Action in a child process and read what the runner would.
 */
import { randomUUID } from 'node:crypto';
import * as core from '@actions/core';

export interface Runner {
  info(line: string): void;
  warning(line: string): void;
  /** An annotation on the run; does not end it. */
  error(line: string): void;
  setOutput(name: string, value: string): void;
  /** Kept for the post step; the newest value wins. */
  saveState(name: string, value: string): void;
  getState(name: string): string;
  /** Appends Markdown to the job's summary page. */
  addSummary(markdown: string): Promise<void>;
}

/** @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands (1 MiB a step) */
const maxSummaryBytes = 1024 * 1024 - 1_024;

export const githubRunner: Runner = {
  info: core.info,
  warning: (line) => core.warning(line),
  error: (line) => core.error(line),
  setOutput: core.setOutput,
  saveState: core.saveState,
  getState: core.getState,
  addSummary: async (markdown) => {
    // Run by hand there is no summary page.
    if (!process.env['GITHUB_STEP_SUMMARY']) return;
    const bytes = Buffer.from(markdown);
    const text =
      bytes.length <= maxSummaryBytes ? markdown : bytes.toString('utf8', 0, maxSummaryBytes);
    await core.summary.addRaw(text, true).write();
  },
};

/** Prints logs of untrusted programs so that no line of theirs is taken for a workflow command. */
export class LogPrinter {
  readonly #runner: Runner;
  #open: { readonly title: string; readonly token: string } | undefined;

  constructor(runner: Runner) {
    this.#runner = runner;
  }

  /** Hostile lines, folded under a title that they share with the lines before. */
  lines(title: string, lines: readonly string[]): void {
    if (this.#open?.title !== title) {
      this.close();
      const token = randomUUID();
      this.#runner.info(`::group::${title}`);
      // @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#stopping-and-starting-workflow-commands
      this.#runner.info(`::stop-commands::${token}`);
      this.#open = { title, token };
    }
    // A lone carriage return would let one line pose as two.
    for (const line of lines) this.#runner.info(line.replace(/[\r\n\0]+/g, ' '));
  }

  /** One line of our own. */
  event(line: string): void {
    this.close();
    this.#runner.info(line);
  }

  close(): void {
    if (this.#open === undefined) return;
    this.#runner.info(`::${this.#open.token}::`);
    this.#runner.info('::endgroup::');
    this.#open = undefined;
  }
}
