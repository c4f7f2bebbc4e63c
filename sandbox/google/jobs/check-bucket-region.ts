/** A job's results go to a bucket of its own region: the job and what is known of buckets in, a refusal or nothing out. */
import { ApiError } from '../wire/api-error.ts';
import { objectAt, textAt, type JsonObject } from '../wire/json.ts';

/**
 * A bucket that nobody has heard of is found missing when the job runs, as anything is that it may not see.
 * @param locationOf where the bucket is, such as `us-central1` or `us`
 * @throws {ApiError} in production's words
 * @see https://github.com/googleapis/python-aiplatform/issues/885
 */
export function checkBucketRegion(
  job: JsonObject,
  region: string,
  locationOf: (bucket: string) => string | undefined,
): void {
  const output = objectAt(objectAt(job, 'jobSpec'), 'baseOutputDirectory');
  const uri = textAt(output, 'outputUriPrefix');
  const [, bucket = ''] = /^gs:\/\/([^/]+)/.exec(uri) ?? [];
  const location = locationOf(bucket);
  if (location === undefined || location === region) return;
  throw new ApiError(
    'FAILED_PRECONDITION',
    `The Cloud Storage bucket of \`${uri}\` is in location \`${location}\`. It must be in the same regional location as the service location \`${region}\`.`,
  );
}
