/** A clock that stands still until a test moves it. */
import type { SandboxClock } from '../../../sandbox/google/state/clock.ts';

export class FakeClock implements SandboxClock {
  #nowMs = Date.parse('2026-01-01T00:00:00Z');
  readonly #sleepers = new Set<{ readonly dueMs: number; readonly wake: () => void }>();

  now(): Date {
    return new Date(this.#nowMs);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (ms <= 0 || signal?.aborted === true) return resolve();
      const sleeper = {
        dueMs: this.#nowMs + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', sleeper.wake);
    });
  }

  /** Lets time pass at once, whoever sleeps. */
  pass(ms: number): void {
    this.#nowMs += ms;
    for (const sleeper of this.#sleepers) if (sleeper.dueMs <= this.#nowMs) sleeper.wake();
  }

  /** The same, once somebody sleeps whom it wakes: what is to happen then has been begun. */
  async advance(ms: number): Promise<void> {
    const deadline = performance.now() + 120_000;
    while (![...this.#sleepers].some(({ dueMs }) => dueMs <= this.#nowMs + ms)) {
      if (performance.now() > deadline) throw new Error(`nobody sleeps for ${ms} ms or less`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.pass(ms);
  }
}
