/** Why a job failed, in Vertex AI's words: a replica's outcome in, the job's `error` out. */
import type { JobOutcome } from '../../executor/executor.ts';
import type { Project } from '../state/project.ts';
import type { RpcStatus } from '../wire/api-error.ts';

interface FailedReplica {
  readonly project: Project;
  readonly jobId: string;
  readonly replica: string;
  readonly image: string;
}

/**
 * Undefined when the replica ended well.
 * @see https://cloud.google.com/vertex-ai/docs/training/monitor-debug-training-errors
 */
export function endOfReplica(
  outcome: JobOutcome,
  exitCode: number,
  where: FailedReplica,
): RpcStatus | undefined {
  const { replica, image } = where;
  switch (outcome.error?.kind) {
    case 'image_not_found':
      return {
        code: 3,
        message: `The replica ${replica} failed to pull the image ${image}: ${sentence(outcome.error.message)} ${seeLogs(where)}`,
      };
    case 'entrypoint_not_found':
      return {
        code: 3,
        message: `The replica ${replica} exited with a non-zero status of 127. Termination reason: ContainerCannotRun. ${outcome.error.message} ${seeLogs(where)}`,
      };
    case 'out_of_memory':
      return {
        code: 3,
        message: `The replica ${replica} ran out-of-memory and exited with a non-zero status of 9(SIGKILL). ${seeLogs(where)}`,
      };
    case 'internal':
      return internalError();
    case undefined:
      if (exitCode === 0) return undefined;
      return {
        code: 3,
        message: `The replica ${replica} exited with a non-zero status of ${exitCode}. Termination reason: Error. ${seeLogs(where)}`,
      };
  }
}

export function internalError(): RpcStatus {
  return { code: 13, message: 'Internal error occurred for the current attempt.' };
}

/** Production has no such end; its code is the one of a worker that was lost. */
export function sandboxStopped(): RpcStatus {
  return { code: 13, message: 'The sandbox was stopped while this job ran.' };
}

/** The service's own words for this are not documented; clients can only rely on the state and the code. */
export function timedOut(timeoutSeconds: number): RpcStatus {
  return {
    code: 4,
    message: `The job timed out: it ran longer than its scheduling.timeout of ${timeoutSeconds}s.`,
  };
}

function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}

function seeLogs({ project, jobId }: FailedReplica): string {
  const filter = encodeURIComponent(`resource.type="ml_job"\nresource.labels.job_id="${jobId}"`);
  return `\nTo find out more about why your job exited please check the logs: https://console.cloud.google.com/logs/viewer?project=${project.number}&resource=ml_job%2Fjob_id%2F${jobId}&advancedFilter=${filter}`;
}
