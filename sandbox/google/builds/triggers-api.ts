/** Cloud Build's triggers: request messages in, response messages out. */
import { randomUUID } from 'node:crypto';
import type { Documents } from '../state/documents.ts';
import { pageOf } from '../state/pages.ts';
import { checkProject, parseName } from '../state/project.ts';
import { checkLocation } from '../state/regions.ts';
import { ApiError, invalidArgument, notFound } from '../wire/api-error.ts';
import type { Descriptors } from '../wire/descriptors.ts';
import { objectAt, textAt, type JsonObject } from '../wire/json.ts';
import type { RpcHandler } from '../wire/rpc-api.ts';
import { withoutDefaults } from '../wire/without-defaults.ts';
import { toOperation, type BuildsApiPorts } from './builds-api.ts';
import type { ConnectionPorts } from './connections.ts';
import { applyMask } from './trigger-mask.ts';
import { byAge, nameOf, toTrigger, type TriggerRecord } from './trigger-record.ts';
import { runTrigger, type TriggerBuildPorts } from './trigger-build.ts';
import { checkTrigger } from './validate-trigger.ts';

export interface TriggersApiPorts extends TriggerBuildPorts {
  readonly triggers: Documents<TriggerRecord>;
  readonly connections: ConnectionPorts;
  readonly builds: BuildsApiPorts;
  readonly descriptors: () => Descriptors;
}

const messageType = 'google.devtools.cloudbuild.v1.BuildTrigger';

export function triggerHandlers(ports: TriggersApiPorts): Readonly<Record<string, RpcHandler>> {
  const { project } = ports.builds;
  return {
    CreateBuildTrigger: (request) => create(ports, request),
    GetBuildTrigger: (request) => toTrigger(find(ports, placeOf(ports, request)), project),
    ListBuildTriggers: (request) => list(ports, request),
    UpdateBuildTrigger: (request) => update(ports, request),
    DeleteBuildTrigger: async (request) => {
      await ports.triggers.delete(find(ports, placeOf(ports, request)).id);
      return {};
    },
    RunBuildTrigger: (request) => run(ports, request),
  };
}

interface Place {
  readonly location: string;
  /** Id or name; empty for a list or a creation. */
  readonly trigger: string;
}

/** Both the located name and the older `projectId` bind the project; the latter knows global triggers only. */
function placeOf({ builds: { project } }: TriggersApiPorts, request: JsonObject): Place {
  const located = ['name', 'parent', 'trigger.resource_name']
    .map((field) => textAt(request, field))
    .find((text) => text !== '');
  if (located !== undefined) {
    const { location, rest } = parseName(project, located);
    return { location, trigger: rest[1] ?? '' };
  }
  checkProject(project, textAt(request, 'projectId'));
  return { location: 'global', trigger: textAt(request, 'triggerId') };
}

/** By id or by name, as gcloud asks. @throws ApiError 404 */
function find(ports: TriggersApiPorts, { location, trigger }: Place): TriggerRecord {
  const here = at(ports, location);
  const found =
    here.find(({ id }) => id === trigger) ?? here.find((one) => nameOf(one) === trigger);
  if (found === undefined) throw notFound('Requested entity was not found.');
  return found;
}

function at({ triggers }: TriggersApiPorts, location: string): TriggerRecord[] {
  return triggers.values().filter((one) => one.location === location);
}

async function create(ports: TriggersApiPorts, request: JsonObject): Promise<JsonObject> {
  const { location } = placeOf(ports, request);
  checkLocation(location, ['global']);
  const given = canonical(ports, objectAt(request, 'trigger'));
  const trigger = { name: freeName(ports, location), ...given };
  checkTrigger(ports.connections, trigger, location);
  refuseTaken(ports, location, trigger);
  const { clock, project } = ports.builds;
  const createTime = clock.now().toISOString();
  const record = { id: randomUUID(), location, createTime, trigger: stored(trigger) };
  await ports.triggers.put(record.id, record);
  return toTrigger(record, project);
}

/** What the client has set, in the form in which it is given back. */
function canonical(ports: TriggersApiPorts, trigger: JsonObject): JsonObject {
  const own = Object.fromEntries(
    Object.entries(trigger).filter(
      ([name]) => !['id', 'resourceName', 'createTime'].includes(name),
    ),
  );
  return withoutDefaults(ports.descriptors(), messageType, own);
}

function stored(trigger: JsonObject): TriggerRecord['trigger'] {
  return JSON.parse(JSON.stringify(trigger)) as TriggerRecord['trigger'];
}

function freeName(ports: TriggersApiPorts, location: string): string {
  const taken = new Set(at(ports, location).map(nameOf));
  for (let i = 0; ; i++) {
    const name = i === 0 ? 'trigger' : `trigger-${i}`;
    if (!taken.has(name)) return name;
  }
}

/** @see https://github.com/GoogleCloudPlatform/k8s-config-connector/issues/370 (the words) */
function refuseTaken(
  ports: TriggersApiPorts,
  location: string,
  trigger: JsonObject,
  except?: TriggerRecord,
): void {
  const name = textAt(trigger, 'name');
  if (!at(ports, location).some((one) => one !== except && nameOf(one) === name)) return;
  const { number } = ports.builds.project;
  throw new ApiError('ALREADY_EXISTS', `trigger (${number}, ${name}) already exists`);
}

async function update(ports: TriggersApiPorts, request: JsonObject): Promise<JsonObject> {
  const place = placeOf(ports, request);
  const record = find(ports, place);
  const given = canonical(ports, objectAt(request, 'trigger'));
  const mask = textAt(request, 'updateMask');
  const name = nameOf(record);
  const trigger = canonical(ports, {
    name,
    ...applyMask(ports.descriptors(), messageType, record.trigger, given, mask),
  });
  checkTrigger(ports.connections, trigger, place.location);
  refuseTaken(ports, place.location, trigger, record);
  const changed = { ...record, trigger: stored(trigger) };
  await ports.triggers.put(record.id, changed);
  return toTrigger(changed, ports.builds.project);
}

function list(ports: TriggersApiPorts, request: JsonObject): JsonObject {
  const { location } = placeOf(ports, request);
  const all = at(ports, location).sort(byAge);
  const page = pageOf(all, request, { byDefault: 50, max: 1_000 }, ({ id }) => id);
  const { project } = ports.builds;
  return {
    ...(page.items.length === 0
      ? {}
      : { triggers: page.items.map((record) => toTrigger(record, project)) }),
    ...(page.nextPageToken === undefined ? {} : { nextPageToken: page.nextPageToken }),
  };
}

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.locations.triggers/run */
async function run(ports: TriggersApiPorts, request: JsonObject): Promise<JsonObject> {
  const record = find(ports, placeOf(ports, request));
  const { trigger } = record;
  const github = objectAt(trigger, 'github');
  const linked = objectAt(trigger, 'repositoryEventConfig');
  if (github['pullRequest'] !== undefined || linked['pullRequest'] !== undefined) {
    throw invalidArgument('RunTrigger is not supported for GitHub PullRequest Triggers');
  }
  const build = await runTrigger(ports, record, objectAt(request, 'source'));
  return toOperation(ports.builds, build);
}
