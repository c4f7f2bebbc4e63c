/**
 * Whatever a Google client library throws in, a `CloudError` out. The libraries disagree: gax puts gRPC
 * codes into `code` and the HTTP status elsewhere, Storage puts the HTTP status into `code`, a reset
 * connection has a text such as ECONNRESET there, and some wrap the one in the other.
 */
import { CloudError, UserError } from '../errors.ts';
import { errorDetailsOf, errorInJson, isRateLimit, isRecord } from './error-details.ts';

/** What is known of the request when it fails: only a write can leave us in doubt about its effect. */
export type Access = 'read' | 'write';

/** Worth trying again, if it was a read. */
const retryableStatuses: ReadonlySet<number> = new Set([0, 408, 429, 500, 502, 503, 504]);

/** Nobody is told to wait for longer. */
const maxRetryAfterSeconds = 3_600;

/** No connection was made, so nothing was asked of the service. */
const neverSentCodes: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

/** @see https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto (its HTTP mapping) */
const httpStatusOfRpcCode: Readonly<Record<number, number>> = {
  1: 499,
  2: 500,
  3: 400,
  4: 504,
  5: 404,
  6: 409,
  7: 403,
  8: 429,
  9: 400,
  10: 409,
  11: 400,
  12: 501,
  13: 500,
  14: 503,
  15: 500,
  16: 401,
};

/** The fields that the libraries' errors have between them, none of which can be relied on. */
interface LibraryError {
  readonly code?: unknown;
  readonly status?: unknown;
  readonly httpStatusCode?: unknown;
  readonly response?: unknown;
  readonly headers?: unknown;
  readonly errors?: unknown;
  readonly cause?: unknown;
}

/** `operation` is the API's own name for the request, such as `customJobs.create`. */
export function toCloudError(operation: string, access: Access, thrown: unknown): Error {
  if (thrown instanceof CloudError || thrown instanceof UserError) return thrown;
  const error = toError(operation, thrown);
  const network = networkCodeOf(error);
  const status = network === undefined ? httpStatusOf(error) : 0;
  // Neither an answer nor a broken connection: our own mistake, which no retry mends.
  if (status === undefined) return error;
  const neverSent = network !== undefined && neverSentCodes.has(network);
  const unanswered = status === 0 || status === 408 || status >= 500;
  const details = errorDetailsOf(error);
  const retrySeconds = retryAfterOf(error) ?? details.retrySeconds;
  const retryAfterSeconds = retrySeconds && Math.min(retrySeconds, maxRetryAfterSeconds);
  const message = messageOf(error, network);
  return new CloudError(operation, message, {
    status,
    retryable: retryableStatuses.has(status),
    ambiguous: access === 'write' && unanswered && !neverSent,
    ...(isRateLimit(status, message, { ...details, retrySeconds }) ? { rateLimited: true } : {}),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    cause: thrown,
  });
}

/**
 * Storage's resumable upload throws the answer's `error` object as it came, which is no `Error`.
 * @see https://github.com/googleapis/nodejs-storage/blob/main/src/resumable-upload.ts (responseHandler)
 */
function toError(operation: string, thrown: unknown): Error & LibraryError {
  if (thrown instanceof Error) return thrown;
  if (isRecord(thrown) && typeof thrown['message'] === 'string') {
    const { code, errors } = thrown;
    return Object.assign(new Error(thrown['message'], { cause: thrown }), { code, errors });
  }
  return new Error(`${operation}: a client library threw something that is no error`, {
    cause: thrown,
  });
}

/** A code such as ECONNRESET of the error or of what caused it; such an error has no answer. */
function networkCodeOf(error: LibraryError): string | undefined {
  for (let at: unknown = error, depth = 0; isRecord(at) && depth < 5; at = at['cause'], depth++) {
    if (typeof at['status'] === 'number' || typeof at['httpStatusCode'] === 'number')
      return undefined;
    const code = at['code'];
    if (
      typeof code === 'string' &&
      /^(?:E[A-Z_]{3,}|UND_ERR_[A-Z_]+|ERR_STREAM[A-Z_]*)$/.test(code)
    ) {
      return code;
    }
    // gax's own deadline has no cause; gaxios names its abort.
    if (at['name'] === 'TimeoutError' || at['name'] === 'AbortError') return 'ETIMEDOUT';
  }
  return undefined;
}

function httpStatusOf(error: LibraryError): number | undefined {
  if (isHttpStatus(error.httpStatusCode)) return error.httpStatusCode;
  const response = error.response;
  if (isRecord(response) && isHttpStatus(response['status'])) return response['status'];
  if (isHttpStatus(error.status)) return error.status;
  const code = typeof error.code === 'string' ? Number(error.code) : error.code;
  if (isHttpStatus(code)) return code;
  // gax, without an HTTP status: no answer arrived before its deadline or at all.
  if (code === 4 || code === 14) return 0;
  return typeof code === 'number' ? httpStatusOfRpcCode[code] : undefined;
}

function isHttpStatus(value: unknown): value is number {
  return typeof value === 'number' && value >= 100 && value < 600;
}

/** The service's own sentence, wherever the library left it; one line, bounded. */
function messageOf(error: Error & LibraryError, network: string | undefined): string {
  const text = network === undefined ? serviceText(error) : `no answer (${network})`;
  const plain = text.replace(/\s+/g, ' ').trim();
  return plain.length > 2_000 ? `${plain.slice(0, 2_000)}…` : plain;
}

function serviceText(error: Error & LibraryError): string {
  const first: unknown = Array.isArray(error.errors) ? error.errors[0] : undefined;
  if (isRecord(first) && typeof first['message'] === 'string') return first['message'];
  // REST errors that the library could not read keep the raw JSON in the message.
  const inBody = errorInJson(error.message)?.['message'];
  if (typeof inBody === 'string') return inBody;
  // gax prefixes the gRPC code and its name: `3 INVALID_ARGUMENT: the text`.
  return error.message.replace(/^\d{1,2} [A-Z_]+: /, '');
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after (only the seconds form is used by Google) */
function retryAfterOf(error: LibraryError): number | undefined {
  const { cause } = error;
  const holders = [error.response, isRecord(cause) ? cause['response'] : undefined, error];
  for (const holder of holders) {
    const headers = isRecord(holder) ? holder['headers'] : undefined;
    const value = headers instanceof Headers ? headers.get('retry-after') : undefined;
    const seconds = Number(value ?? (isRecord(headers) ? headers['retry-after'] : undefined));
    if (Number.isFinite(seconds) && seconds > 0) return seconds;
  }
  return undefined;
}
