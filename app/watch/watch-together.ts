/**
 * Google Cloud as one run sees it, and as many runs can be watched through it at once: the same ports, but looks
 * at jobs, builds and job logs are answered from what is asked for once for all of them.
 */
import type { BulkPorts, CloudPorts, Clock } from '../../shared/ports.ts';
import { isBuildOver, isJobOver } from '../../shared/watch/run.ts';
import type { LogQuota } from './log-quota.ts';
import { SharedLogs } from './shared-logs.ts';
import { SharedLooks } from './shared-looks.ts';

interface WatchOptions {
  readonly clock: Clock;
  readonly tickMs: number;
  /** Whose jobs and builds these are, as their labels say. */
  readonly owner: string;
  readonly logQuota: LogQuota;
}

export function watchTogether<Ports extends CloudPorts & BulkPorts>(
  google: Ports,
  options: WatchOptions,
): Ports {
  const { owner, logQuota: quota } = options;
  const { jobs, builds, openJobs, openBuilds, manyJobLogs } = google;
  const jobLooks = new SharedLooks(
    {
      collection: 'customJobs',
      get: (name) => jobs.get(name),
      list: (place) => openJobs.list({ ...place, owner }),
      stateOf: ({ state }) => state,
      isOver: ({ state }) => isJobOver(state),
    },
    options,
  );
  const buildLooks = new SharedLooks(
    {
      collection: 'builds',
      get: (name) => builds.get(name),
      list: (place) => openBuilds.list({ ...place, owner }),
      stateOf: ({ status }) => status,
      isOver: ({ status }) => isBuildOver(status),
    },
    options,
  );
  return {
    ...google,
    jobs: {
      ...jobs,
      get: (name) => jobLooks.get(name),
      cancel: (name) => jobs.cancel(name).finally(() => jobLooks.touched(name)),
    },
    builds: {
      ...builds,
      get: (name) => buildLooks.get(name),
      cancel: (name) => builds.cancel(name).finally(() => buildLooks.touched(name)),
    },
    jobLogs: new SharedLogs(manyJobLogs, { ...options, quota }),
  };
}
