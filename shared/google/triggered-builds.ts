/**
 * The `TriggeredBuilds` port: builds that triggers have started, with what a check run shows of them. The steps'
 * states are read too, which the port of builds that we start ourselves has no use for.
 * @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds
 */
import { z } from 'zod';
import type { BuildMachine } from '../catalogue/build-prices.ts';
import type { TriggeredBuilds } from '../ports.ts';
import type { TriggeredBuild } from '../triggers/report-build.ts';
import { toBuildStatus } from './from-wire.ts';
import { itemsOf } from './pages.ts';
import type { Sender } from './requests.ts';
import * as names from './resource-names.ts';
import { parseRead, type SendJson } from './rest.ts';

const stepSchema = z.object({
  id: z.string().optional(),
  name: z.string().optional(),
  status: z.string().optional(),
  allowFailure: z.boolean().optional(),
});
const buildSchema = z.object({
  id: z.string(),
  buildTriggerId: z.string().optional(),
  status: z.string().default(''),
  statusDetail: z.string().optional(),
  failureInfo: z.object({ detail: z.string().optional() }).optional(),
  createTime: z.string().optional(),
  startTime: z.string().optional(),
  finishTime: z.string().optional(),
  substitutions: z.record(z.string(), z.string()).default({}),
  steps: z.array(stepSchema).default([]),
  results: z
    .object({
      images: z
        .array(z.object({ name: z.string().optional(), digest: z.string().optional() }))
        .default([]),
    })
    .optional(),
  logsBucket: z.string().optional(),
  options: z
    .object({
      logging: z.string().optional(),
      machineType: z.string().optional(),
      diskSizeGb: z.coerce.number().optional().catch(undefined),
      pool: z.unknown().optional(),
      workerPool: z.string().optional(),
    })
    .optional(),
  logUrl: z.string().optional(),
  availableSecrets: z.unknown().optional(),
  secrets: z.array(z.unknown()).optional(),
  approval: z.object({ state: z.string().optional() }).optional(),
});
const listSchema = z.object({
  builds: z.array(buildSchema).default([]),
  nextPageToken: z.string().optional(),
});

/** The older of the two names means the same. */
const logsToOf: Readonly<Record<string, TriggeredBuild['logsTo']>> = {
  CLOUD_LOGGING_ONLY: 'cloud_logging',
  STACKDRIVER_ONLY: 'cloud_logging',
  NONE: 'nowhere',
};
const pageSize = 100;
const maxPages = 10;
/** So many fit into a filter; with more, all triggered builds of the time are read. */
const maxTriggersInFilter = 50;

export function createTriggeredBuilds(send: SendJson, sender: Sender): TriggeredBuilds {
  return {
    list: async ({ triggerIds, since, ...where }) => {
      if (triggerIds.length === 0) return [];
      const path = `/v1/${names.locationName(where)}/builds`;
      const filter = filterOf(triggerIds, since);
      const wanted = new Set(triggerIds);
      const found = itemsOf(maxPages, async (pageToken) => {
        const query = { filter, pageSize: String(pageSize), ...(pageToken && { pageToken }) };
        const answer = await sender.read('builds.list', () => send({ path, query }));
        const { builds, nextPageToken } = parseRead('builds.list', listSchema, answer);
        return { items: builds, nextPageToken };
      });
      const builds = await Array.fromAsync(found, (build) => toTriggeredBuild(build, where));
      return builds.filter(({ triggerId }) => wanted.has(triggerId));
    },
  };
}

function filterOf(triggerIds: readonly string[], since: Date): string {
  const time = `create_time>="${since.toISOString()}"`;
  if (triggerIds.length > maxTriggersInFilter) return time;
  const clauses = triggerIds.map((id) => `trigger_id="${names.resourceId(id)}"`);
  return `${time} AND (${clauses.join(' OR ')})`;
}

function toTriggeredBuild(
  build: z.infer<typeof buildSchema>,
  { project, region }: names.Location,
): TriggeredBuild {
  const { substitutions, createTime, startTime, finishTime, logsBucket, logUrl } = build;
  const sha = substitutions['COMMIT_SHA'] ?? substitutions['REVISION_ID'] ?? '';
  const statusDetail = build.statusDetail ?? build.failureInfo?.detail;
  const failedStep = failedStepOf(build.steps);
  const logsTo = logsToOf[build.options?.logging ?? ''];
  return {
    id: build.id,
    project,
    region,
    triggerId: build.buildTriggerId ?? '',
    status: toBuildStatus(build.status),
    images: (build.results?.images ?? []).flatMap(({ name, digest }) =>
      name && digest && /^sha256:[0-9a-f]{64}$/.test(digest) ? [{ name, digest }] : [],
    ),
    usesSecrets: build.availableSecrets !== undefined || (build.secrets ?? []).length > 0,
    awaitsApproval: build.approval?.state === 'PENDING',
    ...(/^[0-9a-f]{40}$/.test(sha) ? { commitSha: sha } : {}),
    ...(statusDetail ? { statusDetail } : {}),
    ...(createTime === undefined ? {} : { createTime }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(finishTime === undefined ? {} : { finishTime }),
    ...(failedStep === undefined ? {} : { failedStep }),
    ...(logsBucket ? { logsBucket } : {}),
    ...(logsTo === undefined ? {} : { logsTo }),
    ...(logUrl ? { logUrl } : {}),
    ...(build.options === undefined ? {} : { machine: machineOf(build.options) }),
  };
}

function machineOf({
  machineType,
  diskSizeGb,
  pool,
  workerPool = '',
}: NonNullable<z.infer<typeof buildSchema>['options']>): BuildMachine {
  return {
    ...(machineType === undefined ? {} : { machineType }),
    ...(diskSizeGb === undefined ? {} : { diskSizeGb }),
    ...(pool !== undefined || workerPool !== '' ? { isPrivatePool: true } : {}),
  };
}

function failedStepOf(steps: z.infer<typeof buildSchema>['steps']): string | undefined {
  const failed = steps.find(
    ({ status, allowFailure }) =>
      allowFailure !== true && (status === 'FAILURE' || status === 'TIMEOUT'),
  );
  return failed && (failed.id || failed.name);
}
