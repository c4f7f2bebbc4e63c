/**
 * The `BuildLogs` port: Cloud Build's log object in a bucket, read from an offset as it grows; or what a build
 * without one writes to Cloud Logging.
 */
import type { LoggingServiceV2Client } from '@google-cloud/logging-api/build/src/v2/logging_service_v2_client.js';
import type { Storage } from '@google-cloud/storage';
import type { BuildLogs } from '../ports.ts';
import { createBuildEntries } from './build-entries.ts';
import { readRange } from './objects.ts';
import type { BeforeLogRead, Sender } from './requests.ts';
import * as names from './resource-names.ts';

/** One read takes at most this much; a longer log is read on at the next look. */
const maxBytesPerRead = 4 * 1024 * 1024;

export function createBuildLogs(
  client: () => Promise<Storage>,
  logging: () => Promise<LoggingServiceV2Client>,
  sender: Sender,
  beforeLogRead?: BeforeLogRead,
): BuildLogs {
  const entries = createBuildEntries(logging, sender, beforeLogRead);
  return {
    read: async (where) => {
      const { logged } = where;
      if (logged !== undefined) return entries.read({ ...where, logged });
      const { bucket, prefix } = names.parseBucketUri(where.uri);
      const name = `log-${names.resourceId(where.buildId)}.txt`;
      const object = prefix === '' ? name : `${prefix}/${name}`;
      const storage = await client();
      const range = { start: where.offset, end: where.offset + maxBytesPerRead - 1 };
      const bytes = await sender.read('objects.get', async () => {
        try {
          return await readRange(storage, { bucket, object }, range);
        } catch (error) {
          // Not there yet: the object is made with the first line.
          if (error instanceof Error && 'code' in error && Number(error.code) === 404) {
            return Buffer.alloc(0);
          }
          throw error;
        }
      });
      const whole = bytes.subarray(0, wholeCharacters(bytes));
      return { text: whole.toString('utf8'), nextOffset: where.offset + whole.length };
    },
  };
}

/** How many bytes end on a character's end: a log is cut anywhere, also within one. @internal */
export function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
