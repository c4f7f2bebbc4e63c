/**
 * What Cloud Build refuses beyond the shape of a request: a well-formed build in, an ApiError with the
 * service's own words thrown.
 */
import { invalidArgument } from '../wire/api-error.ts';
import { objectAt, objectsAt, textAt, textsAt, type JsonObject } from '../wire/json.ts';

/** @see https://cloud.google.com/build/docs/build-config-file-schema#timeout_2 (24 hours) */
const maxTimeoutSeconds = 86_400;

/** Before substitutions. @throws ApiError 400 */
export function checkBuild(build: JsonObject): void {
  if (objectsAt(build, 'steps').length === 0) {
    throw invalidArgument('generic::invalid_argument: build must have at least one step');
  }
  for (const tag of textsAt(build, 'tags')) {
    // @see https://cloud.google.com/build/docs/view-build-results#viewing_build_results (tags)
    if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tag) || tag.includes('$')) continue;
    throw invalidArgument(`generic::invalid_argument: invalid build tag ${JSON.stringify(tag)}`);
  }
  if (parseFloat(textAt(build, 'timeout') || '0') > maxTimeoutSeconds) {
    throw invalidArgument(
      `generic::invalid_argument: invalid timeout in build request: build timeout must be at most ${maxTimeoutSeconds}s`,
    );
  }
  const options = objectAt(build, 'options');
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

/** After substitutions. @throws ApiError 400 */
export function checkSteps(build: JsonObject): void {
  const ids = new Set<string>();
  for (const [i, step] of objectsAt(build, 'steps').entries()) {
    if (textAt(step, 'name') === '') {
      throw invalidArgument(
        `generic::invalid_argument: invalid build: invalid build step name ""; build step ${i} must have a name`,
      );
    }
    checkOrder(step, i, ids);
    if (
      textAt(step, 'script') !== '' &&
      (textsAt(step, 'args').length > 0 || textAt(step, 'entrypoint') !== '')
    ) {
      throw invalidArgument(
        `generic::invalid_argument: build step ${i} cannot have a script together with args or an entrypoint`,
      );
    }
  }
}

/**
 * Ids are unique; a step waits for earlier ones, or with `-` for none.
 * @see https://cloud.google.com/build/docs/configuring-builds/configure-build-step-order
 */
function checkOrder(step: JsonObject, index: number, ids: Set<string>): void {
  for (const wanted of textsAt(step, 'waitFor')) {
    if (wanted === '-' || ids.has(wanted)) continue;
    throw invalidArgument(
      `generic::invalid_argument: invalid build: invalid .steps field: build step #${index} depends on "${wanted}", which has not been defined`,
    );
  }
  const id = textAt(step, 'id');
  if (id === '') return;
  if (ids.has(id)) {
    throw invalidArgument(
      `generic::invalid_argument: invalid build: invalid .steps field: build step #${index} has the id "${id}" of an earlier step`,
    );
  }
  ids.add(id);
}
