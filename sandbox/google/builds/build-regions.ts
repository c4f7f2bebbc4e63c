/** Where builds may run: a location and a build in, an ApiError in Cloud Build's own words thrown. */
import { ApiError } from '../wire/api-error.ts';
import { objectAt, textAt, type JsonObject } from '../wire/json.ts';

/** The sandbox's project is a new one, and those are kept to these. @see https://cloud.google.com/build/docs/locations#restricted_regions_for_some_projects */
const unrestricted: readonly string[] = [
  ...['global', 'us-central1', 'us-west2', 'europe-west1', 'asia-east1'],
  ...['australia-southeast1', 'southamerica-east1'],
];

/**
 * The restriction is a quota of the regional default pools; private pools have one of their own.
 * @see https://github.com/google-github-actions/deploy-cloudrun/issues/480 (code and words; the link came later)
 * @throws ApiError 400
 */
export function checkBuildRegion(location: string, build: JsonObject): void {
  if (unrestricted.includes(location)) return;
  if (textAt(objectAt(objectAt(build, 'options'), 'pool'), 'name') !== '') return;
  throw new ApiError(
    'FAILED_PRECONDITION',
    'failed precondition: due to quota restrictions, cannot run builds in this region, see https://cloud.google.com/build/docs/locations#restricted_regions_for_some_projects',
  );
}
