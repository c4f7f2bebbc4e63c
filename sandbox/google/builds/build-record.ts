/** A build as it is stored, and as the API shows it. */
import { z } from 'zod';
import {
  jsonSchema,
  objectAt,
  objectsAt,
  textAt,
  type Json,
  type JsonObject,
} from '../wire/json.ts';

const buildStatuses = [
  /** Waits for an approval. */
  'PENDING',
  'QUEUED',
  'WORKING',
  'SUCCESS',
  'FAILURE',
  'INTERNAL_ERROR',
  'TIMEOUT',
  'CANCELLED',
] as const;
type BuildStatus = (typeof buildStatuses)[number];

const recordSchema = z.object({
  id: z.string(),
  location: z.string(),
  /** `projects/NUMBER/locations/L/builds/ID` */
  name: z.string(),
  operation: z.string(),
  status: z.enum(buildStatuses),
  createTime: z.string(),
  startTime: z.string().optional(),
  finishTime: z.string().optional(),
  statusDetail: z.string().optional(),
  failureInfo: z.object({ type: z.string(), detail: z.string() }).optional(),
  /** The bucket that takes the log, and the prefix within it; none when the options say so. */
  logs: z.object({ bucket: z.string(), prefix: z.string() }).optional(),
  /** As the client sent it, substitutions applied. */
  build: z.record(z.string(), jsonSchema),
  images: z.array(z.object({ name: z.string(), digest: z.string() })),
  /** Index of the step at which it failed. */
  failedStep: z.number().optional(),
  /** The trigger that started it. */
  trigger: z.object({ id: z.string() }).optional(),
  /** google.devtools.cloudbuild.v1.BuildApproval, where the trigger asks for one. */
  approval: z.record(z.string(), jsonSchema).optional(),
});
export type BuildRecord = z.infer<typeof recordSchema>;

export function parseBuildRecord(value: unknown): BuildRecord {
  return recordSchema.parse(value);
}

export function isOver(status: BuildStatus): boolean {
  return status !== 'PENDING' && status !== 'QUEUED' && status !== 'WORKING';
}

/** google.devtools.cloudbuild.v1.Build. */
export function toBuild(record: BuildRecord, project: { id: string; number: string }): JsonObject {
  const { id, location, status, createTime, images, build } = record;
  const region = location === 'global' ? '' : `;region=${location}`;
  const optional: Record<string, Json> = {};
  for (const field of [
    ...(['startTime', 'finishTime', 'statusDetail', 'failureInfo', 'approval'] as const),
  ]) {
    const value = record[field];
    if (value !== undefined) optional[field] = value;
  }
  return {
    queueTtl: '3600s',
    timeout: '3600s',
    ...build,
    ...(build['steps'] === undefined ? {} : { steps: stepsOf(record) }),
    name: record.name,
    id,
    projectId: project.id,
    status,
    createTime,
    ...optional,
    ...(record.trigger === undefined
      ? {}
      : { buildTriggerId: record.trigger.id, ...provenance(build) }),
    ...(record.logs === undefined
      ? {}
      : { logsBucket: textAt(build, 'logsBucket') || `gs://${record.logs.bucket}` }),
    logUrl: `https://console.cloud.google.com/cloud-build/builds${region}/${id}?project=${project.number}`,
    ...(isOver(status) ? { results: { images } } : {}),
  };
}

/** A trigger's build names a commit, so what was asked for is what was built. */
function provenance(build: JsonObject): JsonObject {
  const { gitSource, connectedRepository } = objectAt(build, 'source');
  if (gitSource !== undefined) return { sourceProvenance: { resolvedGitSource: gitSource } };
  if (connectedRepository === undefined) return {};
  return { sourceProvenance: { resolvedConnectedRepository: connectedRepository } };
}

/**
 * "At this time, build step status is only updated on build completion"; steps that were not reached stay
 * queued. Of a build that was stopped it is not known which step that was.
 * @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#buildstep (status)
 */
function stepsOf({ status, build, failedStep }: BuildRecord): JsonObject[] {
  const steps = objectsAt(build, 'steps');
  if (status !== 'SUCCESS' && (status !== 'FAILURE' || failedStep === undefined)) return steps;
  const failed = failedStep ?? steps.length;
  return steps.map((step, i) => ({
    ...step,
    status: i < failed ? 'SUCCESS' : i === failed ? 'FAILURE' : 'QUEUED',
  }));
}
