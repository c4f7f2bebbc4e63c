/**
 * Google Cloud behind the ports of the domain: where its APIs are in, one port a service out. Nothing is loaded or
 * asked for before a port is first used.
 */
import type { BulkPorts, CloudPorts, TriggerPorts } from '../ports.ts';
import { createOpenBuilds } from './builds.ts';
import { createJobLogs } from './job-logs.ts';
import { createOpenJobs } from './jobs.ts';
import { createStartedJobs } from './started-jobs.ts';
import { jsonRequests } from './rest.ts';
import { connect, stepPortsOver, type GoogleOptions, type StepPorts } from './step-ports.ts';
import { createTriggeredBuilds } from './triggered-builds.ts';
import { createConnections, createTriggers } from './triggers.ts';

export type { GoogleOptions } from './step-ports.ts';

export type GooglePorts = CloudPorts & TriggerPorts;

/** @throws {UserError} when the endpoint is not on this machine's loopback. */
export function googlePorts(options: GoogleOptions): StepPorts & TriggerPorts & BulkPorts {
  const connection = connect(options);
  const { clients, rest, sender } = connection;
  const cloudBuild = jsonRequests(rest, 'cloudbuild.googleapis.com');
  const jobLogs = createJobLogs(() => clients.logging(), sender);
  return {
    ...stepPortsOver(connection),
    jobLogs,
    manyJobLogs: jobLogs,
    openBuilds: createOpenBuilds(() => clients.builds(), sender),
    openJobs: createOpenJobs((region) => clients.jobs(region), sender),
    startedJobs: createStartedJobs((region) => clients.jobs(region), sender),
    triggers: createTriggers(cloudBuild, sender),
    triggeredBuilds: createTriggeredBuilds(cloudBuild, sender),
    connections: createConnections(cloudBuild, sender),
  };
}
