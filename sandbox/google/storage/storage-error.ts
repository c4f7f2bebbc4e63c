/** Errors of the Cloud Storage JSON API, whose shape is older than that of Google's other APIs. */

export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly status: number;
  readonly reason: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    reason: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.reason = reason;
    this.headers = headers;
  }

  /** @see https://cloud.google.com/storage/docs/json_api/v1/status-codes#standardcodes */
  toJson(): object {
    const { message, reason } = this;
    return {
      error: { code: this.status, message, errors: [{ message, domain: 'global', reason }] },
    };
  }

  /** @see https://cloud.google.com/storage/docs/xml-api/reference-status */
  toXml(): string {
    const code = xmlCodes[this.status] ?? 'InvalidArgument';
    return `<?xml version='1.0' encoding='UTF-8'?><Error><Code>${code}</Code><Message>${escapeXml(this.message)}</Message></Error>`;
  }
}

const xmlCodes: Readonly<Record<number, string>> = {
  404: 'NoSuchKey',
  412: 'PreconditionFailed',
  416: 'InvalidRange',
};

function escapeXml(text: string): string {
  return text.replace(/[<>&'"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

export function noSuchBucket(): StorageError {
  return new StorageError(404, 'notFound', 'The specified bucket does not exist.');
}

export function noSuchObject(bucket: string, name: string): StorageError {
  return new StorageError(404, 'notFound', `No such object: ${bucket}/${name}`);
}

export function invalid(message: string): StorageError {
  return new StorageError(400, 'invalid', message);
}

export function conditionNotMet(): StorageError {
  const message = 'At least one of the pre-conditions you specified did not hold.';
  return new StorageError(412, 'conditionNotMet', message);
}
