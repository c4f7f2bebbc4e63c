/** Errors as Google's JSON APIs give them: a canonical code and a message in, an HTTP status and a body out. */

/** @see https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto (with its HTTP mapping) */
const canonicalCodes = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  FAILED_PRECONDITION: 400,
  INTERNAL: 500,
} as const;

type CanonicalCode = keyof typeof canonicalCodes;

export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: CanonicalCode;
  readonly details: readonly object[];

  constructor(code: CanonicalCode, message: string, details: readonly object[] = []) {
    super(message);
    this.code = code;
    this.details = details;
  }

  get httpStatus(): number {
    return canonicalCodes[this.code];
  }

  /** @see https://cloud.google.com/apis/design/errors#http_mapping */
  toJson(): object {
    return {
      error: {
        code: this.httpStatus,
        message: this.message,
        status: this.code,
        ...(this.details.length === 0 ? {} : { details: this.details }),
      },
    };
  }
}

/** 400 with one `BadRequest` detail that lists all violations; the message is their descriptions. */
export function badRequest(violations: readonly FieldViolation[]): ApiError {
  const message = violations.map(({ description }) => description).join('\n');
  return new ApiError('INVALID_ARGUMENT', message, [
    {
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: violations.map(({ field, description }) =>
        field === '' ? { description } : { field, description },
      ),
    },
  ]);
}

export function notFound(message: string): ApiError {
  return new ApiError('NOT_FOUND', message);
}

export function invalidArgument(message: string): ApiError {
  return new ApiError('INVALID_ARGUMENT', message);
}

/** `google.rpc.Status`, as it stands in resources and operations. */
export interface RpcStatus {
  readonly code: number;
  readonly message: string;
}
