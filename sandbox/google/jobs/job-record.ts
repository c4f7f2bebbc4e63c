/** A custom job as it is stored, and as the API shows it. */
import { z } from 'zod';
import { jsonSchema, type JsonObject } from '../wire/json.ts';

export const jobStates = [
  'JOB_STATE_QUEUED',
  'JOB_STATE_PENDING',
  'JOB_STATE_RUNNING',
  'JOB_STATE_SUCCEEDED',
  'JOB_STATE_FAILED',
  'JOB_STATE_CANCELLING',
  'JOB_STATE_CANCELLED',
] as const;
export type JobState = (typeof jobStates)[number];

const recordSchema = z.object({
  /** Decimal digits. */
  id: z.string(),
  location: z.string(),
  /** `projects/NUMBER/locations/L/customJobs/ID` */
  name: z.string(),
  displayName: z.string(),
  jobSpec: z.record(z.string(), jsonSchema),
  labels: z.record(z.string(), z.string()),
  encryptionSpec: z.record(z.string(), jsonSchema).optional(),
  state: z.enum(jobStates),
  createTime: z.string(),
  startTime: z.string().optional(),
  endTime: z.string().optional(),
  updateTime: z.string(),
  error: z.object({ code: z.number(), message: z.string() }).optional(),
  /** The error is not shown before this time; production sets it a while after the end. */
  errorTime: z.string().optional(),
});
export type JobRecord = z.infer<typeof recordSchema>;

export function parseJobRecord(value: unknown): JobRecord {
  return recordSchema.parse(value);
}

export function isOver(state: JobState): boolean {
  return ['JOB_STATE_SUCCEEDED', 'JOB_STATE_FAILED', 'JOB_STATE_CANCELLED'].includes(state);
}

/** google.cloud.aiplatform.v1.CustomJob, as it is at that time. */
export function toCustomJob(record: JobRecord, now: Date): JsonObject {
  const { id: _, location: __, labels, error, errorTime, ...job } = record;
  const isKnown = errorTime === undefined || now.getTime() >= Date.parse(errorTime);
  return {
    ...job,
    ...(error !== undefined && isKnown ? { error } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
  };
}
