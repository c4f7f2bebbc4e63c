/**
 * One build from its source archive to its pushed images. In: a `BuildExecution`. Out: a `BuildOutcome`,
 * and the log of its steps as Cloud Build words it; the lines around them are the build service's. Only
 * `gcr.io/cloud-builders/docker` steps can be done here; any other fails with a line that says why.
 * @see https://cloud.google.com/build/docs/build-config-file-schema
 */
import { mkdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseImageReference } from '../registry/image-reference.ts';
import { RegistryError } from '../registry/registry-error.ts';
import type { Registry } from '../registry/registry.ts';
import { ArchiveError } from './archive-entry.ts';
import { readContext } from './build-context.ts';
import { buildImage, type BuiltImage } from './build-image.ts';
import {
  DockerUsageError,
  parseDockerArguments,
  type DockerBuild,
  type DockerPush,
} from './docker-arguments.ts';
import { DockerfileError, parseDockerfile } from './dockerfile.ts';
import type { BuildExecution, BuildOutcome, BuildStep } from './executor.ts';
import { PathError, resolveInside } from './inside-root.ts';
import { unpackSource } from './unpack.ts';

/** Something that the build's author can mend; the message goes into the build's log. */
class StepError extends Error {
  override readonly name = 'StepError';
}

/** It is read, parsed and logged as a whole. */
const maxDockerfileBytes = 1024 ** 2;

/** `name:tag` → what `docker build` made of it; what a machine's own image store would hold. */
type LocalImages = Map<string, BuiltImage>;

interface Workspace {
  readonly build: BuildExecution;
  readonly directory: string;
  readonly registry: Registry;
  readonly local: LocalImages;
}

/** Runs the build in `scratch`, an empty directory that the caller removes. */
export async function runBuild(
  build: BuildExecution,
  scratch: string,
  registry: Registry,
): Promise<BuildOutcome> {
  const directory = join(scratch, 'workspace');
  await mkdir(directory);
  const workspace: Workspace = { build, directory, registry, local: new Map() };
  try {
    const unfetched = await fetchSource(workspace);
    if (unfetched !== undefined) return fail('FETCH_SOURCE_FAILED', unfetched);
    for (const [index, step] of build.steps.entries()) {
      const failure = await takeStep(workspace, step, index);
      if (failure !== undefined) {
        return { ...fail('USER_BUILD_STEP', failure), failedStep: index };
      }
    }
    return await pushImages(workspace);
  } catch (error) {
    if (!build.signal.aborted) throw error;
    return { status: 'CANCELLED', images: [] };
  }
}

function fail(type: string, detail: string): BuildOutcome {
  return { status: 'FAILURE', images: [], failure: { type, detail } };
}

async function fetchSource({ build, directory }: Workspace): Promise<string | undefined> {
  if (build.sourceArchive === undefined) return undefined;
  try {
    await unpackSource(build.sourceArchive, directory, build.signal);
    return undefined;
  } catch (error) {
    if (error instanceof ArchiveError) return `could not unpack the source: ${error.message}`;
    throw error;
  }
}

/** Returns why the step failed, or undefined. */
async function takeStep(
  workspace: Workspace,
  step: BuildStep,
  index: number,
): Promise<string | undefined> {
  const { build } = workspace;
  build.signal.throwIfAborted();
  const prefix = step.id === undefined ? `Step #${index}` : `Step #${index} - "${step.id}"`;
  const log = (line: string): void => build.log(`${prefix}: ${line}`);
  build.log(`Starting ${prefix}`);
  try {
    await runStep(workspace, step, log);
    build.log(`Finished ${prefix}`);
    return undefined;
  } catch (error) {
    if (!isAuthorsMistake(error)) throw error;
    log(error.message);
    build.log(`Finished ${prefix}`);
    return `build step ${index} "${step.name}" failed: ${error.message}`;
  }
}

function isAuthorsMistake(error: unknown): error is Error {
  return (
    error instanceof StepError ||
    error instanceof DockerfileError ||
    error instanceof DockerUsageError ||
    error instanceof PathError ||
    error instanceof RegistryError
  );
}

async function runStep(
  workspace: Workspace,
  step: BuildStep,
  log: (line: string) => void,
): Promise<void> {
  const isDocker = /^gcr\.io\/cloud-builders\/docker(?::[\w.-]+)?(?:@sha256:[a-f0-9]{64})?$/.test(
    step.name,
  );
  if (!isDocker) {
    throw new StepError(
      `the sandbox's process mode has no builder ${step.name}, only gcr.io/cloud-builders/docker`,
    );
  }
  const isDefaultEntrypoint = step.entrypoint === undefined || step.entrypoint === 'docker';
  if (!isDefaultEntrypoint || step.script !== undefined) {
    throw new StepError(
      `the sandbox's process mode runs docker build and docker push themselves, no ${step.entrypoint ?? 'script'}`,
    );
  }
  log(`Already have image: ${step.name}`);
  const command = parseDockerArguments(step.args, environmentOf(step));
  const cwd = await resolveInside(workspace.directory, step.dir ?? '');
  if (command.kind === 'build') await dockerBuild(workspace, command, cwd, log);
  else await dockerPush(workspace, command, log);
}

