/** A trigger as it is stored, and as the API shows it. */
import { z } from 'zod';
import { jsonSchema, textAt, type JsonObject } from '../wire/json.ts';

const recordSchema = z.object({
  /** A UUID. */
  id: z.string(),
  location: z.string(),
  createTime: z.string(),
  /** What the client has set. */
  trigger: z.record(z.string(), jsonSchema),
});
export type TriggerRecord = z.infer<typeof recordSchema>;

export function parseTriggerRecord(value: unknown): TriggerRecord {
  return recordSchema.parse(value);
}

/** google.devtools.cloudbuild.v1.BuildTrigger. */
export function toTrigger(
  { id, location, createTime, trigger }: TriggerRecord,
  project: { readonly id: string },
): JsonObject {
  return {
    ...trigger,
    resourceName: `projects/${project.id}/locations/${location}/triggers/${id}`,
    id,
    createTime,
  };
}

export function nameOf({ trigger }: TriggerRecord): string {
  return textAt(trigger, 'name');
}

/** For sorting: the oldest first. */
export function byAge(a: TriggerRecord, b: TriggerRecord): number {
  return a.createTime < b.createTime ? -1 : a.createTime > b.createTime ? 1 : 0;
}
