/** The App's log: one JSON object per line on standard output. Tokens, headers and whole payloads never go in. */
import { randomBytes } from 'node:crypto';
import { pino, type Logger } from 'pino';
import { CloudError, UserError } from '../shared/errors.ts';
import type { LogLevel } from './settings.ts';

export type { Logger };

export function createLog(level: LogLevel | 'silent', destination?: NodeJS.WritableStream): Logger {
  const options = {
    level,
    base: null,
    redact: {
      paths: [
        '*.authorization',
        '*.token',
        '*.privateKey',
        '*.webhookSecret',
        'headers',
        '*.headers',
      ],
      censor: '[redacted]',
    },
    serializers: { err: describeError },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/**
 * Eight characters that stand for a bug: the log has the error under them, the public sees only them.
 * Crockford's alphabet, so that nobody misreads one.
 */
export function newReference(): string {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  return [...randomBytes(8)].map((byte) => alphabet[byte % 32]).join('');
}

/** The queue reports some errors as plain objects. */
function messageOf(thrown: unknown): string {
  const isLikeError = typeof thrown === 'object' && thrown !== null && 'message' in thrown;
  return String(isLikeError ? thrown.message : thrown);
}

/** What the log keeps of an error. An Octokit error carries request headers, so only known fields pass. */
function describeError(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { message: messageOf(error) };
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(error instanceof CloudError
      ? { operation: error.operation, status: error.status, ambiguous: error.ambiguous }
      : {}),
    ...(error instanceof UserError ? { reason: error.reason } : {}),
    ...(error instanceof AggregateError ? { errors: error.errors.map(describeError) } : {}),
    ...(error.cause instanceof Error ? { cause: error.cause.message } : {}),
  };
}
