/**
 * What the demo says while it works: a line with the time for each thing that happens. On a terminal the last line
 * moves with its progress; elsewhere the newest progress is printed when nothing else was for a while.
 */
import { printable } from './terminal-text.ts';

/** Where it is written to; `process.stdout` is one. */
interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Nothing is silent for longer than this while somebody waits. */
const silenceMs = 8_000;
/** To the first column, and clear from there to the end of the line. */
const clearLine = '\r\u001b[K';

export class Timeline {
  private readonly output: Output;
  private readonly startedAt = Date.now();
  private waitingFor: string | undefined;
  private reminder: NodeJS.Timeout | undefined;

  constructor(output: Output) {
    this.output = output;
  }

  /** Says something once; nothing is being waited for. */
  say(text: string): void {
    this.stop();
    this.output.write(`${this.line(text)}\n`);
  }

  /** Says what is being waited for, and again while it lasts. */
  waitFor(what: string): void {
    this.stop();
    this.waitingFor = what;
    this.output.write(this.output.isTTY === true ? this.movingLine(what) : `${this.line(what)}\n`);
    this.remindLater();
  }

  /** How far what is being waited for has come. */
  progress(how: string): void {
    if (this.waitingFor === undefined || how === this.waitingFor) return;
    this.waitingFor = how;
    if (this.output.isTTY === true) this.output.write(`${clearLine}${this.movingLine(how)}`);
  }

  /** Ends the line that moves. What is written to the output by others comes after it. */
  stop(): void {
    clearTimeout(this.reminder);
    if (this.waitingFor !== undefined && this.output.isTTY === true) this.output.write('\n');
    this.waitingFor = undefined;
  }

  private remindLater(): void {
    this.reminder = setTimeout(() => {
      const text = `still: ${this.waitingFor ?? ''}`;
      // The time in a line that moves is news as well.
      if (this.output.isTTY === true) this.output.write(`${clearLine}${this.movingLine(text)}`);
      else this.output.write(`${this.line(text)}\n`);
      this.remindLater();
    }, silenceMs).unref();
  }

  /** A line that is wrapped cannot be cleared. */
  private movingLine(text: string): string {
    const { columns = 0 } = this.output;
    // Some terminals do not know how wide they are, and say 0.
    return this.line(text).slice(0, (columns > 0 ? columns : 80) - 1);
  }

  private line(text: string): string {
    const seconds = ((Date.now() - this.startedAt) / 1_000).toFixed(1);
    return `${seconds.padStart(6)}s  ${printable(text)}`;
  }
}
