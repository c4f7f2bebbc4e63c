/**
 * An image's configuration while it is built and when it is run.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md
 */
import { z } from 'zod';

const words = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? undefined);

const storedConfig = z.object({
  config: z
    .object({
      Env: words,
      Entrypoint: words,
      Cmd: words,
      WorkingDir: z.string().optional(),
      User: z.string().optional(),
    })
    .nullish(),
});

/** What a run needs to know of an image. */
export interface RunConfig {
  readonly env: ReadonlyMap<string, string>;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** Absolute. */
  readonly workingDir: string;
  readonly user: string;
}

/** @throws when the bytes are no image configuration. */
export function parseRunConfig(bytes: Uint8Array): RunConfig {
  const json: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  const config = storedConfig.parse(json).config;
  const workingDir = config?.WorkingDir ?? '';
  return {
    env: new Map((config?.Env ?? []).map((pair) => splitPair(pair))),
    entrypoint: config?.Entrypoint ?? [],
    cmd: config?.Cmd ?? [],
    workingDir: workingDir.startsWith('/') ? workingDir : `/${workingDir}`,
    user: config?.User ?? '',
  };
}

/** What instructions change. */
export interface BuildConfig {
  readonly env: Map<string, string>;
  readonly labels: Map<string, string>;
  readonly exposedPorts: Set<string>;
  readonly volumes: Set<string>;
  entrypoint: readonly string[] | undefined;
  cmd: readonly string[] | undefined;
  shell: readonly string[];
  workingDir: string;
  user: string;
  stopSignal: string;
  author: string;
}

export interface HistoryEntry {
  readonly created_by: string;
  readonly empty_layer?: true;
}

export function emptyConfig(): BuildConfig {
  return {
    env: new Map(),
    labels: new Map(),
    exposedPorts: new Set(),
    volumes: new Set(),
    entrypoint: undefined,
    cmd: undefined,
    shell: ['/bin/sh', '-c'],
    workingDir: '/',
    user: '',
    stopSignal: '',
    author: '',
  };
}

export function cloneConfig(config: BuildConfig): BuildConfig {
  return structuredClone(config);
}

/** The same input gives the same bytes: no time, no machine. */
export function renderConfig(
  config: BuildConfig,
  diffIds: readonly string[],
  history: readonly HistoryEntry[],
): Buffer {
  const filled = {
    ...(config.user === '' ? {} : { User: config.user }),
    ...(config.exposedPorts.size === 0 ? {} : { ExposedPorts: asSet(config.exposedPorts) }),
    Env: [...config.env].map(([name, value]) => `${name}=${value}`),
    ...(config.entrypoint === undefined ? {} : { Entrypoint: config.entrypoint }),
    ...(config.cmd === undefined ? {} : { Cmd: config.cmd }),
    ...(config.volumes.size === 0 ? {} : { Volumes: asSet(config.volumes) }),
    WorkingDir: config.workingDir,
    ...(config.labels.size === 0 ? {} : { Labels: Object.fromEntries(config.labels) }),
    ...(config.stopSignal === '' ? {} : { StopSignal: config.stopSignal }),
  };
  const image = {
    ...(config.author === '' ? {} : { author: config.author }),
    architecture: 'amd64',
    os: 'linux',
    config: filled,
    rootfs: { type: 'layers', diff_ids: diffIds },
    history,
  };
  return Buffer.from(JSON.stringify(image));
}

function asSet(names: ReadonlySet<string>): Record<string, object> {
  return Object.fromEntries([...names].sort().map((name) => [name, {}]));
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}
