/**
 * What Cloud Build refuses of a build's steps: the build in, an ApiError with the service's own words thrown.
 * @see https://github.com/GoogleCloudPlatform/cloud-build-local/blob/ee604808232a647bd2738e7558a98e13d5e76040/validate/validate.go (CheckBuildSteps)
 */
import { objectAt, objectsAt, textAt, textsAt, type JsonObject } from '../wire/json.ts';
import { invalidBuild } from './invalid-build.ts';

const maxTimeoutSeconds = 86_400;
/** @see https://cloud.google.com/build/docs/build-config-file-schema#args (10,000 characters; 4,000 in the local builder) */
const limits = { args: 100, argCharacters: 10_000, variables: 100, dirCharacters: 1_000 };

/** Before substitutions. @throws ApiError 400 */
export function checkStepLimits(build: JsonObject): void {
  const ofBuild = parseFloat(textAt(build, 'timeout') || '0');
  const maxSeconds = ofBuild === 0 ? maxTimeoutSeconds : ofBuild;
  for (const [i, step] of objectsAt(build, 'steps').entries()) {
    checkProgram(step, i);
    checkVariables(textsAt(step, 'env'), `build step ${i}`);
    if (textAt(step, 'dir').length > limits.dirCharacters) {
      throw badStep(`build step ${i} dir too long (max: ${limits.dirCharacters})`);
    }
    const seconds = parseFloat(textAt(step, 'timeout') || '0');
    if (seconds < 0) throw badTimeout(i, 'build step timeout must be >0');
    if (seconds > maxSeconds) {
      throw badTimeout(i, `build step timeout ${seconds}s must be <= build timeout ${maxSeconds}s`);
    }
  }
  checkVariables(textsAt(objectAt(build, 'options'), 'env'), '.options.env');
}

function checkProgram(step: JsonObject, index: number): void {
  const args = textsAt(step, 'args');
  if (textAt(step, 'script') !== '' && (args.length > 0 || textAt(step, 'entrypoint') !== '')) {
    const other = args.length > 0 ? 'args' : 'entrypoint';
    throw badStep(`build step ${index} both script and ${other} provided`);
  }
  if (args.length > limits.args) {
    throw badStep(`build step ${index} too many args (max: ${limits.args})`);
  }
  const long = args.findIndex((arg) => arg.length > limits.argCharacters);
  if (long < 0) return;
  throw badStep(`build step ${index} arg ${long} too long (max: ${limits.argCharacters})`);
}

function checkVariables(variables: readonly string[], whose: string): void {
  if (variables.length > limits.variables) {
    throw badStep(`${whose}: too many envs (max: ${limits.variables})`);
  }
  const bad = variables.find((variable) => !variable.includes('='));
  if (bad === undefined) return;
  throw badStep(`${whose}: the Env entry ${JSON.stringify(bad)} must be of the form "KEY=VALUE"`);
}

function badTimeout(index: number, reason: string): Error {
  return badStep(`invalid .timeout in build step #${index}: ${reason}`);
}

function badStep(reason: string): Error {
  return invalidBuild(`invalid .steps field: ${reason}`);
}

/**
 * Ids are unique; a step waits for earlier ones, or with `-` for none. After substitutions.
 * @see https://cloud.google.com/build/docs/configuring-builds/configure-build-step-order
 * @throws ApiError 400
 */
export function checkOrder(build: JsonObject): void {
  const ids = new Set(['-']);
  for (const [i, step] of objectsAt(build, 'steps').entries()) {
    const id = textAt(step, 'id');
    const named = id === '' ? `#${i}` : `#${i} - ${JSON.stringify(id)}`;
    const unknown = textsAt(step, 'waitFor').find((wanted) => !ids.has(wanted));
    if (unknown !== undefined) {
      throw badStep(
        `build step ${named} depends on ${JSON.stringify(unknown)}, which has not been defined`,
      );
    }
    if (id === '') continue;
    if (ids.has(id)) throw badStep(`build step ${named}: the ID is not unique`);
    ids.add(id);
  }
}
