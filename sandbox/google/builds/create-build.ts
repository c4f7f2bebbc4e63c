/** A new build, from a client or a trigger, stored and on its way. */
import { randomUUID } from 'node:crypto';
import type { ApiError } from '../wire/api-error.ts';
import { objectAt, textAt, textMapAt, type JsonObject } from '../wire/json.ts';
import type { BuildRecord } from './build-record.ts';
import { checkBuildRegion } from './build-regions.ts';
import type { BuildsApiPorts } from './builds-api.ts';
import { applySubstitutions } from './substitutions.ts';
import { checkBuild, checkSubstituted, withoutEmptyTags } from './validate-build.ts';

interface BuildTrigger {
  readonly id: string;
  /** The build waits until somebody approves it. */
  readonly needsApproval: boolean;
}

/**
 * @param given with its substitutions, as the client or the trigger has it
 * @throws ApiError 400
 */
export async function createBuild(
  ports: BuildsApiPorts,
  location: string,
  given: JsonObject,
  trigger?: BuildTrigger,
): Promise<BuildRecord> {
  checkBuild(given);
  const id = randomUUID();
  const { id: projectId, number } = ports.project;
  const substituted = applySubstitutions(given, textMapAt(given, 'substitutions'), {
    PROJECT_ID: projectId,
    PROJECT_NUMBER: number,
    BUILD_ID: id,
    LOCATION: location,
  });
  const build = withoutEmptyTags(substituted);
  checkSubstituted(build);
  checkBuildRegion(location, build);
  const needsApproval = trigger?.needsApproval === true;
  const record: BuildRecord = {
    ...newRecord(ports, location, id, build),
    status: needsApproval ? 'PENDING' : 'QUEUED',
    ...(await logsOf(ports, build, location)),
    ...(trigger === undefined ? {} : { trigger: { id: trigger.id } }),
    ...(needsApproval
      ? { approval: { state: 'PENDING', config: { approvalRequired: true } } }
      : {}),
  };
  await ports.builds.put(id, record);
  if (!needsApproval) ports.runner.start(record);
  return record;
}

/** A build that ended before it began, because its trigger could not make one. */
export async function recordFailedBuild(
  ports: BuildsApiPorts,
  location: string,
  build: JsonObject,
  triggerId: string,
  reason: ApiError,
): Promise<void> {
  const id = randomUUID();
  const record = newRecord(ports, location, id, build);
  await ports.builds.put(id, {
    ...record,
    status: 'FAILURE',
    statusDetail: `Failed to trigger build: ${generic(reason)}`,
    finishTime: record.createTime,
    trigger: { id: triggerId },
  });
}

/** As Go's servers print a status: its code once, before the words. */
function generic({ code, message }: ApiError): string {
  if (message.startsWith('generic::')) return message;
  const words = `${code.toLowerCase().replaceAll('_', ' ')}: `;
  const rest = message.startsWith(words) ? message.slice(words.length) : message;
  return `generic::${code.toLowerCase()}: ${rest}`;
}

function newRecord(
  ports: BuildsApiPorts,
  location: string,
  id: string,
  build: JsonObject,
): Omit<BuildRecord, 'status'> {
  const parent = `projects/${ports.project.number}/locations/${location}`;
  const token = Buffer.from(id).toString('base64url');
  return {
    id,
    location,
    name: `${parent}/builds/${id}`,
    operation:
      location === 'global'
        ? `operations/build/${ports.project.id}/${token}`
        : `${parent}/operations/${token}`,
    createTime: ports.clock.now().toISOString(),
    build: JSON.parse(JSON.stringify(build)) as BuildRecord['build'],
    images: [],
  };
}

async function logsOf(
  ports: BuildsApiPorts,
  build: JsonObject,
  location: string,
): Promise<Pick<BuildRecord, 'logs'>> {
  const options = objectAt(build, 'options');
  if (['CLOUD_LOGGING_ONLY', 'NONE', 'STACKDRIVER_ONLY'].includes(textAt(options, 'logging')))
    return {};
  const own = /^(?:gs:\/\/)?([^/]+)(?:\/(.*))?$/.exec(textAt(build, 'logsBucket'));
  if (own !== null) {
    const prefix = (own[2] ?? '').replace(/\/+$/, '');
    return { logs: { bucket: own[1] ?? '', prefix: prefix === '' ? '' : `${prefix}/` } };
  }
  const { number } = ports.project;
  const regional = textAt(options, 'defaultLogsBucketBehavior') === 'REGIONAL_USER_OWNED_BUCKET';
  const bucket = regional
    ? `${number}-${location}-cloudbuild-logs`
    : `${number}.cloudbuild-logs.googleusercontent.com`;
  // The service makes its default buckets itself; only the regional one is the user's own.
  if (ports.buckets.find(bucket) === undefined) {
    await ports.buckets.create({ name: bucket, location: 'US' }, !regional);
  }
  return { logs: { bucket, prefix: '' } };
}
