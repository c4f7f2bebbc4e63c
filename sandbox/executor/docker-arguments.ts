/**
 * The command line of a `gcr.io/cloud-builders/docker` step. In: its `args`. Out: what to build or push, or
 * a `DockerUsageError` in docker's own words.
 * @see https://docs.docker.com/reference/cli/docker/buildx/build/
 */
import { parseArgs } from 'node:util';

export interface DockerBuild {
  readonly kind: 'build';
  readonly tags: readonly string[];
  /** Relative to the step's directory; undefined means `Dockerfile` in the context. */
  readonly file?: string;
  /** A name without value takes it from the step's environment. */
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: readonly (readonly [string, string])[];
  readonly target?: string;
  readonly context: string;
  /** Options that change nothing here, to be told in the log. */
  readonly ignored: readonly string[];
}

export interface DockerPush {
  readonly kind: 'push';
  readonly image: string;
  readonly allTags: boolean;
}

export class DockerUsageError extends Error {
  override readonly name = 'DockerUsageError';
}

const repeated = { type: 'string', multiple: true } as const;
const once = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;

const buildOptions = {
  tag: { ...repeated, short: 't' },
  file: { ...once, short: 'f' },
  'build-arg': repeated,
  target: once,
  quiet: { ...flag, short: 'q' },
  'no-cache': flag,
  pull: flag,
  rm: flag,
  'force-rm': flag,
  squash: flag,
  compress: flag,
  network: once,
  'cache-from': repeated,
  'cache-to': repeated,
  platform: once,
  progress: once,
  label: repeated,
  memory: { ...once, short: 'm' },
  'shm-size': once,
} as const;

/** Those that may be left out without changing the image. */
const harmless = ['no-cache', 'network', 'cache-from', 'cache-to', 'platform', 'pull', 'squash'];

/** @throws DockerUsageError */
export function parseDockerArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): DockerBuild | DockerPush {
  const words = args[0] === 'buildx' || args[0] === 'image' ? args.slice(1) : args;
  switch (words[0]) {
    case 'build':
      return parseBuild(words.slice(1), environment);
    case 'push':
      return parsePush(words.slice(1));
    default:
      throw new DockerUsageError(
        `docker ${words[0] ?? ''}: the sandbox's process mode knows only docker build and docker push`,
      );
  }
}

function parseBuild(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): DockerBuild {
  const { values, positionals } = parse(() =>
    parseArgs({ args: [...args], options: buildOptions, allowPositionals: true }),
  );
  const [context] = positionals;
  if (context === undefined || positionals.length !== 1) {
    throw new DockerUsageError('"docker build" requires exactly 1 argument.');
  }
  if (/^(?:https?|git|ssh):|^-$|^git@/.test(context)) {
    throw new DockerUsageError(
      `the sandbox's process mode builds directories only, not ${context}`,
    );
  }
  const buildArgs = new Map<string, string>();
  for (const pair of values['build-arg'] ?? []) {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    const value = at < 0 ? environment[name] : pair.slice(at + 1);
    if (value !== undefined) buildArgs.set(name, value);
  }
  return {
    kind: 'build',
    tags: values.tag ?? [],
    buildArgs,
    labels: (values.label ?? []).map((pair) => splitLabel(pair)),
    context,
    ignored: harmless.filter((name) => name in values).map((name) => `--${name}`),
    ...(values.file === undefined ? {} : { file: values.file }),
    ...(values.target === undefined ? {} : { target: values.target }),
  };
}

function parsePush(args: readonly string[]): DockerPush {
  const { values, positionals } = parse(() =>
    parseArgs({
      args: [...args],
      options: {
        'all-tags': { ...flag, short: 'a' },
        quiet: { ...flag, short: 'q' },
        'disable-content-trust': flag,
      },
      allowPositionals: true,
    }),
  );
  const [image] = positionals;
  if (image === undefined || positionals.length !== 1) {
    throw new DockerUsageError('"docker push" requires exactly 1 argument.');
  }
  return { kind: 'push', image, allTags: values['all-tags'] === true };
}

function splitLabel(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}

function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    // Node adds a hint about its own command lines.
    const [message = 'bad arguments'] = (cause as Error).message.split('. To specify');
    throw new DockerUsageError(message, { cause });
  }
}
