/**
 * The `x-ratelimit-*` headers of every answer. They are counted as GitHub counts, but never reach zero: the
 * sandbox's page asks more often than GitHub's would.
 * @see https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
 */
import type { Caller } from './authenticate.ts';

const perHour: Readonly<Record<Caller['kind'], number>> = {
  anonymous: 60,
  person: 5_000,
  app: 5_000,
  installation: 5_000,
};
const hourMs = 3_600_000;

export class RateLimits {
  private readonly windows = new Map<string, { used: number; resetMs: number }>();

  /** Counts a request of that caller. `key` tells callers of one kind apart. */
  headersFor(caller: Caller, key: string | undefined): Record<string, string> {
    const now = Date.now();
    for (const [name, { resetMs }] of this.windows) {
      if (resetMs <= now) this.windows.delete(name);
    }
    const name = caller.kind === 'app' ? 'app' : (key ?? 'anonymous');
    const window = this.windows.get(name) ?? { used: 0, resetMs: now + hourMs };
    window.used++;
    this.windows.set(name, window);
    const limit = perHour[caller.kind];
    return {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(Math.max(1, limit - window.used)),
      'x-ratelimit-reset': String(Math.ceil(window.resetMs / 1_000)),
      'x-ratelimit-resource': 'core',
      'x-ratelimit-used': String(window.used),
    };
  }
}
