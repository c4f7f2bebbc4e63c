/** What is being carried out, by name: each can be told to stop, and all are when the sandbox closes. */

interface Work {
  readonly abort: AbortController;
  readonly done: Promise<void>;
}

export class Running {
  readonly #works = new Map<string, Work>();
  #closing = false;

  /** True once the sandbox closes: nothing is written down then. To be asked anew after every wait. */
  isClosing(): boolean {
    return this.#closing;
  }

  /** @param work what must tell its own failure: nobody else hears of it */
  start(name: string, work: (abort: AbortController) => Promise<void>): void {
    const abort = new AbortController();
    const done = work(abort)
      .catch(() => undefined)
      .finally(() => this.#works.delete(name));
    this.#works.set(name, { abort, done });
  }

  /** Resolves when it has ended, and at once when nothing of that name runs. */
  async cancel(name: string): Promise<void> {
    const work = this.#works.get(name);
    work?.abort.abort('cancel');
    await work?.done;
  }

  /** Stops everything, and resolves when all have ended. */
  async close(): Promise<void> {
    this.#closing = true;
    const works = [...this.#works.values()];
    for (const { abort } of works) abort.abort('close');
    await Promise.all(works.map(({ done }) => done));
  }
}
