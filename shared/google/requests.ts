/**
 * Sending a request: reads are repeated with back-off when the service is busy or the connection breaks,
 * writes are sent exactly once. What is refused for its token (401: nothing was done) is sent once more with a
 * new one. All failures leave as `CloudError`.
 */
import { CloudError } from '../errors.ts';
import { systemClock, type Clock, type LogReader } from '../ports.ts';
import { toCloudError, type Access } from './errors.ts';

/** The options that every gapic call gets: no retry of its own, and never waiting for ever. */
export const callOptions = { retry: null, timeout: 60_000 } as const;

/** The same for lists: their methods warn on stderr unless told that we page ourselves. */
export const pageOptions = { ...callOptions, autoPaginate: false } as const;

const attempts = 4;
const firstDelayMs = 400;
/** A read that is told to wait longer fails, and its caller waits instead. */
const maxDelayMs = 10_000;

interface ReadOptions {
  /** False where each try counts against a quota that others share: its caller comes back later. */
  readonly repeat: boolean;
}

export interface Sender {
  read<T>(operation: string, send: () => Promise<T>, options?: ReadOptions): Promise<T>;
  write<T>(operation: string, send: () => Promise<T>): Promise<T>;
}

/** Draws on what may be read of a project's logs. @throws {CloudError} when that is used up for now */
export type BeforeLogRead = (project: string, reader: LogReader) => void;

interface SenderOptions {
  readonly clock?: Pick<Clock, 'sleep'>;
  /** In [0, 1); spreads the retries of clients that were refused together. */
  readonly random?: () => number;
  /** Makes the next request carry a new token: the one that we have was refused before its time. */
  readonly renewToken?: () => Promise<void>;
  /** Told of each failure that leaves here and may pass, which callers bear in silence. */
  readonly onTrouble?: (error: CloudError) => void;
  /** Told of each request that was sent, and of its status; 0 when no answer came. */
  readonly onCall?: (operation: string, status: number) => void;
}

export function createSender(options: SenderOptions = {}): Sender {
  const { clock = systemClock, random = Math.random } = options;
  const fail = (error: Error): Error => {
    if (error instanceof CloudError && error.retryable) options.onTrouble?.(error);
    return error;
  };
  const withValidToken = async <T>(
    operation: string,
    access: Access,
    sendOnce: () => Promise<T>,
  ): Promise<T> => {
    const send = async (): Promise<T> => {
      try {
        const answer = await sendOnce();
        options.onCall?.(operation, 200);
        return answer;
      } catch (error) {
        options.onCall?.(operation, statusOf(toCloudError(operation, access, error)));
        throw error;
      }
    };
    try {
      return await send();
    } catch (thrown) {
      const error = toCloudError(operation, access, thrown);
      if (options.renewToken === undefined || !isUnauthorized(error)) throw error;
      await options.renewToken();
      return send();
    }
  };
  return {
    write: async (operation, send) => {
      try {
        return await withValidToken(operation, 'write', send);
      } catch (error) {
        throw fail(toCloudError(operation, 'write', error));
      }
    },
    read: async (operation, send, { repeat } = { repeat: true }) => {
      for (let attempt = 1; ; attempt++) {
        try {
          return await withValidToken(operation, 'read', send);
        } catch (thrown) {
          const error = toCloudError(operation, 'read', thrown);
          const delayMs = repeat ? delayBefore(error, attempt, random) : undefined;
          if (delayMs === undefined) throw fail(error);
          await clock.sleep(delayMs);
        }
      }
    },
  };
}

function statusOf(error: Error): number {
  return error instanceof CloudError ? error.status : 0;
}

/** 401 from the service itself; that there are no credentials at all is no token's fault. */
function isUnauthorized(error: Error): boolean {
  return error instanceof CloudError && error.status === 401 && error.operation !== 'credentials';
}

/** Full jitter over a doubling window, or what the service asked for; undefined: give up. */
function delayBefore(error: Error, attempt: number, random: () => number): number | undefined {
  if (!(error instanceof CloudError) || !error.retryable || attempt >= attempts) return undefined;
  if (error.retryAfterSeconds !== undefined) {
    const askedMs = error.retryAfterSeconds * 1_000;
    return askedMs <= maxDelayMs ? askedMs : undefined;
  }
  const window = Math.min(maxDelayMs, firstDelayMs * 2 ** (attempt - 1));
  return window / 2 + random() * (window / 2);
}
