/** The Cloud Build service: request messages in, response messages out. */
import { matches, type FieldValue } from '../filter/evaluate-filter.ts';
import { FilterError } from '../filter/filter-error.ts';
import { parseFilter } from '../filter/parse-filter.ts';
import { pageOf } from '../state/pages.ts';
import { checkProject, parseName } from '../state/project.ts';
import { checkLocation } from '../state/regions.ts';
import { ApiError, invalidArgument, notFound } from '../wire/api-error.ts';
import { objectAt, textAt, textMapAt, textsAt, type JsonObject } from '../wire/json.ts';
import type { RpcHandler } from '../wire/rpc-api.ts';
import { approveBuild } from './approve-build.ts';
import { isOver, toBuild, type BuildRecord } from './build-record.ts';
import type { BuildPorts, BuildRunner } from './build-runner.ts';
import { createBuild } from './create-build.ts';

export interface BuildsApiPorts extends BuildPorts {
  readonly runner: BuildRunner;
}

export function buildHandlers(ports: BuildsApiPorts): Readonly<Record<string, RpcHandler>> {
  return {
    CreateBuild: (request) => create(ports, request),
    GetBuild: (request) => toBuild(find(ports, request), ports.project),
    ListBuilds: (request) => list(ports, request),
    CancelBuild: (request) => cancel(ports, request),
    ApproveBuild: async (request) => {
      // The older name has no location.
      const name = textAt(request, 'name').replace(
        /^(projects\/[^/]+)\/(?=builds\/)/,
        '$1/locations/global/',
      );
      const record = find(ports, { name });
      await approveBuild(ports, record, request);
      return toOperation(ports, ports.builds.get(record.id) ?? record);
    },
  };
}

/** The build's operation as it is now; undefined when the name is none of a build. */
export function buildOperation(ports: BuildsApiPorts, name: string): JsonObject | undefined {
  const id = name.slice(name.lastIndexOf('/') + 1);
  const decoded = Buffer.from(id, 'base64url').toString('utf8');
  const record = ports.builds.get(decoded);
  return record === undefined || record.operation !== name ? undefined : toOperation(ports, record);
}

export function toOperation({ project }: BuildsApiPorts, record: BuildRecord): JsonObject {
  const build = toBuild(record, project);
  const metadata = {
    '@type': 'type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata',
    build,
  };
  if (!isOver(record.status)) return { name: record.operation, metadata };
  const end =
    record.status === 'SUCCESS'
      ? {
          response: {
            '@type': 'type.googleapis.com/google.devtools.cloudbuild.v1.Build',
            ...build,
          },
        }
      : {
          error: {
            code: record.status === 'CANCELLED' ? 1 : 9,
            message: record.statusDetail ?? record.status,
          },
        };
  return { name: record.operation, metadata, done: true, ...end };
}

async function create(ports: BuildsApiPorts, request: JsonObject): Promise<JsonObject> {
  const { location } = placeOf(ports, request, 'parent');
  checkLocation(location, ['global']);
  return toOperation(ports, await createBuild(ports, location, objectAt(request, 'build')));
}

/** Both the located name and the older `projectId` bind the project. */
function placeOf(
  ports: BuildsApiPorts,
  request: JsonObject,
  field: 'parent' | 'name',
): { readonly location: string; readonly parent: string; readonly rest: readonly string[] } {
  const name = textAt(request, field);
  if (name !== '') {
    const { location, name: parent, rest } = parseName(ports.project, name);
    return { location, parent, rest };
  }
  checkProject(ports.project, textAt(request, 'projectId'));
  const parent = `projects/${ports.project.number}/locations/global`;
  return { location: 'global', parent, rest: ['builds', textAt(request, 'id')] };
}

function find(ports: BuildsApiPorts, request: JsonObject): BuildRecord {
  const { location, rest } = placeOf(ports, request, 'name');
  const record = ports.builds.get(rest[1] ?? '');
  if (rest[0] !== 'builds' || record === undefined || record.location !== location) {
    throw notFound('Requested entity was not found.');
  }
  return record;
}

async function cancel(ports: BuildsApiPorts, request: JsonObject): Promise<JsonObject> {
  const record = find(ports, request);
  if (isOver(record.status)) {
    throw new ApiError(
      'FAILED_PRECONDITION',
      `Cannot cancel build ${record.id} in status ${record.status}.`,
    );
  }
  await ports.runner.cancel(record.id);
  return toBuild(find(ports, request), ports.project);
}

function list(ports: BuildsApiPorts, request: JsonObject): JsonObject {
  const { location } = placeOf(ports, request, 'parent');
  const visibleBefore = ports.clock.now().getTime() - ports.lags.listMs;
  const builds = select(ports.builds.values(), textAt(request, 'filter'))
    .filter((record) => record.location === location)
    .filter(({ createTime }) => Date.parse(createTime) <= visibleBefore)
    .sort((a, b) => (a.createTime === b.createTime ? 0 : a.createTime > b.createTime ? -1 : 1));
  const page = pageOf(builds, request, { byDefault: 100, max: 1_000 }, ({ id }) => id);
  return {
    ...(page.items.length > 0
      ? { builds: page.items.map((record) => toBuild(record, ports.project)) }
      : {}),
    ...(page.nextPageToken === undefined ? {} : { nextPageToken: page.nextPageToken }),
  };
}

function select(builds: readonly BuildRecord[], text: string): BuildRecord[] {
  try {
    const filter = parseFilter(text);
    matches(filter, { field: (path) => fieldOf(undefined, path) });
    return builds.filter((build) => matches(filter, { field: (path) => fieldOf(build, path) }));
  } catch (error) {
    if (error instanceof FilterError) throw invalidArgument(`invalid filter: ${error.message}`);
    throw error;
  }
}

/** @see https://cloud.google.com/build/docs/view-build-results#filtering_build_results_using_queries */
function fieldOf(record: BuildRecord | undefined, path: readonly string[]): FieldValue | undefined {
  const texts = (values: readonly string[]): FieldValue => ({ kind: 'text', values });
  const given = (value: string | undefined): FieldValue =>
    texts(value === undefined || value === '' ? [] : [value]);
  const build = record?.build ?? {};
  const storage = objectAt(objectAt(build, 'source'), 'storageSource');
  switch (path.join('.')) {
    case 'build_id':
    case 'id':
      return texts(record === undefined ? [] : [record.id]);
    case 'status':
      return texts(record === undefined ? [] : [record.status]);
    case 'tags':
      return texts(textsAt(build, 'tags'));
    case 'images':
      return texts(textsAt(build, 'images'));
    case 'trigger_id':
    case 'build_trigger_id':
      return given(record?.trigger?.id);
    case 'results.images.digest':
      return texts((record?.images ?? []).map(({ digest }) => digest));
    case 'source.storage_source.bucket':
      return given(textAt(storage, 'bucket'));
    case 'source.storage_source.object':
      return given(textAt(storage, 'object'));
    case 'create_time':
      return { kind: 'time', value: record?.createTime };
    case 'start_time':
      return { kind: 'time', value: record?.startTime };
    case 'finish_time':
      return { kind: 'time', value: record?.finishTime };
    default:
      return path[0] === 'substitutions' && path[1] !== undefined
        ? given(textMapAt(build, 'substitutions')[path[1]])
        : undefined;
  }
}
