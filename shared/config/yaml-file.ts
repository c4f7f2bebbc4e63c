/**
 * Reads one YAML file that somebody else wrote: its text in, a plain value with the position of every key
 * out, or the problems with file, line and column. Bounded, and without YAML's traps (aliases that
 * explode, keys given twice, custom tags).
 */
import {
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
} from 'yaml';
import type { Result } from '../errors.ts';
import type { ConfigProblem } from './problem.ts';

export const maxFileBytes = 256 * 1024;

export type Path = readonly (string | number)[];

export interface YamlFile {
  readonly value: unknown;
  /** A problem at a path: at the key itself when `atKey`, else at its value. */
  problemAt(path: Path, message: string, atKey?: boolean): ConfigProblem;
}

export function readYaml(text: string, file: string): Result<YamlFile, ConfigProblem> {
  if (Buffer.byteLength(text) > maxFileBytes) {
    return {
      ok: false,
      problems: [
        {
          file,
          line: 1,
          column: 1,
          path: '',
          message: `the file is larger than ${maxFileBytes / 1024} KiB.`,
        },
      ],
    };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    merge: false,
    strict: true,
  });
  if (document.errors.length > 0) {
    const problems = document.errors.slice(0, 5).map((error): ConfigProblem => {
      const { line, col } = lines.linePos(error.pos[0]);
      return {
        file,
        line: Math.max(1, line),
        column: Math.max(1, col),
        path: '',
        message: `${firstLine(error.message)}.`,
      };
    });
    return { ok: false, problems };
  }
  const problemAt = (path: Path, message: string, atKey = false): ConfigProblem => {
    const offset = offsetOf(document, path, atKey);
    const { line, col } = lines.linePos(offset);
    return {
      file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      path: printPath(path),
      message,
    };
  };
  try {
    return {
      ok: true,
      value: { value: document.toJS({ maxAliasCount: 50 }) as unknown, problemAt },
    };
  } catch {
    // The library's only reason to fail here is an alias that grows without bound.
    return {
      ok: false,
      problems: [
        {
          file,
          line: 1,
          column: 1,
          path: '',
          message: 'the file repeats itself through too many aliases.',
        },
      ],
    };
  }
}

/** `workerPoolSpecs[0].machineSpec.machineType` */
export function printPath(path: Path): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`,
    '',
  );
}

function offsetOf(document: Document, path: Path, atKey: boolean): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, part] of path.entries()) {
    const isLast = depth === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part),
      );
      if (pair === undefined) return offset;
      const key = pair.key as Node;
      const value = pair.value as Node | null;
      offset = (isLast && !atKey ? value?.range?.[0] : undefined) ?? key.range?.[0] ?? offset;
      node = value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(part)];
      node = item as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    } else {
      // A mapping that was wrapped into a list: its index is not in the file.
      if (typeof part === 'number') continue;
      return offset;
    }
  }
  return offset;
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '')
    .replace(/ at line \d+, column \d+:?$/, '')
    .replace(/[.:]$/, '')
    .slice(0, 200);
}
