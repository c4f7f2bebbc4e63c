/** Opens everything that the server serves from one data directory, and closes it again. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { apiRoutes, descriptors } from './apis.ts';
import { checkRepository } from './artifacts/check-repository.ts';
import type { PullPorts } from './artifacts/pull.ts';
import { buildOperation, type BuildsApiPorts } from './builds/builds-api.ts';
import { parseBuildRecord } from './builds/build-record.ts';
import { BuildRunner } from './builds/build-runner.ts';
import { seedConnections } from './builds/connections.ts';
import type { GitSourcePorts } from './builds/git-source.ts';
import type { RepositoryEvent } from './builds/repository-events.ts';
import { TriggerEvents } from './builds/trigger-events.ts';
import { parseTriggerRecord } from './builds/trigger-record.ts';
import type { TriggersApiPorts } from './builds/triggers-api.ts';
import { parseJobRecord } from './jobs/job-record.ts';
import { JobRunner } from './jobs/job-runner.ts';
import type { JobsApiPorts } from './jobs/jobs-api.ts';
import { LogStore } from './logging/log-store.ts';
import { createLogWriter } from './logging/log-writer.ts';
import type { Lags } from './options.ts';
import type { GoogleOptions } from './server.ts';
import { systemClock, type SandboxClock } from './state/clock.ts';
import { Documents } from './state/documents.ts';
import { Operations } from './state/operations.ts';
import { Tokens } from './state/tokens.ts';
import { parseSecretRecord } from './secrets/secret-record.ts';
import type { SecretPorts } from './secrets/secrets-api.ts';
import { Buckets } from './storage/buckets.ts';
import { ObjectStore } from './storage/object-store.ts';
import { UploadSessions } from './storage/resumable.ts';
import type { StoragePorts } from './storage/routes.ts';
import { isJsonObject, textAt, type Json, type JsonObject } from './wire/json.ts';
import type { Descriptors } from './wire/descriptors.ts';
import type { Route } from './wire/rpc-api.ts';

export interface Services {
  readonly routes: readonly Route[];
  readonly storage: StoragePorts;
  readonly secrets: SecretPorts;
  readonly pull: PullPorts;
  /** @throws ApiError 404 */
  operation(name: string): JsonObject;
  /** Those of the service whose operation it is. */
  operationDescriptors(operation: JsonObject): Descriptors;
  /** Something happened on GitHub. */
  onGitHubEvent(event: RepositoryEvent): void;
  /** @throws RegistryError when no image can be pushed under this name */
  checkRepository(name: string): void;
  close(): Promise<void>;
}

/** @param origin where all of it can be reached, once it can */
export async function openServices(
  options: GoogleOptions,
  lags: Lags,
  origin: Promise<string>,
): Promise<Services> {
  const { dataDir, executor, registry } = options;
  const project = { id: options.project, number: options.projectNumber };
  const clock = options.clock ?? systemClock;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const storage = await openStorage(join(dataDir, 'storage'), { project, clock, lags });
  const logs = await LogStore.open(join(dataDir, 'logs'));
  const log = createLogWriter(logs, clock, lags);
  const documents = await openDocuments(dataDir);
  const { repositories } = documents;
  const operations = new Operations(documents.operations);
  const shared = { project, clock, lags, log };

  const { buckets, objects } = storage;
  const mounts = (): Readonly<Record<string, string>> => buckets.mounts();
  const tokens = new Tokens();
  const jobPorts = { ...shared, executor, mounts, jobs: documents.jobs, tokens, origin };
  const jobs: JobsApiPorts = { ...jobPorts, buckets, operations, runner: new JobRunner(jobPorts) };
  const git = await openGit(options, project, documents.connections, clock);
  const buildPorts = { ...shared, ...git, executor, buckets, objects, builds: documents.builds };
  const builds: BuildsApiPorts = { ...buildPorts, runner: new BuildRunner(buildPorts) };
  const triggers: TriggersApiPorts = {
    ...git,
    triggers: documents.triggers,
    builds,
    descriptors: () => descriptors().build,
  };
  const events = new TriggerEvents(triggers);
  operations.addSource((name) => buildOperation(builds, name));

  const artifacts = { project, clock, registry, repositories, operations };
  const logging = { project, logs, clock, lags };
  const routes = apiRoutes({ jobs, builds, triggers, artifacts, logging });
  await jobs.runner.resume();
  await builds.runner.resume();
  return {
    routes,
    storage,
    secrets: { project, clock, secrets: documents.secrets, tokens },
    pull: { registry, repositories },
    checkRepository: (name) => checkRepository(repositories, name),
    operation: (name) => operations.get(name),
    onGitHubEvent: (event) => events.receive(event),
    operationDescriptors,
    close: async () => {
      await events.close();
      await Promise.all([jobs.runner.close(), builds.runner.close()]);
      const flushed = Object.values(documents).map((each) => each.flush());
      await Promise.all([...flushed, objects.flush(), logs.flush()]);
    },
  };
}

/** What survives a restart, beside objects and logs: a directory each. */
async function openDocuments(dataDir: string) {
  const open = <T>(name: string, parse: (value: unknown) => T): Promise<Documents<T>> =>
    Documents.open(join(dataDir, name), parse);
  return {
    jobs: await open('jobs', parseJobRecord),
    builds: await open('builds', parseBuildRecord),
    triggers: await open('triggers', parseTriggerRecord),
    connections: await open('connections', parseObject),
    repositories: await open('repositories', parseObject),
    operations: await open('operations', parseObject),
    secrets: await open('secrets', parseSecretRecord),
  };
}

/** Where git repositories are, and which of them Cloud Build may use. */
async function openGit(
  { sources, connected }: Pick<GoogleOptions, 'sources' | 'connected'>,
  project: StoragePorts['project'],
  documents: Documents<JsonObject>,
  clock: SandboxClock,
): Promise<GitSourcePorts> {
  const connections = {
    project,
    connected: connected ?? { byApp: [], connections: [] },
    documents,
  };
  await seedConnections(connections, clock);
  return { sources: sources ?? { find: () => undefined }, connections };
}

async function openStorage(
  directory: string,
  { project, clock, lags }: Pick<StoragePorts, 'project' | 'clock'> & { readonly lags: Lags },
): Promise<StoragePorts> {
  const { objectsOnClose } = lags;
  const objects = await ObjectStore.open(directory, { clock, objectsOnClose });
  const buckets = await Buckets.open(join(directory, 'buckets'), objects, project, clock);
  const sessions = await UploadSessions.open(join(directory, 'uploads'));
  return { project, clock, buckets, objects, sessions };
}

function parseObject(value: unknown): JsonObject {
  if (!isJsonObject(value as Json)) throw new Error('not an object');
  return value as JsonObject;
}

function operationDescriptors(operation: JsonObject): Descriptors {
  const metadata = operation['metadata'];
  const type = isJsonObject(metadata) ? textAt(metadata, '@type') : '';
  const { build, artifacts, aiplatform } = descriptors();
  if (type.includes('.cloudbuild.')) return build;
  return type.includes('.artifactregistry.') ? artifacts : aiplatform;
}
