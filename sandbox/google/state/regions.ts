/** Google Cloud's regions, as far as custom training, builds and repositories are offered there. */
import { ApiError } from '../wire/api-error.ts';

/** @see https://cloud.google.com/vertex-ai/docs/general/locations (custom training) */
export const regions: readonly string[] = [
  ...['africa-south1', 'asia-east1', 'asia-east2', 'asia-northeast1', 'asia-northeast2'],
  ...['asia-northeast3', 'asia-south1', 'asia-south2', 'asia-southeast1', 'asia-southeast2'],
  ...['australia-southeast1', 'australia-southeast2', 'europe-central2', 'europe-north1'],
  ...['europe-southwest1', 'europe-west1', 'europe-west2', 'europe-west3', 'europe-west4'],
  ...['europe-west6', 'europe-west8', 'europe-west9', 'europe-west10', 'europe-west12'],
  ...['me-central1', 'me-central2', 'me-west1', 'northamerica-northeast1'],
  ...['northamerica-northeast2', 'southamerica-east1', 'southamerica-west1', 'us-central1'],
  ...['us-east1', 'us-east4', 'us-east5', 'us-south1', 'us-west1', 'us-west2', 'us-west3'],
  ...['us-west4'],
];

/** Artifact Registry's. @see https://cloud.google.com/artifact-registry/docs/repositories/repo-locations */
export const multiRegions: readonly string[] = ['asia', 'europe', 'us'];

/**
 * @param more what the service has beside regions, such as `global`
 * @see https://github.com/firezone/firezone/pull/7711 (the words, which many services share)
 * @throws ApiError 403
 */
export function checkLocation(location: string, more: readonly string[]): void {
  if (regions.includes(location) || more.includes(location)) return;
  throw new ApiError(
    'PERMISSION_DENIED',
    `Permission denied on 'locations/${location}' (or it may not exist).`,
  );
}
