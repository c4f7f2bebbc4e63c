/** What a registry refuses, in the distribution specification's own codes. */

/** @see https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes */
const statusOf = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 413,
  TAG_INVALID: 400,
  RANGE_INVALID: 416,
  UNSUPPORTED: 405,
} as const;

type RegistryErrorCode = keyof typeof statusOf;

/** A refusal that is the client's to mend; `status` is the HTTP status that carries it. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  readonly status: number;

  constructor(code: RegistryErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.status = statusOf[code];
  }
}
