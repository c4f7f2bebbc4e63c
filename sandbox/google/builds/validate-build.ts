/**
 * What Cloud Build refuses beyond the shape of a request: a well-formed build in, an ApiError with the
 * service's own words thrown.
 * @see https://github.com/GoogleCloudPlatform/cloud-build-local/blob/ee604808232a647bd2738e7558a98e13d5e76040/validate/validate.go
 */
import { parseImageReference } from '../../registry/image-reference.ts';
import { invalidArgument } from '../wire/api-error.ts';
import {
  numberAt,
  objectAt,
  objectsAt,
  textAt,
  textsAt,
  type Json,
  type JsonObject,
} from '../wire/json.ts';
import { invalidBuild } from './invalid-build.ts';
import { checkArtifacts } from './validate-artifacts.ts';
import { checkSecrets } from './validate-secrets.ts';
import { checkOrder, checkStepLimits } from './validate-steps.ts';
import { checkVolumes } from './validate-volumes.ts';

/** @see https://cloud.google.com/build/docs/build-config-file-schema#timeout_2 (24 hours) */
const maxTimeoutSeconds = 86_400;
const maxTags = 64;
/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#buildoptions (diskSizeGb) */
const maxDiskGb = 4_000;

/** Before substitutions. @throws ApiError 400 */
export function checkBuild(build: JsonObject): void {
  if (objectsAt(build, 'steps').length === 0) {
    throw invalidArgument('generic::invalid_argument: build must have at least one step');
  }
  const tags = textsAt(build, 'tags');
  if (tags.length > maxTags) {
    throw invalidBuild(`number of tags ${tags.length} exceeded (max: ${maxTags})`);
  }
  tags.filter((tag) => !tag.includes('$')).forEach(checkTag);
  checkTimeouts(build);
  checkStepLimits(build);
  checkVolumes(build);
  checkSecrets(build);
  const options = objectAt(build, 'options');
  const diskGb = numberAt(options, 'diskSizeGb');
  if (diskGb < 0 || diskGb > maxDiskGb) {
    throw invalidBuild(`invalid .options.disk_size_gb: ${diskGb} (max: ${maxDiskGb})`);
  }
  const hasLogs =
    textAt(build, 'logsBucket') !== '' ||
    textAt(options, 'defaultLogsBucketBehavior') === 'REGIONAL_USER_OWNED_BUCKET' ||
    ['CLOUD_LOGGING_ONLY', 'NONE'].includes(textAt(options, 'logging'));
  if (textAt(build, 'serviceAccount') !== '' && !hasLogs) {
    throw invalidArgument(
      "if 'build.service_account' is specified, the build must either (a) specify 'build.logs_bucket', (b) use the REGIONAL_USER_OWNED_BUCKET build.options.default_logs_bucket_behavior option, or (c) use either CLOUD_LOGGING_ONLY / NONE logging options",
    );
  }
}

function checkTimeouts(build: JsonObject): void {
  const timeout = parseFloat(textAt(build, 'timeout') || '0');
  if (timeout > maxTimeoutSeconds) {
    throw invalidArgument(
      `generic::invalid_argument: invalid timeout in build request: build timeout must be at most ${maxTimeoutSeconds}s`,
    );
  }
  if (timeout < 0) throw invalidBuild('invalid timeout: timeout must be >=0');
  if (parseFloat(textAt(build, 'queueTtl') || '0') < 0) {
    throw invalidBuild('invalid queue_ttl: queue_ttl must be >=0');
  }
}

/** @see https://cloud.google.com/build/docs/view-build-results#viewing_build_results (tags) */
function checkTag(tag: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tag)) return;
  throw invalidArgument(`generic::invalid_argument: invalid build tag ${JSON.stringify(tag)}`);
}

/** After substitutions. @throws ApiError 400 */
export function checkSubstituted(build: JsonObject): void {
  for (const [i, step] of objectsAt(build, 'steps').entries()) {
    const name = textAt(step, 'name');
    if (name === '') {
      throw invalidArgument(
        `generic::invalid_argument: invalid build: invalid build step name ""; build step ${i} must have a name`,
      );
    }
    if (parseImageReference(name) === undefined) {
      throw invalidBuild(`invalid build step name ${unreadable(name)}`);
    }
  }
  checkOrder(build);
  checkArtifacts(build);
  const images = [...textsAt(build, 'images'), ...textsAt(objectAt(build, 'artifacts'), 'images')];
  for (const image of images) {
    if (parseImageReference(image) !== undefined) continue;
    throw invalidBuild(`invalid image name ${unreadable(image)}`);
  }
  textsAt(build, 'tags').forEach(checkTag);
  checkAccount(textAt(build, 'serviceAccount'));
}

/** @see https://github.com/google/go-containerregistry/blob/v0.20.2/pkg/name/ref.go (whose words these are) */
function unreadable(name: string): string {
  return `${JSON.stringify(name)}: could not parse reference: ${name}`;
}

/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds#Build (serviceAccount) */
function checkAccount(account: string): void {
  if (account === '' || /^projects\/[^/\s]+\/serviceAccounts\/[^/\s]+$/.test(account)) return;
  throw invalidArgument(
    `invalid value for 'build.service_account': ${JSON.stringify(account)} must be of the format projects/{PROJECT_ID}/serviceAccounts/{ACCOUNT}`,
  );
}

/**
 * Each tag once, and none that is empty, such as one of a variable that only triggers fill.
 * @param build with its substitutions done
 */
export function withoutEmptyTags(build: JsonObject): JsonObject {
  const tags: readonly Json[] = [...new Set(textsAt(build, 'tags'))].filter((tag) => tag !== '');
  return 'tags' in build ? { ...build, tags } : build;
}
