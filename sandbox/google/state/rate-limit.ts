/** How often something may be asked for in any minute: each request in, a refusal as Google words it out. */
import { ApiError } from '../wire/api-error.ts';
import type { SandboxClock } from './clock.ts';

export interface Rate {
  readonly perMinute: number;
  /** The quota's name, such as `Read requests`. */
  readonly requests: string;
  readonly service: string;
}

/**
 * What it gives is called with each request, and throws once there are too many; whoever is refused does not count.
 * @see https://cloud.google.com/apis/design/errors#error_info (RATE_LIMIT_EXCEEDED)
 */
export function createRateLimit(clock: SandboxClock, rate: Rate): () => void {
  const { perMinute, requests, service } = rate;
  let taken: number[] = [];
  return () => {
    const now = clock.now().getTime();
    taken = taken.filter((at) => now - at < 60_000);
    if (taken.length < perMinute) {
      taken.push(now);
      return;
    }
    throw new ApiError(
      'RESOURCE_EXHAUSTED',
      `Quota exceeded for quota metric '${requests}' and limit '${requests} per minute' of service '${service}'.`,
      [
        {
          '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
          reason: 'RATE_LIMIT_EXCEEDED',
          domain: 'googleapis.com',
          metadata: { service, quota_limit_value: String(perMinute) },
        },
      ],
    );
  };
}
