/** Time as a port: what the sandbox waits for, tests can make pass at once. */

export interface SandboxClock {
  now(): Date;
  /** Resolves after the time, or at once when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: SandboxClock = {
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted === true) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      // Node's timers hold at most 2^31-1 ms: a longer wait is as good as for ever here.
      const timer = setTimeout(done, Math.min(ms, 2 ** 31 - 1));
      timer.unref();
      signal?.addEventListener('abort', done);
    }),
};
