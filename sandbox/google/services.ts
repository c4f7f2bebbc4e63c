/** Opens everything that the server serves from one data directory, and closes it again. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { apiRoutes, descriptors } from './apis.ts';
import type { PullPorts } from './artifacts/pull.ts';
import { buildOperation, type BuildsApiPorts } from './builds/builds-api.ts';
import { parseBuildRecord } from './builds/build-record.ts';
import { BuildRunner } from './builds/build-runner.ts';
import { seedConnections } from './builds/connections.ts';
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
import { systemClock } from './state/clock.ts';
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
  const jobDocuments = await Documents.open(join(dataDir, 'jobs'), parseJobRecord);
  const buildDocuments = await Documents.open(join(dataDir, 'builds'), parseBuildRecord);
  const triggerDocuments = await Documents.open(join(dataDir, 'triggers'), parseTriggerRecord);
  const connectionDocuments = await Documents.open(join(dataDir, 'connections'), parseObject);
  const repositories = await Documents.open(join(dataDir, 'repositories'), parseObject);
  const operationDocuments = await Documents.open(join(dataDir, 'operations'), parseObject);
  const operations = new Operations(operationDocuments);
  const shared = { project, clock, lags, log };

  const { buckets, objects } = storage;
  const mounts = (): Readonly<Record<string, string>> => buckets.mounts();
  const secretDocuments = await Documents.open(join(dataDir, 'secrets'), parseSecretRecord);
  const tokens = new Tokens();
  const jobPorts = { ...shared, executor, mounts, jobs: jobDocuments, tokens, origin };
  const jobs: JobsApiPorts = { ...jobPorts, operations, runner: new JobRunner(jobPorts) };
  const sources = options.sources ?? { find: () => undefined };
  const connections = {
    project,
    connected: options.connected ?? { byApp: [], connections: [] },
    documents: connectionDocuments,
  };
  await seedConnections(connections, clock);
  const git = { sources, connections };
  const buildPorts = { ...shared, ...git, executor, buckets, objects, builds: buildDocuments };
  const builds: BuildsApiPorts = { ...buildPorts, runner: new BuildRunner(buildPorts) };
  const triggers: TriggersApiPorts = {
    ...git,
    triggers: triggerDocuments,
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
    secrets: { project, clock, secrets: secretDocuments, tokens },
    pull: { registry, repositories },
    operation: (name) => operations.get(name),
    onGitHubEvent: (event) => events.receive(event),
    operationDescriptors,
    close: async () => {
      await events.close();
      await Promise.all([jobs.runner.close(), builds.runner.close()]);
      const documents = [
        ...[jobDocuments, buildDocuments, triggerDocuments, connectionDocuments],
        ...[repositories, operationDocuments, secretDocuments],
      ];
      await Promise.all([...documents.map((each) => each.flush()), objects.flush(), logs.flush()]);
    },
  };
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
