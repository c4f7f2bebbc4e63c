/** What a job measured: where it wrote and when it ran in, its Metrics out. */
import { isMetricsFile, readMetricsFiles } from '../metrics/read-metrics.ts';
import { noMetrics, type Metrics } from '../metrics/metrics.ts';
import type { ObjectStore } from '../ports.ts';
import { secondsBetween } from '../units.ts';
import { clockSkewSeconds } from './adopt.ts';

/** A bucket that is mounted gets a file when it is closed, which may be as late as the container's end. */
const lateUploadSeconds = 300;
const maxMetricsFiles = 100;
const maxMetricsBytes = 1024 ** 2;
/** A run's directory may hold checkpoints without end; metrics are looked for among this many objects. */
const maxResultObjects = 2_000;

interface ResultsOfJob {
  /** `gs://bucket/prefix/`; empty when the job has none. */
  readonly outputUriPrefix: string;
  /** When it was created; ISO 8601. */
  readonly createdAt: string;
  readonly endedAt: string;
}

/** Reads only what the job itself can have written, in the version that was looked at. */
export async function collectMetrics(
  { outputUriPrefix, createdAt: startedAt, endedAt }: ResultsOfJob,
  objects: Pick<ObjectStore, 'list' | 'read'>,
): Promise<Metrics> {
  const [, bucket, path] = /^gs:\/\/([^/]+)\/(.*)$/.exec(outputUriPrefix) ?? [];
  if (bucket === undefined || path === undefined || path === '') return noMetrics;
  const found = await objects.list({ bucket, prefix: path, limit: maxResultObjects });
  const wanted = found
    .filter((object) => isMetricsFile(object.name.slice(path.length)))
    // What lay there before the job ran was not made by it.
    .filter(({ createdAt }) => secondsBetween(startedAt, createdAt) > -clockSkewSeconds)
    // Nor what came after it: somebody has overwritten it, maybe days before a run is followed on.
    .filter(({ createdAt }) => secondsBetween(endedAt, createdAt) < lateUploadSeconds)
    .slice(0, maxMetricsFiles);
  const files = await Promise.all(
    wanted.map(async ({ name, generation }) => ({
      path: name.slice(path.length),
      content: await objects.read({ bucket, object: name, generation, maxBytes: maxMetricsBytes }),
    })),
  );
  return readMetricsFiles(files);
}
