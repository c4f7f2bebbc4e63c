/** Where a trigger's build comes from: a file of the revision, the trigger itself, or what is found there. */
import { parse, YAMLError } from 'yaml';
import { invalidArgument, notFound } from '../wire/api-error.ts';
import type { Descriptors } from '../wire/descriptors.ts';
import { objectAt, objectsAt, textAt, type Json, type JsonObject } from '../wire/json.ts';
import { readMessage } from '../wire/read-message.ts';
import { linkedRepository, type ConnectionPorts } from './connections.ts';
import { parseRemoteUri, type SourceHost, type SourceRepository } from './source-host.ts';
import type { Revision } from './trigger-build.ts';

export interface TemplatePorts {
  readonly sources: SourceHost;
  readonly connections: ConnectionPorts;
  readonly descriptors: () => Descriptors;
}

interface Template {
  readonly build: JsonObject;
  /** Of the file that it was read from. */
  readonly path: string | undefined;
}

/** More is no build configuration. */
const maxConfigBytes = 1024 * 1024;

/** In this order and whatever their case. @see https://cloud.google.com/build/docs/api/reference/rest/v1/projects.triggers#buildtrigger (autodetect) */
const detected = ['cloudbuild.yaml', 'cloudbuild.yml', 'cloudbuild.json', 'dockerfile'];

/** @throws ApiError 400 or 404 when there is no file, or no build in it. */
export async function readTemplate(
  ports: TemplatePorts,
  trigger: JsonObject,
  revision: Revision | undefined,
): Promise<Template> {
  if (trigger['build'] !== undefined) {
    return { build: fromRoot(objectAt(trigger, 'build')), path: undefined };
  }
  if (trigger['gitFileSource'] !== undefined) {
    return readElsewhere(ports, objectAt(trigger, 'gitFileSource'), revision);
  }
  if (revision === undefined)
    throw invalidArgument('The trigger has no source to read its build from.');
  const { repository, sha } = revision;
  const filename = textAt(trigger, 'filename');
  if (filename !== '') return readConfig(ports, repository, sha, filename);
  const names = await repository.rootNames(sha);
  const found = detected.flatMap(
    (wanted) => names.find((name) => name.toLowerCase() === wanted) ?? [],
  )[0];
  if (found === undefined) {
    throw notFound(`Neither a build configuration nor a Dockerfile is at the root of ${sha}.`);
  }
  return found.toLowerCase() === 'dockerfile'
    ? { build: buildOfDockerfile(repository, found), path: undefined }
    : readConfig(ports, repository, sha, found);
}

/**
 * The `/` of a step is the repository's root: gcloud says so of `--dockerfile-dir`, and sends it by default.
 * @see https://cloud.google.com/sdk/gcloud/reference/builds/triggers/create/github#--dockerfile-dir
 */
function fromRoot(build: JsonObject): JsonObject {
  const steps = objectsAt(build, 'steps').map((step) => {
    const dir = textAt(step, 'dir');
    return dir.startsWith('/') && !dir.startsWith('/workspace')
      ? { ...step, dir: dir.replace(/^\/+/, '') }
      : step;
  });
  return { ...build, steps };
}

/** @see https://cloud.google.com/build/docs/automating-builds/create-manage-triggers (configuration: Dockerfile) */
function buildOfDockerfile({ owner, name }: SourceRepository, file: string): JsonObject {
  const image = `gcr.io/$PROJECT_ID/github.com/${owner}/${name}:$COMMIT_SHA`
    .toLowerCase()
    .replace(/\$(project_id|commit_sha)/g, (variable) => variable.toUpperCase());
  const args = ['build', '-t', image, '-f', file, '.'];
  return { steps: [{ name: 'gcr.io/cloud-builders/docker', args }], images: [image] };
}

/** `gitFileSource`: from its own repository and revision, where it has them. */
async function readElsewhere(
  ports: TemplatePorts,
  file: JsonObject,
  revision: Revision | undefined,
): Promise<Template> {
  const resourceName = textAt(file, 'repository');
  const uri = textAt(file, 'uri');
  const name =
    resourceName === '' ? parseRemoteUri(uri) : linkedRepository(ports.connections, resourceName);
  const isElsewhere = resourceName !== '' || uri !== '';
  const elsewhere = name === undefined ? undefined : ports.sources.find(name.owner, name.name);
  const repository = isElsewhere ? elsewhere : revision?.repository;
  if (repository === undefined) throw notFound('The repository of git_file_source is not there.');
  const asked = textAt(file, 'revision');
  const ref = asked === '' ? (isElsewhere ? 'HEAD' : revision?.sha) : asked;
  const sha = ref === undefined ? undefined : await repository.resolve(ref);
  if (sha === undefined) throw notFound(`Couldn't read commit: ${asked} is not in the repository.`);
  return readConfig(ports, repository, sha, textAt(file, 'path'));
}

async function readConfig(
  ports: TemplatePorts,
  repository: SourceRepository,
  sha: string,
  path: string,
): Promise<Template> {
  const bytes = await repository.readFile(sha, path);
  if (bytes === undefined) {
    throw notFound(`Couldn't read the build configuration: ${path} is not in commit ${sha}.`);
  }
  if (bytes.length > maxConfigBytes) {
    throw invalidArgument(
      `${path} has ${bytes.length} bytes; a build configuration has at most ${maxConfigBytes}.`,
    );
  }
  const reading = readMessage(
    ports.descriptors(),
    'google.devtools.cloudbuild.v1.Build',
    parseYaml(bytes.toString('utf8'), path),
    '',
  );
  if (reading.violations.length > 0) {
    const problems = reading.violations.map(({ description }) => description).join('; ');
    throw invalidArgument(`failed unmarshalling build config ${path}: ${problems}`);
  }
  return { build: reading.message, path };
}

function parseYaml(text: string, path: string): Json {
  try {
    // Aliases are limited by the parser's own default, so that none of them grows without end.
    return parse(text) as Json;
  } catch (error) {
    // Aliases and depth out of bounds are errors of other kinds.
    const kinds = [YAMLError, ReferenceError, RangeError];
    if (!(error instanceof Error) || !kinds.some((kind) => error instanceof kind)) throw error;
    throw invalidArgument(`failed unmarshalling build config ${path}: ${error.message}`);
  }
}
