/**
 * The `Secrets` port over Secret Manager: a version's name in, its value out, whose checksum is verified.
 * @see https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access
 * @see https://cloud.google.com/secret-manager/docs/data-integrity
 */
import { CloudError, UserError } from '../errors.ts';
import type { Secrets } from '../ports.ts';
import type { Sender } from './requests.ts';
import * as names from './resource-names.ts';
import type { Rest } from './rest.ts';

/** A payload has at most 64 KiB. @see https://cloud.google.com/secret-manager/quotas */
const maxBytes = 256 * 1024;

interface AccessAnswer {
  readonly payload?: { readonly data?: string; readonly dataCrc32c?: string };
}

export function createSecrets(rest: Rest, sender: Sender): Secrets {
  return {
    read: async (version) => {
      const path = `/v1/${names.secretVersion(version)}:access`;
      const answer = await sender.read('secrets.versions.access', () =>
        rest({ host: 'secretmanager.googleapis.com', path, maxBytes }),
      );
      const { payload = {} } = JSON.parse(answer.toString('utf8')) as AccessAnswer;
      const value = Buffer.from(payload.data ?? '', 'base64');
      if (payload.dataCrc32c !== undefined && Number(payload.dataCrc32c) !== crc32c(value)) {
        throw new CloudError('secrets.versions.access', 'the secret arrived damaged.', {
          status: 502,
          retryable: true,
          ambiguous: false,
        });
      }
      return textOf(value, version);
    },
  };
}

function textOf(value: Buffer, version: string): string {
  const text = value.toString('utf8');
  if (Buffer.from(text).equals(value) && !text.includes('\0')) return text;
  throw new UserError(
    'bad_config',
    `the secret \`${version}\` is no text, so it cannot be an environment variable.`,
    'Encode it, for example in Base64, and decode it in the training program.',
  );
}

/** The Castagnoli polynomial, reflected. @see https://www.rfc-editor.org/rfc/rfc3720#appendix-B.4 */
const polynomial = 0x82f63b78;

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
