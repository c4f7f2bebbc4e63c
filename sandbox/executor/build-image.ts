/**
 * One `docker build`. In: a context, a Dockerfile and build arguments. Out: an OCI image whose blobs are in
 * the registry, and its manifest; the caller tags it. RUN lines are told in the log and not run: there is
 * no base image's userland to run them in. The log reads like docker's classic builder.
 */
import type { Descriptor, Registry } from '../registry/registry.ts';
import { mediaTypes } from '../registry/manifest.ts';
import type { BuildContext } from './build-context.ts';
import { CopyError } from './copy.ts';
import { DockerfileError, type Dockerfile, type Instruction, type Stage } from './dockerfile.ts';
import { expandText, expandWords, ExpansionError } from './expand.ts';
import { cloneConfig, emptyConfig, renderConfig, type HistoryEntry } from './image-config.ts';
import { ImageTree } from './image-tree.ts';
import { apply, type StageState } from './instructions.ts';
import { packLayer, type LayerEntry } from './pack-layer.ts';

interface ImageBuild {
  readonly context: BuildContext;
  readonly dockerfile: Dockerfile;
  /** As people know it, for messages. */
  readonly file: string;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Added to those of the Dockerfile. */
  readonly labels: readonly (readonly [string, string])[];
  readonly target?: string;
  readonly registry: Pick<Registry, 'putBlob'>;
  readonly signal: AbortSignal;
  log(line: string): void;
}

export interface BuiltImage {
  readonly digest: string;
  readonly manifest: Buffer;
  readonly mediaType: string;
}

/** @throws DockerfileError with file and line for everything that is the author's to mend. */
export async function buildImage(build: ImageBuild): Promise<BuiltImage> {
  const { dockerfile } = build;
  const globals = globalVariables(build);
  const total = dockerfile.globalArgs.length + countInstructions(dockerfile);
  let step = 0;
  const announce = (instruction: Instruction): void => {
    build.signal.throwIfAborted();
    step++;
    const flags = [...instruction.flags].map(([name, value]) => `--${name}=${value} `).join('');
    build.log(`Step ${step}/${total} : ${instruction.keyword} ${flags}${instruction.text}`);
  };
  dockerfile.globalArgs.forEach(announce);
  const used = new Set<string>(globals.keys());
  const stages: StageState[] = [];
  for (const stage of dockerfile.stages) {
    const state = begin(build, stage, globals, stages);
    announce(stage.from);
    await addBaseLayer(build, state);
    for (const instruction of stage.instructions) {
      announce(instruction);
      await takeInstruction(build, instruction, { state, stages, globals, used });
    }
    stages.push(state);
    if (build.target !== undefined && isStage(state, stages.length - 1, build.target)) break;
  }
  const final = stages.at(-1);
  if (final === undefined || !targetFound(build, stages)) {
    throw new DockerfileError(
      build.file,
      1,
      `target stage "${build.target ?? ''}" could not be found`,
    );
  }
  for (const [name, value] of build.labels) final.config.labels.set(name, value);
  warnUnused(build, used);
  const image = await store(build, final);
  build.log(`Successfully built ${image.digest.slice('sha256:'.length, 'sha256:'.length + 12)}`);
  return image;
}

interface Surroundings {
  readonly state: StageState;
  readonly stages: readonly StageState[];
  readonly globals: ReadonlyMap<string, string>;
  /** Build arguments that some ARG named. */
  readonly used: Set<string>;
}

async function takeInstruction(
  build: ImageBuild,
  instruction: Instruction,
  around: Surroundings,
): Promise<void> {
  const { state } = around;
  try {
    const layer = apply(instruction, {
      ...around,
      context: build.context.tree,
      buildArgs: build.buildArgs,
      escape: build.dockerfile.escape,
      log: (line) => build.log(line),
    });
    const created = `${instruction.keyword} ${instruction.text}`;
    if (layer === undefined) state.history.push({ created_by: created, empty_layer: true });
    else await addLayer(build, state, layer, created);
  } catch (error) {
    if (error instanceof CopyError || error instanceof ExpansionError) {
      throw new DockerfileError(build.file, instruction.line, error.message, { cause: error });
    }
    throw error;
  }
}

