/**
 * Failures that may pass: the run bears them in silence, the person who watches the step should not have
 * to guess. Errors in, one warning for each new sentence out.
 */
import type { CloudError } from '../shared/errors.ts';
import type { Clock } from '../shared/ports.ts';
import type { Runner } from './runner.ts';

/** While nothing has been started there is nothing to lose by giving up. */
const patienceMs = 60_000;
/** Trouble that was silent for so long is over. */
const overAfterMs = 30_000;

export class Trouble {
  readonly #runner: Pick<Runner, 'warning'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #said = new Set<string>();
  #current:
    { readonly since: number; readonly last: number; readonly error: CloudError } | undefined;

  constructor(runner: Pick<Runner, 'warning'>, clock: Pick<Clock, 'now'>) {
    this.#runner = runner;
    this.#clock = clock;
  }

  note(error: CloudError): void {
    const now = this.#clock.now().getTime();
    const goesOn = this.#current !== undefined && now - this.#current.last < overAfterMs;
    this.#current = { since: goesOn ? (this.#current?.since ?? now) : now, last: now, error };
    const line = `${error.operation}: ${error.message}; trying again`;
    if (this.#said.has(line)) return;
    this.#said.add(line);
    this.#runner.warning(line);
  }

  /** @throws {CloudError} the newest failure, when they have not stopped for a minute. */
  giveUpIfLasting(): void {
    if (this.#current === undefined) return;
    if (this.#clock.now().getTime() - this.#current.last >= overAfterMs) return;
    if (this.#current.last - this.#current.since >= patienceMs) throw this.#current.error;
  }
}
