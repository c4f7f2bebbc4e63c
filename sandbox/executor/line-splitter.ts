/** Lines out of bytes. In: chunks cut anywhere. Out: whole lines without their end, none longer than the limit. */
import { StringDecoder } from 'node:string_decoder';

/** In UTF-16 units; Cloud Logging cuts entries at 256 KiB, agents much earlier. */
const maxLineLength = 64 * 1024;

export class LineSplitter {
  readonly #take: (line: string) => void;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  write(chunk: Buffer): void {
    this.#add(this.#decoder.write(chunk));
  }

  /** Gives the last line when it has no end of its own. */
  end(): void {
    this.#add(this.#decoder.end());
    if (this.#rest !== '') this.#take(this.#rest);
    this.#rest = '';
  }

  #add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#emit(line.endsWith('\r') ? line.slice(0, -1) : line);
    // A program that never ends its line must not fill our memory.
    while (this.#rest.length > maxLineLength) {
      this.#take(this.#rest.slice(0, maxLineLength));
      this.#rest = this.#rest.slice(maxLineLength);
    }
  }

  #emit(line: string): void {
    for (let at = 0; at === 0 || at < line.length; at += maxLineLength) {
      this.#take(line.slice(at, at + maxLineLength));
    }
  }
}
