/**
 * What each Dockerfile instruction does to a stage. In: one instruction and the stage so far, which is
 * changed. Out: the entries of a new layer, or undefined when only the configuration changed.
 * @see https://docs.docker.com/reference/dockerfile/
 */
import { posix } from 'node:path';
import { copy, CopyError } from './copy.ts';
import { parseExecForm, type Instruction } from './dockerfile.ts';
import { expandPairs, expandText, expandWords, ExpansionError } from './expand.ts';
import type { BuildConfig, HistoryEntry } from './image-config.ts';
import type { ImageTree } from './image-tree.ts';
import { partsOf } from './inside-root.ts';
import type { LayerEntry, PackedLayer } from './pack-layer.ts';

export interface StageState {
  readonly name: string | undefined;
  /** Undefined when the stage builds on an earlier one. */
  readonly base: string | undefined;
  readonly tree: ImageTree;
  readonly layers: (PackedLayer & { annotations?: Readonly<Record<string, string>> })[];
  readonly history: HistoryEntry[];
  readonly config: BuildConfig;
  readonly args: Map<string, string>;
}

interface InstructionContext {
  readonly state: StageState;
  readonly stages: readonly StageState[];
  readonly globals: ReadonlyMap<string, string>;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly used: Set<string>;
  readonly context: ImageTree;
  readonly escape: string;
  log(line: string): void;
}

type Handler = (instruction: Instruction, at: InstructionContext) => LayerEntry[] | undefined;

const handlers: Readonly<Record<string, Handler>> = {
  ADD: takeFiles,
  ARG: takeArg,
  CMD: (instruction, { state }) => {
    state.config.cmd = commandOf(instruction, state);
    return undefined;
  },
  COPY: takeFiles,
  ENTRYPOINT: (instruction, { state }) => {
    state.config.entrypoint = commandOf(instruction, state);
    return undefined;
  },
  ENV: ({ text }, at) => {
    for (const [name, value] of expandPairs(text, variablesOf(at.state), at.escape)) {
      at.state.config.env.set(name, value);
    }
    return undefined;
  },
  EXPOSE: ({ text }, at) => {
    for (const port of expandWords(text, variablesOf(at.state), at.escape)) {
      at.state.config.exposedPorts.add(port.includes('/') ? port : `${port}/tcp`);
    }
    return undefined;
  },
  HEALTHCHECK: ignored('jobs have no health checks'),
  LABEL: ({ text }, at) => {
    for (const [name, value] of expandPairs(text, variablesOf(at.state), at.escape)) {
      at.state.config.labels.set(name, value);
    }
    return undefined;
  },
  MAINTAINER: ({ text }, { state }) => {
    state.config.author = text;
    return undefined;
  },
  ONBUILD: ignored('triggers are not kept'),
  RUN: ignored("not run: the sandbox's process mode has no container to run it in"),
  SHELL: (instruction, { state }) => {
    const shell = parseExecForm(instruction.text);
    if (shell === undefined || shell.length === 0) {
      throw new ExpansionError('SHELL requires the arguments to be in JSON form');
    }
    state.config.shell = shell;
    return undefined;
  },
  STOPSIGNAL: ({ text }, at) => {
    at.state.config.stopSignal = expandText(text, variablesOf(at.state), at.escape);
    return undefined;
  },
  USER: ({ text }, at) => {
    at.state.config.user = expandText(text, variablesOf(at.state), at.escape);
    return undefined;
  },
  VOLUME: ({ text }, at) => {
    const words = parseExecForm(text) ?? expandWords(text, variablesOf(at.state), at.escape);
    for (const volume of words) at.state.config.volumes.add(volume);
    return undefined;
  },
  WORKDIR: ({ text }, at) => {
    const path = expandText(text, variablesOf(at.state), at.escape);
    at.state.config.workingDir = posix.resolve(at.state.config.workingDir, path);
    const directory = partsOf(at.state.config.workingDir).join('/');
    const added = at.state.tree.add([{ type: 'directory', path: directory, mode: 0o755 }]);
    return added.length === 0 ? undefined : added;
  },
};

/** @throws CopyError | ExpansionError for what the author can mend */
export function apply(instruction: Instruction, at: InstructionContext): LayerEntry[] | undefined {
  const handler = handlers[instruction.keyword];
  if (handler === undefined) {
    throw new ExpansionError(`unknown instruction: ${instruction.keyword}`);
  }
  return handler(instruction, at);
}

function ignored(why: string): Handler {
  return (_instruction, at) => {
    at.log(` ---> ${why}`);
    return undefined;
  };
}

/** ENV wins over ARG, as Docker has it. */
function variablesOf(state: StageState): ReadonlyMap<string, string> {
  return new Map([...state.args, ...state.config.env]);
}

function commandOf(instruction: Instruction, state: StageState): readonly string[] {
  return parseExecForm(instruction.text) ?? [...state.config.shell, instruction.text];
}

function takeArg({ text }: Instruction, at: InstructionContext): undefined {
  for (const word of expandWords(text, variablesOf(at.state), at.escape)) {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    at.used.add(name);
    const fallback = equals < 0 ? at.globals.get(name) : word.slice(equals + 1);
    const value = at.buildArgs.get(name) ?? fallback;
    if (value !== undefined) at.state.args.set(name, value);
  }
  return undefined;
}

function takeFiles(instruction: Instruction, at: InstructionContext): LayerEntry[] {
  const { keyword, flags, text } = instruction;
  if (instruction.hasHeredoc) {
    throw new CopyError(
      `${keyword} with a here-document is not known to the sandbox's process mode`,
    );
  }
  const variables = variablesOf(at.state);
  const words =
    parseExecForm(text)?.map((word) => expandText(word, variables, at.escape)) ??
    expandWords(text, variables, at.escape);
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2) {
    throw new CopyError(
      `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined.`,
    );
  }
  const sources = words.slice(0, -1);
  if (keyword === 'ADD') checkAdd(sources);
  if (flags.has('chown')) at.log(' ---> --chown ignored: everything belongs to one user here');
  const mode = modeOf(flags.get('chmod'));
  const entries = copy(sourceTree(flags.get('from'), at), at.state.tree, {
    sources,
    destination,
    workingDir: at.state.config.workingDir,
    ...(mode === undefined ? {} : { mode }),
  });
  return at.state.tree.add(entries);
}

function sourceTree(from: string | undefined, at: InstructionContext): ImageTree {
  if (from === undefined) return at.context;
  const name = expandText(from, variablesOf(at.state), at.escape).toLowerCase();
  const stage = at.stages.find((state, index) => state.name === name || String(index) === name);
  if (stage === undefined) {
    throw new CopyError(
      `invalid from flag value ${from}: process mode copies from this Dockerfile's earlier stages only`,
    );
  }
  return stage.tree;
}

function checkAdd(sources: readonly string[]): void {
  for (const source of sources) {
    if (/^(?:https?:|git@|git:)/i.test(source)) {
      throw new CopyError(`ADD ${source}: process mode downloads nothing`);
    }
    if (/\.(?:tar|tgz|tbz2?|txz|tar\.\w+)$/i.test(source)) {
      throw new CopyError(`ADD ${source}: process mode does not unpack archives; use COPY`);
    }
  }
}

function modeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^0?[0-7]{3}$/.test(text)) throw new CopyError(`--chmod=${text}: expected an octal mode`);
  return Number.parseInt(text, 8);
}
