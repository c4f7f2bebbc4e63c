/**
 * Google Cloud behind the ports of the domain: where its APIs are in, one port a service out. Nothing is loaded or
 * asked for before a port is first used.
 */
import type { CloudError } from '../errors.ts';
import type { BulkPorts, Clock, CloudPorts, JobDescriptions, TriggerPorts } from '../ports.ts';
import { createBuildLogs } from './build-logs.ts';
import { createBuilds, createOpenBuilds } from './builds.ts';
import { createClients } from './clients.ts';
import type { CredentialSource } from './credentials.ts';
import { parseEndpoint } from './endpoint.ts';
import { createEarlierBuilds } from './earlier-builds.ts';
import { createImagePrograms } from './image-programs.ts';
import { createImages } from './images.ts';
import { createJobDescriptions } from './job-descriptions.ts';
import { createJobLogs } from './job-logs.ts';
import { createLogTails } from './log-tails.ts';
import { createJobs, createOpenJobs } from './jobs.ts';
import { createObjects } from './objects.ts';
import { createSender } from './requests.ts';
import { createRest, jsonRequests } from './rest.ts';
import { createSecrets } from './secrets.ts';
import { createTriggeredBuilds } from './triggered-builds.ts';
import { createConnections, createTriggers } from './triggers.ts';

export type { CredentialSource } from './credentials.ts';
export { parseEndpoint, type Endpoint } from './endpoint.ts';

export type GooglePorts = CloudPorts & TriggerPorts;

/** What those need besides who follow a job that they have not planned. */
export interface FollowerPorts extends GooglePorts {
  readonly jobDescriptions: JobDescriptions;
}

/** And whoever gives a program of its own the right to push. */
export interface StepPorts extends FollowerPorts {
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
}

/** @throws {UserError} when the endpoint is not on this machine's loopback. */
export function googlePorts(options: GoogleOptions): StepPorts & BulkPorts {
  const endpoint = parseEndpoint(options.endpoint);
  const clients = createClients(endpoint, options.credentials ?? { kind: 'default' });
  const rest = createRest({ endpoint, accessToken: () => clients.accessToken() });
  const cloudBuild = jsonRequests(rest, 'cloudbuild.googleapis.com');
  const sender = createSender({ ...options, renewToken: () => clients.renewToken() });
  const storage = (): ReturnType<typeof clients.storage> => clients.storage();
  const builds = createBuilds(() => clients.builds(), sender);
  const jobLogs = createJobLogs(() => clients.logging(), sender);
  return {
    builds,
    earlierBuilds: createEarlierBuilds(builds),
    images: createImages(() => clients.registry(), sender),
    buildLogs: createBuildLogs(storage, () => clients.logging(), sender),
    jobs: createJobs((region) => clients.jobs(region), sender),
    jobDescriptions: createJobDescriptions((region) => clients.jobs(region), sender),
    jobLogs,
    logTails: createLogTails(() => clients.logging(), sender),
    openBuilds: createOpenBuilds(() => clients.builds(), sender),
    openJobs: createOpenJobs((region) => clients.jobs(region), sender),
    manyJobLogs: jobLogs,
    objects: createObjects(storage, sender),
    imagePrograms: createImagePrograms(rest, sender),
    secrets: createSecrets(rest, sender),
    triggers: createTriggers(cloudBuild, sender),
    triggeredBuilds: createTriggeredBuilds(cloudBuild, sender),
    connections: createConnections(cloudBuild, sender),
    accessToken: () => clients.accessToken(),
  };
}
