/**
 * Dockerfiles as data. In: a Dockerfile's text. Out: its stages and instructions with their line numbers,
 * or a `DockerfileError` that names file and line. Variables are not yet expanded: that needs the
 * build's arguments (see expand.ts).
 * @see https://docs.docker.com/reference/dockerfile/
 */
import {
  DockerfileParser,
  ModifiableInstruction,
  type Instruction as AstInstruction,
} from 'dockerfile-ast';

/** One instruction with its text as one line: comments and line continuations are gone. */
export interface Instruction {
  /** Upper case. */
  readonly keyword: string;
  /** 1-based, where the instruction begins. */
  readonly line: number;
  /** Without flags. */
  readonly text: string;
  /** `--name=value` before the arguments; value is empty when there is no `=`. */
  readonly flags: ReadonlyMap<string, string>;
  readonly hasHeredoc: boolean;
}

export interface Stage {
  readonly from: Instruction;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** ARG instructions before the first FROM. */
  readonly globalArgs: readonly Instruction[];
  readonly stages: readonly Stage[];
  /** `\` unless the `escape` directive says otherwise. */
  readonly escape: string;
}

/** A Dockerfile that cannot be built, in words like Docker's; the message begins with `file:line:`. */
export class DockerfileError extends Error {
  override readonly name = 'DockerfileError';

  constructor(file: string, line: number, message: string, options?: { cause?: unknown }) {
    super(`${file}:${line}: ${message}`, options);
  }
}

const keywords = new Set(
  (
    'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL ' +
    'STOPSIGNAL USER VOLUME WORKDIR'
  ).split(' '),
);
const maxBytes = 1024 * 1024;

/** @throws DockerfileError */
export function parseDockerfile(text: string, file: string): Dockerfile {
  if (text.length > maxBytes) throw new DockerfileError(file, 1, 'the Dockerfile is too large');
  const parsed = DockerfileParser.parse(text.replace(/^\uFEFF/, ''));
  const escape = parsed.getEscapeCharacter();
  const globalArgs: Instruction[] = [];
  const stages: { from: Instruction; instructions: Instruction[] }[] = [];
  for (const node of parsed.getInstructions()) {
    const instruction = readInstruction(node, escape, file);
    const stage = stages.at(-1);
    if (instruction.keyword === 'FROM') stages.push({ from: instruction, instructions: [] });
    else if (stage !== undefined) stage.instructions.push(instruction);
    else if (instruction.keyword === 'ARG') globalArgs.push(instruction);
    else throw new DockerfileError(file, instruction.line, 'no build stage in current context');
  }
  if (stages.length === 0) {
    throw new DockerfileError(file, 1, 'file with no instructions');
  }
  return { globalArgs, stages, escape };
}

/** Reads `["a", "b"]` as Docker does: exec form only when it is a JSON array of strings. */
export function parseExecForm(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const isWords = Array.isArray(value) && value.every((word) => typeof word === 'string');
    return isWords ? value : undefined;
  } catch {
    return undefined;
  }
}

function readInstruction(node: AstInstruction, escape: string, file: string): Instruction {
  const keyword = node.getKeyword().toUpperCase();
  const line = node.getRange().start.line + 1;
  if (!keywords.has(keyword)) {
    throw new DockerfileError(file, line, `unknown instruction: ${keyword}`);
  }
  const rest = joinLines(node.getRawArgumentsContent() ?? '', escape);
  const flags = new Map<string, string>();
  if (node instanceof ModifiableInstruction) {
    for (const flag of node.getFlags()) flags.set(flag.getName(), flag.getValue() ?? '');
  }
  if (rest === '') {
    throw new DockerfileError(file, line, `${keyword} requires at least one argument`);
  }
  const takesHeredoc = keyword === 'RUN' || keyword === 'COPY' || keyword === 'ADD';
  const hasHeredoc = takesHeredoc && /(?:^|\s)<<-?["']?[A-Za-z_]/.test(rest);
  return { keyword, line, text: rest, flags, hasHeredoc };
}

/** Drops comment lines and empty lines inside of a continued instruction, and the continuations. */
function joinLines(raw: string, escape: string): string {
  const continued = new RegExp(`${escape === '`' ? '`' : '\\\\'}[ \\t]*$`);
  return raw
    .split(/\r?\n/)
    .filter((line, i) => i === 0 || !/^\s*(?:#|$)/.test(line))
    .map((line) => (continued.test(line) ? line.replace(continued, '') : `${line}\n`))
    .join('')
    .trim();
}
