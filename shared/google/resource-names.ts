/**
 * The parts of resource names and URLs, checked against allow-lists before any URL is built from them:
 * a region such as `evil.example/` would otherwise send our token to somebody else's host.
 */
import { UserError } from '../errors.ts';

/** @see https://cloud.google.com/vertex-ai/docs/general/locations */
const regionPattern = /^(?:[a-z]+-[a-z]+\d+|global)$/;
/** @see https://cloud.google.com/resource-manager/docs/creating-managing-projects (ids, and `example.com:id`) */
const projectPattern = /^(?:[a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$|^\d{1,20}$/;
/** @see https://cloud.google.com/storage/docs/buckets#naming */
const bucketPattern = /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/;
/** What Cloud Build (UUID) and Vertex AI (number) use. */
const idPattern = /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/;
/** @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.builds (tags) */
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const labelKeyPattern = /^[a-z][a-z0-9_-]{0,62}$/;
const labelValuePattern = /^[a-z0-9_-]{1,63}$/;
/** @see https://cloud.google.com/iam/docs/service-account-overview */
const serviceAccountPattern = /^[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}\.gserviceaccount\.com$/;

/** What comes after an image's name: a digest, or a tag. */
const imagePattern =
  /^([a-z]+(?:-[a-z]+\d+)?)-docker\.pkg\.dev\/([^/@]+)\/([a-z][a-z0-9-]{0,62})\/([a-z0-9][a-z0-9._/-]{0,199})(?:@(sha256:[0-9a-f]{64})|:(\w[\w.-]{0,127}))$/;

/** @see https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers */
const providerPattern =
  /^projects\/\d{1,20}\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}\/providers\/[a-z0-9-]{4,32}$/;

/** @see https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions */
const secretVersionPattern =
  /^projects\/((?:[a-z0-9.-]{1,60}:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|\d{1,20})\/secrets\/[A-Za-z0-9_-]{1,255}\/versions\/(?:\d{1,10}|[a-z][a-z0-9_-]{0,62})$/i;

export interface Location {
  readonly project: string;
  readonly region: string;
}

export interface ResourceName extends Location {
  readonly id: string;
}

export function region(text: string): string {
  return checked(text, regionPattern, 'region');
}

export function project(text: string): string {
  return checked(text, projectPattern, 'project id');
}

export function bucket(text: string): string {
  return checked(text, bucketPattern, 'bucket name');
}

export function tag(text: string): string {
  return checked(text, tagPattern, 'build tag');
}

export function resourceId(text: string): string {
  return checked(text, idPattern, 'resource id');
}

export function serviceAccount(text: string): string {
  return checked(text, serviceAccountPattern, 'service account e-mail');
}

/** `projects/P/secrets/S/versions/V` */
export function secretVersion(text: string): string {
  return checked(text, secretVersionPattern, 'version of a secret');
}

/** With the project's number; its id is not taken here by Google either. */
export function workloadIdentityProvider(text: string): string {
  return checked(text, providerPattern, 'workload identity provider (`projects/NUMBER/…`)');
}

export function label(
  key: string,
  value: string,
): { readonly key: string; readonly value: string } {
  return {
    key: checked(key, labelKeyPattern, 'label key'),
    value: checked(value, labelValuePattern, 'label value'),
  };
}

/** An object's name goes percent-encoded into URLs; only what no object can be called is refused. */
export function objectName(text: string): string {
  if (
    text === '' ||
    text === '.' ||
    text === '..' ||
    /[\r\n\0]/.test(text) ||
    text.length > 1_024
  ) {
    throw notAllowed('object name', text);
  }
  return text;
}

/** `projects/P/locations/R` */
export function locationName(where: Location): string {
  return `projects/${project(where.project)}/locations/${region(where.region)}`;
}

/** Takes `projects/P/locations/R/COLLECTION/ID` apart, each part checked. */
export function parseResourceName(name: string, collection: 'builds' | 'customJobs'): ResourceName {
  const parts = name.split('/');
  const [projects, projectId, locations, regionName, kind, id] = parts;
  const fits =
    parts.length === 6 &&
    projects === 'projects' &&
    locations === 'locations' &&
    kind === collection;
  if (!fits || projectId === undefined || regionName === undefined || id === undefined) {
    throw notAllowed(`name of one of the ${collection}`, name);
  }
  return { project: project(projectId), region: region(regionName), id: resourceId(id) };
}

/**
 * `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/NAME@sha256:…` as Artifact Registry's API names it. The slashes
 * of a nested NAME stand percent-encoded in the resource's name.
 * @see https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.dockerImages
 */
export function dockerImageName(image: string): string {
  const { parent, name, digest } = parseImage(image);
  if (digest === undefined) throw notAllowed('image with a digest', image);
  return `${parent}/dockerImages/${name}@${digest}`;
}

/**
 * The tag of `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/NAME:TAG` as Artifact Registry's API names it.
 * @see https://cloud.google.com/artifact-registry/docs/reference/rest/v1/projects.locations.repositories.packages.tags
 */
export function dockerTagName(image: string): string {
  const { parent, name, tag: imageTag } = parseImage(image);
  if (imageTag === undefined) throw notAllowed('image with a tag', image);
  return `${parent}/packages/${name}/tags/${imageTag}`;
}

function parseImage(image: string): {
  readonly parent: string;
  /** Percent-encoded. */
  readonly name: string;
  readonly digest: string | undefined;
  readonly tag: string | undefined;
} {
  const match = imagePattern.exec(image);
  if (match === null) throw notAllowed('image in Artifact Registry', image);
  const [, location, projectId, repository, name, digest, imageTag] = match;
  const parent = `projects/${project(projectId ?? '')}/locations/${location}/repositories/${repository}`;
  return { parent, name: encodeURIComponent(name ?? ''), digest, tag: imageTag };
}

/** Where Artifact Registry's Docker API has `LOCATION-docker.pkg.dev/PROJECT/REPOSITORY/NAME@sha256:…`. */
export function registryPath(image: string): {
  readonly host: string;
  readonly path: string;
  readonly digest: string;
} {
  const { digest } = parseImage(image);
  if (digest === undefined) throw notAllowed('image with a digest', image);
  const name = image.slice(0, image.indexOf('@'));
  const host = name.slice(0, name.indexOf('/'));
  return { host, path: `/v2/${name.slice(host.length + 1)}`, digest };
}

/** Takes `gs://bucket` or `gs://bucket/prefix` apart; the prefix has no slash at either end. */
export function parseBucketUri(uri: string): { readonly bucket: string; readonly prefix: string } {
  const match = /^(?:gs:\/\/)?([^/]+)(?:\/(.*))?$/.exec(uri);
  if (match === null) throw notAllowed('bucket URI', uri);
  return { bucket: bucket(match[1] ?? ''), prefix: (match[2] ?? '').replace(/\/+$/, '') };
}

function checked(text: string, pattern: RegExp, what: string): string {
  if (!pattern.test(text)) throw notAllowed(what, text);
  return text;
}

function notAllowed(what: string, text: string): UserError {
  return new UserError(
    'bad_config',
    `${JSON.stringify(text.slice(0, 80))} is not a ${what}.`,
    `Check the ${what} in the configuration.`,
  );
}
