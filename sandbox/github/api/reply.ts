/** What an operation answers: a reply, or an error in GitHub's shape. */
import type { Readable } from 'node:stream';

export interface Reply {
  readonly status: number;
  /** Sent as JSON; undefined sends no body. */
  readonly json?: unknown;
  /** Sent as it is, instead of JSON. */
  readonly raw?: { readonly type: string; readonly content: Buffer | Readable };
  readonly headers?: Readonly<Record<string, string>>;
}

export function ok(json: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, json, headers };
}

/** One entry of a 422's `errors`. @see https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#validation-failed */
export interface FieldError {
  readonly resource: string;
  readonly code: 'missing' | 'missing_field' | 'invalid' | 'already_exists' | 'custom';
  readonly field?: string;
  readonly message?: string;
}

/** An answer that is not the one hoped for, such as 404 for something that does not exist. */
export class ApiError extends Error {
  override readonly name: string = 'ApiError';
  readonly status: number;
  readonly errors: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    details: {
      readonly errors?: readonly FieldError[];
      readonly headers?: Readonly<Record<string, string>>;
    } = {},
  ) {
    super(message);
    this.status = status;
    this.errors = details.errors;
    this.headers = details.headers ?? {};
  }
}

/** A request that GitHub would not have understood: whoever sent it has a bug, and tests fail on it. */
export class MalformedRequest extends ApiError {
  override readonly name = 'MalformedRequest';
}

export function notFound(): ApiError {
  return new ApiError(404, 'Not Found');
}

/** For rules that hold for the thing as it is now, not for the request as such. */
export function unprocessable(error: FieldError): ApiError {
  return new ApiError(422, 'Validation Failed', { errors: [error] });
}

/** GitHub's answer to an App that lacks a permission, also for what only people may do. */
export function notAccessible(): ApiError {
  return new ApiError(403, 'Resource not accessible by integration');
}
