/** How slow, late and partial the sandbox's Google Cloud is. Times are milliseconds. */

export interface Lags {
  /** How long a job waits in each state before it runs. */
  readonly jobQueuedMs: number;
  readonly jobPendingMs: number;
  readonly buildQueuedMs: number;
  /** Between a job's end and its error being there to read. */
  readonly jobErrorMs: number;
  /** Log entries become readable this late, at least and at most; each entry has its own delay. */
  readonly logMinMs: number;
  readonly logMaxMs: number;
  /** New resources appear in lists this late. */
  readonly listMs: number;
  /** Reads of log entries in any 60 seconds; beyond, 429. */
  readonly logReadsPerMinute: number;
  /** Jobs that are created in a region in any 60 seconds; beyond, 429. */
  readonly jobsPerMinute: number;
  /** Files on a mount become objects only when no process has them open for writing. */
  readonly objectsOnClose: boolean;
  /** How often a replica is started again after an exit code that production takes for a crash. */
  readonly replicaRestarts: number;
}

/** As quick as it can be while every state can still be seen. */
export const quick: Lags = {
  jobQueuedMs: 150,
  jobPendingMs: 300,
  buildQueuedMs: 100,
  jobErrorMs: 0,
  logMinMs: 0,
  logMaxMs: 0,
  listMs: 0,
  logReadsPerMinute: Infinity,
  jobsPerMinute: Infinity,
  objectsOnClose: false,
  replicaRestarts: 0,
};

/**
 * What production does to its clients, at about a twentieth of its times (there a job's error is set a
 * minute after its end, logs are late by seconds to a minute).
 * @see https://cloud.google.com/logging/quotas (60 reads of entries a minute and project, not scaled)
 * @see https://cloud.google.com/vertex-ai/docs/quotas (60 job submissions a minute and region, not scaled)
 * @see https://cloud.google.com/vertex-ai/docs/training/monitor-debug-training-errors (restarts after 6, 11, 134, 139)
 * @see https://github.com/GoogleCloudPlatform/gcsfuse/blob/master/docs/semantics.md (files on close)
 */
export const realistic: Lags = {
  jobQueuedMs: 500,
  jobPendingMs: 1_000,
  buildQueuedMs: 500,
  jobErrorMs: 3_000,
  logMinMs: 500,
  logMaxMs: 4_000,
  listMs: 2_500,
  logReadsPerMinute: 60,
  jobsPerMinute: 60,
  objectsOnClose: true,
  replicaRestarts: 3,
};
