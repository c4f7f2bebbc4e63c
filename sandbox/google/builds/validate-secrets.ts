/**
 * What Cloud Build refuses of the secrets in steps' environments: the build in, an ApiError with the service's own
 * words thrown.
 * @see https://github.com/GoogleCloudPlatform/cloud-build-local/blob/ee604808232a647bd2738e7558a98e13d5e76040/validate/validate.go (checkSecrets)
 */
import { invalidArgument } from '../wire/api-error.ts';
import { objectAt, objectsAt, textAt, textsAt, type JsonObject } from '../wire/json.ts';

/** @throws ApiError 400 */
export function checkSecrets(build: JsonObject): void {
  const options = objectAt(build, 'options');
  const global = textsAt(options, 'secretEnv');
  const used = new Set(global);
  if (used.size < global.length) throw bad('build uses a global secretEnv more than once');
  for (const [i, step] of objectsAt(build, 'steps').entries()) {
    const own = textsAt(step, 'secretEnv');
    const plain = [...textsAt(options, 'env'), ...textsAt(step, 'env')].map(nameOf);
    for (const [j, name] of own.entries()) {
      if (global.includes(name)) throw bad(`step ${i} uses the global secretEnv ${quoted(name)}`);
      if (own.indexOf(name) < j) {
        throw bad(`step ${i} uses the secretEnv ${quoted(name)} more than once`);
      }
    }
    const both = [...global, ...own].find((name) => plain.includes(name));
    if (both !== undefined) throw bad(`step ${i} has secret and non-secret env ${quoted(both)}`);
    own.forEach((name) => used.add(name));
  }
  const defined = definedIn(build);
  for (const [i, name] of defined.entries()) {
    if (defined.indexOf(name) < i) throw bad(`secretEnv ${quoted(name)} is defined more than once`);
    if (!used.has(name)) throw bad(`secretEnv ${quoted(name)} is defined without being used`);
  }
  const missing = [...used].find((name) => !defined.includes(name));
  if (missing === undefined) return;
  throw bad(`secretEnv ${quoted(missing)} is used without being defined`);
}

/** Of Secret Manager, and those that Cloud KMS has encrypted, in both of their places. */
function definedIn(build: JsonObject): string[] {
  const available = objectAt(build, 'availableSecrets');
  return [
    ...objectsAt(available, 'secretManager').map((secret) => textAt(secret, 'env')),
    ...objectsAt(available, 'inline').flatMap((one) => Object.keys(objectAt(one, 'envMap'))),
    ...objectsAt(build, 'secrets').flatMap((one) => Object.keys(objectAt(one, 'secretEnv'))),
  ];
}

function nameOf(variable: string): string {
  return variable.split('=', 1)[0] ?? '';
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function bad(reason: string): Error {
  return invalidArgument(`generic::invalid_argument: invalid secrets: ${reason}`);
}
