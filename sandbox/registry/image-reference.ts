/**
 * How images are named: `host/path/of/repository[:tag][@sha256:…]`. In: text from build files, jobs and
 * URLs. Out: its parts, or undefined when the grammar does not allow it, so that nothing else ever
 * becomes a path.
 * @see https://github.com/distribution/reference/blob/v0.6.0/reference.go
 */

interface ImageReference {
  /** With its host, without tag or digest. */
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const path = `${component}(?:/${component})*`;
// A first part counts as a host only with a dot or a port (or as localhost); else it is Docker Hub's.
const host =
  '(?:localhost(?::[0-9]{1,5})?|[A-Za-z0-9][A-Za-z0-9-]*(?:(?:\\.[A-Za-z0-9][A-Za-z0-9-]*)+(?::[0-9]{1,5})?|:[0-9]{1,5}))';
const tag = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';
const digest = 'sha256:[a-f0-9]{64}';

const pathPattern = new RegExp(`^${path}$`);
const namePattern = new RegExp(`^${host}/${path}$`);
const tagPattern = new RegExp(`^${tag}$`);
const digestPattern = new RegExp(`^${digest}$`);
const referencePattern = new RegExp(
  `^(?:(?<host>${host})/)?(?<path>${path})(?::(?<tag>${tag}))?(?:@(?<digest>${digest}))?$`,
);
const maxNameLength = 255;

/** A repository's path without its host, as it stands in a registry's URLs. */
export function isRepositoryPath(text: string): boolean {
  return text.length <= maxNameLength && pathPattern.test(text);
}

/** A repository's name with its host. */
export function isRepositoryName(text: string): boolean {
  return text.length <= maxNameLength && namePattern.test(text);
}

export function isTag(text: string): boolean {
  return tagPattern.test(text);
}

export function isDigest(text: string): boolean {
  return digestPattern.test(text);
}

/** Reads an image name as `docker` does: a name without host is Docker Hub's. */
export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length > maxNameLength + 200) return undefined;
  const groups = referencePattern.exec(text)?.groups;
  const repositoryPath = groups?.['path'];
  if (groups === undefined || repositoryPath === undefined) return undefined;
  const name = `${groups['host'] ?? 'docker.io'}/${hubPath(groups['host'], repositoryPath)}`;
  if (name.length > maxNameLength) return undefined;
  return {
    name,
    ...(groups['tag'] === undefined ? {} : { tag: groups['tag'] }),
    ...(groups['digest'] === undefined ? {} : { digest: groups['digest'] }),
  };
}

function hubPath(hostPart: string | undefined, repositoryPath: string): string {
  return hostPart === undefined && !repositoryPath.includes('/')
    ? `library/${repositoryPath}`
    : repositoryPath;
}