async function dockerBuild(
  workspace: Workspace,
  command: DockerBuild,
  cwd: string,
  log: (line: string) => void,
): Promise<void> {
  const { build, registry, local, directory: root } = workspace;
  const below = (path: string): Promise<string> =>
    resolveInside(
      root,
      path.startsWith('/') ? fromWorkspace(path) : join(relative(root, cwd), path),
    );
  const tags = command.tags.map((tag) => localName(tag));
  const contextDirectory = await below(command.context);
  const dockerfile =
    command.file === undefined ? join(contextDirectory, 'Dockerfile') : await below(command.file);
  if ((await stat(contextDirectory).catch(() => undefined))?.isDirectory() !== true) {
    throw new StepError(`unable to prepare context: path "${command.context}" not found`);
  }
  const file = relative(root, dockerfile);
  const text = await readDockerfile(await resolveInside(root, file));
  if (text === undefined) {
    throw new StepError(
      `unable to evaluate symlinks in Dockerfile path: lstat /workspace/${file}: no such file or directory`,
    );
  }
  if (command.ignored.length > 0) log(`Without effect here: ${command.ignored.join(', ')}`);
  const context = await readContext(contextDirectory, [
    `${dockerfile}.dockerignore`,
    join(contextDirectory, '.dockerignore'),
  ]);
  log(`Sending build context to Docker daemon  ${(context.sizeBytes / 1_000).toFixed(1)}kB`);
  const image = await buildImage({
    context,
    dockerfile: parseDockerfile(text, file),
    file,
    buildArgs: command.buildArgs,
    labels: command.labels,
    ...(command.target === undefined ? {} : { target: command.target }),
    registry,
    signal: build.signal,
    log,
  });
  for (const tag of tags) {
    local.set(tag, image);
    log(`Successfully tagged ${tag}`);
  }
}

/** Undefined when there is none. */
async function readDockerfile(path: string): Promise<string | undefined> {
  const size = (await stat(path).catch(() => undefined))?.size;
  if (size !== undefined && size > maxDockerfileBytes) {
    throw new StepError(`the sandbox reads no Dockerfile of more than ${maxDockerfileBytes} bytes`);
  }
  return readFile(path, 'utf8').catch(() => undefined);
}

async function dockerPush(
  { registry, local }: Workspace,
  command: DockerPush,
  log: (line: string) => void,
): Promise<void> {
  const wanted = localName(command.image);
  const repository = wanted.slice(0, wanted.lastIndexOf(':'));
  const names = command.allTags
    ? [...local.keys()].filter((name) => name.startsWith(`${repository}:`))
    : [wanted].filter((name) => local.has(name));
  log(`The push refers to repository [${repository}]`);
  if (names.length === 0) {
    throw new StepError(`An image does not exist locally with the tag: ${command.image}`);
  }
  for (const name of names) await push(registry, local, name, log);
}

/** What `images` lists, and only that, is pushed and reported at the end, as in production. */
async function pushImages({ build, registry, local }: Workspace): Promise<BuildOutcome> {
  const images: { name: string; digest: string }[] = [];
  if (build.images.length > 0) build.log('PUSH');
  for (const name of build.images) {
    build.signal.throwIfAborted();
    build.log(`Pushing ${name}`);
    try {
      const digest = await push(registry, local, localName(name), (line) => build.log(line));
      images.push({ name, digest });
    } catch (error) {
      if (!isAuthorsMistake(error)) throw error;
      const type = error instanceof StepError ? 'PUSH_IMAGE_NOT_FOUND' : 'PUSH_FAILED';
      return fail(type, `failed to push ${name}: ${error.message}`);
    }
  }
  return { status: 'SUCCESS', images };
}

async function push(
  registry: Registry,
  local: LocalImages,
  name: string,
  log: (line: string) => void,
): Promise<string> {
  const image = local.get(name);
  if (image === undefined) {
    throw new StepError(`An image does not exist locally with the tag: ${name}`);
  }
  const at = name.lastIndexOf(':');
  const tag = name.slice(at + 1);
  const repository = name.slice(0, at);
  const digest = await registry
    .putManifest(repository, tag, image.manifest, image.mediaType)
    .catch((error: unknown) => {
      // As docker prints what a registry answers.
      if (error instanceof RegistryError) {
        log(`${error.code.toLowerCase().replaceAll('_', ' ')}: ${error.message}`);
      }
      throw error;
    });
  log(`${tag}: digest: ${digest} size: ${image.manifest.byteLength}`);
  return digest;
}

/** The name with its host and a tag, `latest` when none is given. */
function localName(text: string): string {
  const reference = parseImageReference(text);
  if (reference === undefined || reference.digest !== undefined) {
    throw new StepError(`invalid argument "${text}": invalid reference format`);
  }
  return `${reference.name}:${reference.tag ?? 'latest'}`;
}

function environmentOf(step: BuildStep): Record<string, string> {
  const pairs = step.env.map((pair): [string, string] => {
    const at = pair.indexOf('=');
    return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

/** Steps know their directory as /workspace. */
function fromWorkspace(path: string): string {
  const match = /^\/workspace(?:\/(.*))?$/.exec(path);
  if (match === null) throw new StepError(`path "${path}" not found: only /workspace exists here`);
  return match[1] ?? '';
}
