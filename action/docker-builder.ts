/**
 * Builds and pushes an image with the docker of this runner: a DockerfileBuild and its context in, the image
 * by digest out. In place of Cloud Build, for runners that have docker anyway.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { UserError } from '../shared/errors.ts';
import type { DockerfileBuild } from '../shared/plan/plan.ts';
import { workingTree } from '../shared/source/working-tree.ts';
import { openDockerCredentials } from './docker-credentials.ts';
import { stageContext } from './staged-context.ts';

interface Builder {
  /** @returns `name@sha256:…`. @throws {UserError} when it did not come to an image. */
  build(request: BuilderRequest): Promise<string>;
}

interface BuilderRequest {
  readonly build: DockerfileBuild;
  /** An absolute path; docker gets what Cloud Build would get of it. */
  readonly context: string;
  /** Of the image, for people; a run uses the digest. */
  readonly tag: string;
  /** Lines of hostile text. */
  readonly log: (lines: readonly string[]) => void;
  /** Ends docker and all that it has started. */
  readonly signal: AbortSignal;
}

interface DockerBuilderOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A Google access token that is good now. */
  readonly token: () => Promise<string>;
  /** How long docker may take to end itself; 5 s if undefined. */
  readonly graceMs?: number;
}

export function createDockerBuilder(options: DockerBuilderOptions): Builder {
  return {
    build: async (request) => {
      const { env } = options;
      const parent = env['RUNNER_TEMP'] || '/tmp';
      const staged = await stageContext(workingTree(request.context), parent);
      const userConfig = env['DOCKER_CONFIG'] || join(env['HOME'] || '/', '.docker');
      const credentials = await openDockerCredentials({
        host: request.build.imageName.split('/')[0] ?? '',
        token: options.token,
        parent,
        pluginDirectory: join(userConfig, 'cli-plugins'),
      }).catch(async (error: unknown) => {
        await staged.close();
        throw error;
      });
      try {
        // Copying a large context takes longer than a cancelled step is left with.
        if (request.signal.aborted) throw stopped('cancelled', request.build);
        const metadataFile = join(credentials.directory, 'metadata.json');
        const told = toArguments({ ...request, context: staged.directory }, metadataFile);
        const child = start(told, {
          ...dockerEnvironment(env),
          PATH: `${credentials.directory}:${env['PATH'] ?? ''}`,
          DOCKER_CONFIG: credentials.directory,
          // Builders that the job has set up are the user's choice, and no secret.
          BUILDX_CONFIG: env['BUILDX_CONFIG'] || join(userConfig, 'buildx'),
        });
        await followDocker(child, request, options.graceMs ?? 5_000);
        return `${request.build.imageName}@${await readDigest(metadataFile)}`;
      } finally {
        await Promise.all([credentials.close(), staged.close()]);
      }
    },
  };
}

/** @internal @see https://docs.docker.com/reference/cli/docker/buildx/build/ */
export function toArguments(
  { build, context, tag }: Pick<BuilderRequest, 'build' | 'context' | 'tag'>,
  metadataFile: string,
): readonly string[] {
  const buildArgs = Object.entries(build.buildArgs ?? {});
  return [
    ...['buildx', 'build', '--push', '--progress=plain'],
    // Vertex AI has no other machines, whatever this one is.
    `--platform=${build.platform ?? 'linux/amd64'}`,
    // An attestation would make an index of the image, which not everything that pulls can read.
    '--provenance=false',
    `--metadata-file=${metadataFile}`,
    `--tag=${build.imageName}:${tag}`,
    `--file=${join(context, build.dockerfile)}`,
    ...(build.target === undefined ? [] : [`--target=${build.target}`]),
    ...(build.layerCache === false ? ['--no-cache'] : []),
    ...buildArgs.map(([name, value]) => `--build-arg=${name}=${value}`),
    context,
  ];
}

/**
 * Docker's own and the network's, and the mark by which the runner ends what a job has left behind; never the inputs,
 * nor the tokens that the runner gives to steps.
 * @see https://github.com/actions/runner/blob/main/src/Runner.Worker/JobExtension.cs (RUNNER_TRACKING_ID)
 */
const passedOn =
  /^(?:HOME|LANG|TMPDIR|RUNNER_TRACKING_ID|XDG_RUNTIME_DIR|DOCKER_(?:HOST|TLS_VERIFY|CERT_PATH|API_VERSION)|BUILDX_\w+|BUILDKIT_\w+|(?:https?|no|all)_proxy|(?:HTTPS?|NO|ALL)_PROXY|SSL_CERT_(?:FILE|DIR))$/;

function dockerEnvironment(env: DockerBuilderOptions['env']): Record<string, string> {
  const entries = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && passedOn.test(name) ? [[name, value] as const] : [],
  );
  return Object.fromEntries(entries);
}

function start(args: readonly string[], env: Record<string, string>): ChildProcess {
  // A group of its own, so that all of it can be ended at once.
  return spawn('docker', args, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** @throws {UserError} unless docker succeeds. */
async function followDocker(
  child: ChildProcess,
  { build, log, signal }: BuilderRequest,
  graceMs: number,
): Promise<void> {
  let stoppedFor: 'cancelled' | 'build_timeout' | undefined;
  let lastResort: NodeJS.Timeout | undefined;
  const stop = (reason: typeof stoppedFor): void => {
    stoppedFor ??= reason;
    kill(child, 'SIGTERM');
    lastResort ??= setTimeout(() => kill(child, 'SIGKILL'), graceMs);
  };
  const cancel = (): void => stop('cancelled');
  const timeout = setTimeout(() => stop('build_timeout'), build.timeoutSeconds * 1_000);
  signal.addEventListener('abort', cancel, { once: true });
  for (const stream of [child.stdout, child.stderr]) readLines(stream, log);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (stoppedFor !== undefined) throw stopped(stoppedFor, build);
    if (code === 0) return;
    const message = `docker could not build or push the image (exit code ${code ?? 'unknown'}).`;
    throw new UserError('build_failed', message, "Its last lines in this step's log say why.");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const fix = 'Use a runner that has it, or let Cloud Build build the image.';
    throw new UserError('build_failed', 'this runner has no `docker`.', fix, { cause: error });
  } finally {
    clearTimeout(timeout);
    clearTimeout(lastResort);
    signal.removeEventListener('abort', cancel);
  }
}

function stopped(reason: 'cancelled' | 'build_timeout', build: DockerfileBuild): UserError {
  return reason === 'cancelled'
    ? new UserError(reason, 'the build was cancelled.', 'Start it again when you want it.')
    : new UserError(
        reason,
        `the build took longer than ${build.timeoutSeconds} s and was ended.`,
        'Raise the timeout of the build, or make the image smaller.',
      );
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A program may print without end and without a line's end. */
const maxLineLength = 8_192;

function readLines(stream: NodeJS.ReadableStream | null, log: BuilderRequest['log']): void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream?.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > maxLineLength) {
      lines.push(rest);
      rest = '';
    }
    if (lines.length > 0) log(lines.map((line) => line.slice(0, maxLineLength)));
  });
  stream?.on('end', () => {
    if (rest !== '') log([rest]);
  });
}

/** @see https://docs.docker.com/reference/cli/docker/buildx/build/#metadata-file */
async function readDigest(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  const digest = (JSON.parse(text) as { readonly 'containerimage.digest'?: unknown })[
    'containerimage.digest'
  ];
  if (typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest;
  throw new UserError(
    'build_failed',
    'docker did not say which image it has pushed.',
    'Update docker buildx to 0.6 or later.',
  );
}
