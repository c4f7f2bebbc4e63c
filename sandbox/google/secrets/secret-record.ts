/** A secret of Secret Manager as it is stored, and as the API shows it. */
import { z } from 'zod';
import type { JsonObject } from '../wire/json.ts';

const versionSchema = z.object({
  /** Counted from 1. */
  number: z.number(),
  /** Base64. */
  data: z.string(),
  state: z.enum(['ENABLED', 'DISABLED']),
  createTime: z.string(),
  /** Whoever added it told the checksum too. */
  clientSpecifiedPayloadChecksum: z.literal(true).optional(),
});
export type VersionRecord = z.infer<typeof versionSchema>;

const secretSchema = z.object({
  /** `projects/NUMBER/secrets/ID` */
  name: z.string(),
  createTime: z.string(),
  labels: z.record(z.string(), z.string()).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  versions: z.array(versionSchema),
  /** Role → members. */
  policy: z.record(z.string(), z.array(z.string())),
});
export type SecretRecord = z.infer<typeof secretSchema>;

export function parseSecretRecord(value: unknown): SecretRecord {
  return secretSchema.parse(value);
}

export function toSecret(record: SecretRecord): JsonObject {
  const { name, createTime, labels, annotations } = record;
  return {
    name,
    createTime,
    replication: { automatic: {} },
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

export function toVersion(secret: SecretRecord, version: VersionRecord): JsonObject {
  const { data: _, number: __, ...shown } = version;
  return { name: versionName(secret, version), ...shown };
}

export function versionName({ name }: SecretRecord, { number }: VersionRecord): string {
  return `${name}/versions/${number}`;
}

export function toPolicy({ policy }: SecretRecord): JsonObject {
  const bindings = Object.entries(policy).map(([role, members]) => ({ role, members }));
  return { version: 1, ...(bindings.length > 0 ? { bindings } : {}) };
}