/** ARGs before the first FROM, which only FROM lines and a stage's own `ARG name` see. */
function globalVariables(build: ImageBuild): Map<string, string> {
  const globals = new Map<string, string>();
  for (const { text, line } of build.dockerfile.globalArgs) {
    try {
      for (const word of expandWords(text, globals, build.dockerfile.escape)) {
        const [name, value] = splitOnce(word, '=');
        const given = build.buildArgs.get(name) ?? value;
        if (given !== undefined) globals.set(name, given);
      }
    } catch (cause) {
      throw new DockerfileError(build.file, line, (cause as Error).message, { cause });
    }
  }
  return globals;
}

function begin(
  build: ImageBuild,
  stage: Stage,
  globals: ReadonlyMap<string, string>,
  earlier: readonly StageState[],
): StageState {
  const { line, text } = stage.from;
  const match = /^(\S+)(?:\s+AS\s+([A-Za-z][A-Za-z0-9_.-]*))?$/i.exec(text.trim());
  if (match?.[1] === undefined) {
    throw new DockerfileError(build.file, line, 'FROM requires either one or three arguments');
  }
  const base = expandText(match[1], globals, build.dockerfile.escape);
  if (base === '') {
    throw new DockerfileError(build.file, line, `base name (${match[1]}) should not be blank`);
  }
  const name = match[2]?.toLowerCase();
  const parent = earlier.find((state) => state.name === base.toLowerCase());
  return {
    name,
    base: parent === undefined ? base : undefined,
    tree: parent?.tree.clone() ?? new ImageTree(),
    layers: [...(parent?.layers ?? [])],
    history: [...(parent?.history ?? [])],
    config: parent === undefined ? emptyConfig() : cloneConfig(parent.config),
    args: new Map(),
  };
}

/** The base image is not fetched: an empty layer stands for it and says so. */
async function addBaseLayer(build: ImageBuild, state: StageState): Promise<void> {
  if (state.base === undefined || state.base === 'scratch') return;
  await addLayer(build, state, [], `FROM ${state.base} # simulated base`, {
    'dev.trainyard.sandbox.simulated-base': state.base,
  });
  build.log(` ---> Simulated: process mode has no ${state.base}; jobs use this machine's programs`);
}

async function addLayer(
  build: ImageBuild,
  state: StageState,
  entries: readonly LayerEntry[],
  createdBy: string,
  annotations?: Readonly<Record<string, string>>,
): Promise<void> {
  const packed = await packLayer(entries, (content) => build.registry.putBlob(content));
  state.layers.push({ ...packed, ...(annotations === undefined ? {} : { annotations }) });
  state.history.push({ created_by: createdBy });
  build.log(` ---> ${packed.digest.slice('sha256:'.length, 'sha256:'.length + 12)}`);
}

async function store(build: ImageBuild, state: StageState): Promise<BuiltImage> {
  const history: readonly HistoryEntry[] = state.history;
  const diffIds = state.layers.map((layer) => layer.diffId);
  const config = await build.registry.putBlob(renderConfig(state.config, diffIds, history));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: describe(mediaTypes.config, config),
      layers: state.layers.map((layer) => ({
        ...describe(mediaTypes.layer, layer),
        ...(layer.annotations === undefined ? {} : { annotations: layer.annotations }),
      })),
    }),
  );
  const { digest } = await build.registry.putBlob(manifest);
  return { digest, manifest, mediaType: mediaTypes.manifest };
}

function describe(mediaType: string, { digest, size }: Descriptor): object {
  return { mediaType, digest, size };
}

function isStage(state: StageState, index: number, wanted: string): boolean {
  return state.name === wanted.toLowerCase() || String(index) === wanted;
}

function targetFound(build: ImageBuild, stages: readonly StageState[]): boolean {
  const { target } = build;
  return target === undefined || stages.some((state, index) => isStage(state, index, target));
}

function countInstructions(dockerfile: Dockerfile): number {
  return dockerfile.stages.reduce((sum, stage) => sum + 1 + stage.instructions.length, 0);
}

function warnUnused(build: ImageBuild, used: ReadonlySet<string>): void {
  const unused = [...build.buildArgs.keys()].filter((name) => !used.has(name));
  if (unused.length > 0) {
    build.log(`[Warning] One or more build-args [${unused.join(' ')}] were not consumed`);
  }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
