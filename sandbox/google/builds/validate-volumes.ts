/**
 * What Cloud Build refuses of the volumes that steps share: the build in, an ApiError with the service's own
 * words thrown.
 * @see https://github.com/GoogleCloudPlatform/cloud-build-local/blob/ee604808232a647bd2738e7558a98e13d5e76040/validate/validate.go (checkVolumes)
 */
import { posix } from 'node:path';
import { objectAt, objectsAt, textAt, type JsonObject } from '../wire/json.ts';
import { invalidBuild } from './invalid-build.ts';

const name = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
const reserved: ReadonlySet<string> = new Set([
  '/workspace',
  '/builder/home',
  '/var/run/docker.sock',
]);

/** @throws ApiError 400 */
export function checkVolumes(build: JsonObject): void {
  const steps = objectsAt(build, 'steps');
  const global = objectsAt(objectAt(build, 'options'), 'volumes');
  if (global.length > 0 && steps.length < 2) {
    throw invalidBuild('Global volumes defined but there are fewer than two steps');
  }
  checkOnes(global, 'invalid .options.volumes');
  const uses = new Map<string, number>();
  for (const [i, step] of steps.entries()) {
    const own = objectsAt(step, 'volumes');
    checkOnes([...global, ...own], `build step #${i} - ${JSON.stringify(textAt(step, 'id'))}`);
    for (const volume of own) {
      uses.set(textAt(volume, 'name'), (uses.get(textAt(volume, 'name')) ?? 0) + 1);
    }
  }
  for (const [volume, times] of uses) {
    if (times < 2) throw invalidBuild(`Volume ${JSON.stringify(volume)} is only used by one step`);
  }
}

/** Those that one step sees. */
function checkOnes(volumes: readonly JsonObject[], where: string): void {
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const volume of volumes) {
    const given = textAt(volume, 'name');
    const path = withoutSlash(posix.normalize(textAt(volume, 'path')));
    const reason = faultOf(given, path);
    if (reason !== undefined) throw invalidBuild(`${where}: ${reason}`);
    if (names.has(given)) throw twice(where, 'name', given);
    if (paths.has(path)) throw twice(where, 'path', path);
    names.add(given);
    paths.add(path);
  }
}

function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/$/, '') : path;
}

function faultOf(volume: string, path: string): string | undefined {
  if (!name.test(volume)) {
    return `volume name ${JSON.stringify(volume)} does not match "${name.source}"`;
  }
  if (!path.startsWith('/')) return `path ${JSON.stringify(path)} is not valid, must be absolute`;
  if (reserved.has(path)) return `path ${JSON.stringify(path)} is reserved`;
  return path.startsWith('/cloudbuild/')
    ? `volume path ${JSON.stringify(path)} cannot start with /cloudbuild/`
    : undefined;
}

function twice(where: string, what: 'name' | 'path', value: string): Error {
  return invalidBuild(
    `${where}: volume ${what} ${JSON.stringify(value)} is defined in more than one volume entry`,
  );
}
