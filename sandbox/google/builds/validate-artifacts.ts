/**
 * What Cloud Build refuses of what a build shall leave behind: the build in, an ApiError with the service's own
 * words thrown.
 * @see https://github.com/GoogleCloudPlatform/cloud-build-local/blob/ee604808232a647bd2738e7558a98e13d5e76040/validate/validate.go (CheckArtifacts)
 */
import { objectAt, textAt, textsAt, type JsonObject } from '../wire/json.ts';
import { invalidBuild } from './invalid-build.ts';

const max = { images: 100, paths: 100 };

/** After substitutions. @throws ApiError 400 */
export function checkArtifacts(build: JsonObject): void {
  const artifacts = objectAt(build, 'artifacts');
  const images = textsAt(build, 'images');
  const others = textsAt(artifacts, 'images');
  if (images.length > 0 && others.length > 0 && images.join('\n') !== others.join('\n')) {
    throw bad('cannot specify different .images and .artifacts.images');
  }
  if (Math.max(images.length, others.length) > max.images) {
    throw bad(`cannot specify more than ${max.images} images to build`);
  }
  if ('objects' in artifacts) checkObjects(objectAt(artifacts, 'objects'));
}

function checkObjects(objects: JsonObject): void {
  const location = textAt(objects, 'location');
  if (location === '') throw bad('.artifacts.location field is empty');
  if (!location.startsWith('gs://')) {
    throw bad(
      `invalid .artifacts.location value ${JSON.stringify(location)}; Google Cloud Storage URLs must begin with 'gs://'`,
    );
  }
  const paths = textsAt(objects, 'paths');
  if (paths.length === 0) throw bad('.artifacts.paths field empty');
  if (paths.length > max.paths) {
    throw bad(
      `.artifacts.paths field has length ${paths.length}, but cannot specify more than ${max.paths}`,
    );
  }
  for (const [i, path] of paths.entries()) {
    if (/\s/.test(path)) throw bad(`.artifacts.paths ${JSON.stringify(path)} contains whitespace`);
    if (paths.indexOf(path) < i) {
      throw bad(`.artifacts.paths field has duplicate paths; remove duplicates [${path}]`);
    }
  }
}

function bad(reason: string): Error {
  return invalidBuild(`invalid .artifacts field: ${reason}`);
}
