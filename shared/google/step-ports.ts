/**
 * Google Cloud as a workflow step needs it, which is what the Action loads at each start: without triggers and
 * without looks at many things at once. See index.ts for all of it.
 */
import type { CloudError } from '../errors.ts';
import type { Clock, CloudPorts, JobDescriptions, SucceededJobs } from '../ports.ts';
import { createBuildLogs } from './build-logs.ts';
import { createBuilds } from './builds.ts';
import { createClients, type GoogleClients } from './clients.ts';
import type { CredentialSource } from './credentials.ts';
import { parseEndpoint } from './endpoint.ts';
import { createEarlierBuilds } from './earlier-builds.ts';
import { createImagePrograms } from './image-programs.ts';
import { createImages } from './images.ts';
import { createJobDescriptions } from './job-descriptions.ts';
import { createJobLogs } from './job-logs.ts';
import { createLogTails } from './log-tails.ts';
import { createJobs } from './jobs.ts';
import { createObjects } from './objects.ts';
import { createSender, type BeforeLogRead, type Sender } from './requests.ts';
import { createRest, type Rest } from './rest.ts';
import { createSecrets } from './secrets.ts';
import { createSucceededJobs } from './succeeded-jobs.ts';

/** What a step needs besides what every run does. */
export interface StepPorts extends CloudPorts {
  /** Of a job that it has not planned. */
  readonly jobDescriptions: JobDescriptions;
  /** Of other runs, which this one is held against. */
  readonly succeededJobs: SucceededJobs;
  /** For a program that is given the right to push. */
  readonly accessToken: () => Promise<string>;
}

export interface GoogleOptions {
  /** The value of TRAINYARD_GOOGLE_ENDPOINT; undefined or empty means Google itself. */
  readonly endpoint?: string | undefined;
  /** Application Default Credentials unless told otherwise; none are needed at a local endpoint. */
  readonly credentials?: CredentialSource;
  readonly clock?: Pick<Clock, 'sleep'>;
  /** Told of each failure that may pass; the run only waits. */
  readonly onTrouble?: (error: CloudError) => void;
  /** Told of each request that was sent: such as `customJobs.get`, and its status; 0 when no answer came. */
  readonly onCall?: (operation: string, status: number) => void;
  /** Asked before log entries are read, but for those of many jobs; throws a CloudError when it is too often. */
  readonly beforeLogRead?: BeforeLogRead;
}

/** How the services are reached: what all ports are made of. */
interface Connection {
  readonly clients: GoogleClients;
  readonly rest: Rest;
  readonly sender: Sender;
  readonly beforeLogRead: BeforeLogRead;
}

/** @throws {UserError} when the endpoint is not on this machine's loopback. */
export function connect(options: GoogleOptions): Connection {
  const endpoint = parseEndpoint(options.endpoint);
  const clients = createClients(endpoint, options.credentials ?? { kind: 'default' });
  const rest = createRest({ endpoint, accessToken: () => clients.accessToken() });
  const sender = createSender({ ...options, renewToken: () => clients.renewToken() });
  const { beforeLogRead = () => undefined } = options;
  return { clients, rest, sender, beforeLogRead };
}

/**
 * Nothing is loaded or asked for before a port is first used.
 * @throws {UserError} when the endpoint is not on this machine's loopback.
 */
export function stepPorts(options: GoogleOptions): StepPorts {
  return stepPortsOver(connect(options));
}

export function stepPortsOver(connection: Connection): StepPorts {
  const { clients, rest, sender, beforeLogRead } = connection;
  const storage = (): ReturnType<typeof clients.storage> => clients.storage();
  const builds = createBuilds(() => clients.builds(), sender);
  return {
    builds,
    earlierBuilds: createEarlierBuilds(builds),
    images: createImages(() => clients.registry(), sender),
    buildLogs: createBuildLogs(storage, () => clients.logging(), sender, beforeLogRead),
    jobs: createJobs((region) => clients.jobs(region), sender),
    jobDescriptions: createJobDescriptions((region) => clients.jobs(region), sender),
    succeededJobs: createSucceededJobs((region) => clients.jobs(region), sender),
    jobLogs: createJobLogs(() => clients.logging(), sender),
    logTails: createLogTails(() => clients.logging(), sender, beforeLogRead),
    objects: createObjects(storage, sender),
    imagePrograms: createImagePrograms(rest, sender),
    secrets: createSecrets(rest, sender),
    accessToken: () => clients.accessToken(),
  };
}
