/** What of a container's output is kept: lines of both its streams in, the same out until there are too many. */
import type { Limits } from './limits.ts';

type Take = (line: string, stream: 'stdout' | 'stderr') => void;

export class OutputLimit {
  readonly #limits: Pick<Limits, 'logLines' | 'logBytes'>;
  readonly #take: Take;
  #lines = 0;
  #bytes = 0;
  #isFull = false;

  constructor(limits: Pick<Limits, 'logLines' | 'logBytes'>, take: Take) {
    this.#limits = limits;
    this.#take = take;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  take(line: string, stream: 'stdout' | 'stderr'): void {
    if (this.#isFull) return;
    const { logLines, logBytes } = this.#limits;
    this.#lines += 1;
    // Its end counts too: a program may print nothing but those.
    this.#bytes += Buffer.byteLength(line) + 1;
    this.#isFull = this.#lines > logLines || this.#bytes > logBytes;
    if (!this.#isFull) return this.#take(line, stream);
    this.#take(
      `The sandbox keeps no more of this output: it is longer than ${logLines} lines or ${logBytes} bytes.`,
      'stderr',
    );
  }
}
