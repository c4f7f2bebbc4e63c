/**
 * Starts git on one of the sandbox's repositories: arguments as arrays, no shell, and none of this
 * machine's git configuration, so that neither a pushed file nor a user's settings choose what runs.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Given to every git that runs; `core.hooksPath` so that no hook does, wherever it came from. */
const configuration: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.excludesFile': '/dev/null',
  'core.attributesFile': '/dev/null',
  'core.autocrlf': 'false',
  'gc.auto': '0',
  'receive.autogc': 'false',
  'safe.directory': '*',
};

/** A blob, archive list or diff larger than this is refused rather than held in memory. */
const maxOutputBytes = 128 * 1024 ** 2;

/** The environment of a git process on that repository. HOME is not in it on purpose. */
export function gitEnvironment(
  directory: string,
  more: {
    readonly configuration?: Readonly<Record<string, string>>;
    readonly environment?: Readonly<Record<string, string>>;
  } = {},
): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    LC_ALL: 'C.UTF-8',
    GIT_DIR: directory,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    ...more.environment,
  };
  const settings = Object.entries({ ...configuration, ...more.configuration });
  environment['GIT_CONFIG_COUNT'] = String(settings.length);
  for (const [index, [key, value]] of settings.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return environment;
}

interface GitOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** What git reads from its standard input. */
  readonly input?: string;
}

/** git's output as bytes. @throws when git fails */
export async function git(
  directory: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Buffer> {
  const running = execute('git', [...args], {
    encoding: 'buffer',
    env: gitEnvironment(directory, options),
    maxBuffer: maxOutputBytes,
  });
  running.child.stdin?.on('error', () => undefined).end(options.input ?? '');
  return (await running).stdout;
}

/** git's output as text without the last line end. */
export async function gitText(
  directory: string,
  args: readonly string[],
  options?: GitOptions,
): Promise<string> {
  return (await git(directory, args, options)).toString('utf8').replace(/\n$/, '');
}
