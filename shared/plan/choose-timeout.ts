/** How long a run may take: the command, the job config and the limits in, seconds out. */
import type { CustomJobSpec } from '../config/job-spec.ts';
import { formatDuration } from '../units.ts';

interface TimeoutSources {
  /** From the command or an input. */
  readonly asked: number | undefined;
  /** From the repository's configuration. */
  readonly repository: number | undefined;
  readonly max: number;
  readonly authority: 'app' | 'workflow';
}

export interface Timeout {
  readonly kind: 'timeout';
  /** Who wrote it: whoever asks for the run, the job config, or nobody. */
  readonly from: 'asked' | 'file' | 'default';
  readonly seconds: number;
  /** In Google's form; a job config's own words where they stand. */
  readonly wire: string;
  readonly notes: readonly string[];
}

const defaultTimeoutSeconds = 3_600;
/** Vertex AI's own default where a workflow's file says nothing. @see https://cloud.google.com/vertex-ai/docs/reference/rest/v1/CustomJobSpec#Scheduling */
const vertexDefaultTimeoutSeconds = 7 * 86_400;

/**
 * The command's, else the file's, else the repository's, else an hour. What the person asks for is refused
 * when it is too long; what a pull request's file says is cut to the repository's own limit.
 */
export function chooseTimeout(spec: CustomJobSpec, sources: TimeoutSources): Timeout {
  const { asked, repository, max, authority } = sources;
  if (asked !== undefined) return timeoutOf(asked, 'asked');
  const wire = spec.scheduling?.timeout;
  const fromFile = wire === undefined ? undefined : Math.ceil(Number.parseFloat(wire));
  if (authority === 'workflow') {
    if (fromFile !== undefined) return { ...timeoutOf(fromFile, 'file'), wire: wire ?? '' };
    return timeoutOf(repository ?? Math.min(vertexDefaultTimeoutSeconds, max), 'default');
  }
  const limit = Math.min(repository ?? Infinity, max);
  if (fromFile === undefined)
    return timeoutOf(Math.min(repository ?? defaultTimeoutSeconds, limit), 'default');
  if (fromFile <= limit) return timeoutOf(fromFile, 'file');
  const note = `The job config's timeout of ${formatDuration(fromFile)} was cut to ${formatDuration(limit)}.`;
  return { ...timeoutOf(limit, 'file'), notes: [note] };
}

function timeoutOf(seconds: number, from: Timeout['from']): Timeout {
  return { kind: 'timeout', from, seconds, wire: `${seconds}s`, notes: [] };
}
