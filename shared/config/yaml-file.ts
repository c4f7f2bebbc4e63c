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
  Lexer,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
  type Scalar,
} from 'yaml';
import type { Result } from '../errors.ts';
import { gcloudTags } from './gcloud-scalars.ts';
import type { ConfigProblem } from './problem.ts';

/** @internal */
export const maxFileBytes = 64 * 1024;

export type Path = readonly (string | number)[];

export interface YamlFile {
  readonly value: unknown;
  /** A problem at a path: at the key itself when `atKey`, else at its value. */
  problemAt(path: Path, message: string, atKey?: boolean): ConfigProblem;
}

/** `1.1` is YAML as gcloud reads it: `yes` is true, `<<` merges, and whole numbers arrive as bigint. */
type YamlVersion = '1.1' | '1.2';

export function readYaml(
  source: string,
  file: string,
  version: YamlVersion = '1.2',
): Result<YamlFile, ConfigProblem> {
  // A lone carriage return ends a line in YAML, but not for the library.
  const text = source.replaceAll(/\r(?!\n)/g, '\n');
  const lines = countLines(text);
  const problem = ({ offset, message }: Fault, path = ''): ConfigProblem => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col, path, message };
  };
  const refuse = (...faults: Fault[]): Result<YamlFile, ConfigProblem> => ({
    ok: false,
    problems: faults.map((fault) => problem(fault)),
  });
  const refusal = findRefusal(text);
  if (refusal !== undefined) return refuse(refusal);
  const document = parse(text, version);
  if (document === undefined) return refuse({ offset: 0, message: 'the file is nested too deep.' });
  const faults = findFaults(document);
  if (faults.length > 0) return refuse(...faults);
  if (version === '1.1') endWhereTheFileEnds(document, text);
  try {
    // The library counts what the aliases stand for, too.
    const value = document.toJS({ maxAliasCount: maxAliases + 1 }) as unknown;
    const problemAt: YamlFile['problemAt'] = (path, message, atKey = false) =>
      problem({ offset: offsetOf(document, path, atKey), message }, printPath(path));
    return { ok: true, value: { value, problemAt } };
  } catch {
    return refuse({ offset: 0, message: 'the file repeats itself through too many aliases.' });
  }
}

interface Fault {
  readonly offset: number;
  readonly message: string;
}

function countLines(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1);
  return lines;
}

/** Why a text is not even parsed. */
function findRefusal(text: string): Fault | undefined {
  if (Buffer.byteLength(text) > maxFileBytes)
    return { offset: 0, message: `the file is larger than ${maxFileBytes / 1024} KiB.` };
  const unprintable = text.search(notPrintable);
  if (unprintable >= 0) {
    const message = 'this character cannot stand in a YAML file; save the file as UTF-8 text.';
    return { offset: unprintable, message };
  }
  if (countAliases(text) > maxAliases)
    return { offset: 0, message: `the file has more than ${maxAliases} aliases (\`*name\`).` };
  return undefined;
}

/** Undefined when it is nested too deep. */
function parse(text: string, version: YamlVersion): Document | undefined {
  try {
    return parseDocument(text, {
      version,
      // The library compares each key with each; `findUnreadable` does not.
      uniqueKeys: false,
      strict: true,
      // Drawing the source below each message is slow, and would repeat hostile text.
      prettyErrors: false,
      ...(version === '1.1' ? { customTags: gcloudTags, merge: true } : {}),
    });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function findFaults(document: Document): readonly Fault[] {
  const faults = [...document.errors, ...document.warnings];
  if (faults.length === 0) return [findUnreadable(document)].filter((fault) => fault !== undefined);
  return faults.slice(0, 5).map(({ code, pos }) => ({
    offset: pos[0],
    message: syntaxMessages[code] ?? 'this is not valid YAML.',
  }));
}

/** A block of text whose last line has no line break has none in its value; the library adds it. */
function endWhereTheFileEnds(document: Document, text: string): void {
  if (text.endsWith('\n')) return;
  visit(document, {
    Scalar: (_, scalar) => {
      const { type, range, value } = scalar;
      if (type !== 'BLOCK_LITERAL' && type !== 'BLOCK_FOLDED') return;
      if (range?.[1] === text.length && typeof value === 'string' && /\n$/.test(value))
        scalar.value = value.slice(0, -1);
    },
  });
}

/**
 * Enough for any list of pools, also when aliases stand for what holds aliases; what multiplies beyond it is
 * an attack. They are counted before anything is made of them: each is looked for in all that is above it.
 */
const maxAliases = 100;

function countAliases(text: string): number {
  let count = 0;
  let isScalarNext = false;
  for (const token of new Lexer().lex(text)) {
    if (!isScalarNext && token.startsWith('*')) count += 1;
    if (count > maxAliases) break;
    isScalarNext = token === scalarMark;
  }
  return count;
}

/** What the lexer puts before the text of a scalar that is not in quotes. @see https://eemeli.org/yaml/#lexer */
const scalarMark = '\u001f';

/**
 * What YAML allows to be written as it is; but not U+0085, which is a line break in YAML 1.1 alone, nor the
 * sign that stands for bytes which are no UTF-8.
 */
const notPrintable = /[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffc\u{10000}-\u{10ffff}]/u;

/** An alias of nothing, a key that is given twice, or one that is no text. */
function findUnreadable(document: Document): Fault | undefined {
  let found: Fault | undefined;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) !== undefined) return undefined;
      found = { offset: alias.range?.[0] ?? 0, message: syntaxMessages['BAD_ALIAS'] ?? '' };
      return visit.BREAK;
    },
    Map: (_, { items }) => {
      const second = secondOf(items.map(({ key }) => key));
      if (second === undefined) return undefined;
      found = { offset: second.range?.[0] ?? 0, message: syntaxMessages['DUPLICATE_KEY'] ?? '' };
      return visit.BREAK;
    },
    Pair: (_, { key }) => {
      if (isScalar(key) || key === null) return undefined;
      found = { offset: (key as Node).range?.[0] ?? 0, message: 'a key must be plain text.' };
      return visit.BREAK;
    },
  });
  return found;
}

/** The first key that was there before. */
function secondOf(keys: readonly unknown[]): Scalar | undefined {
  const seen = new Set<unknown>();
  return keys.filter(isScalar).find(({ value }) => {
    if (seen.has(value)) return true;
    seen.add(value);
    return false;
  });
}

/** In our own words, because the library's repeat what the file says. */
const syntaxMessages: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias (`*name`) takes no tag and no anchor.',
  BAD_ALIAS: 'this alias (`*name`) stands for nothing that is defined above it.',
  BAD_DQ_ESCAPE: 'a backslash in double quotes starts an escape that does not exist.',
  BAD_INDENT: 'the indentation is wrong here.',
  BAD_SCALAR_START: 'a value cannot start with this character; put it in quotes.',
  BLOCK_AS_IMPLICIT_KEY: 'there is a second `:` on this line; put the value in quotes.',
  BLOCK_IN_FLOW: 'a bracket before this is not closed.',
  DUPLICATE_KEY: 'this key is given twice.',
  MISSING_CHAR: 'a quote, bracket, comma or colon is missing here.',
  MULTILINE_IMPLICIT_KEY: 'this looks like a key without its `:`.',
  MULTIPLE_DOCS: 'a second document (`---`) starts here; there may be only one.',
  RESOURCE_EXHAUSTION: 'the file is nested too deep.',
  TAB_AS_INDENT: 'a tab is used for indentation; use spaces.',
  TAG_RESOLVE_FAILED: 'this tag (`!name`) is not known.',
  UNEXPECTED_TOKEN: 'this does not belong here.',
};

/** `workerPoolSpecs[0].machineSpec.machineType` */
function printPath(path: Path): string {
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
      // A mapping that was wrapped into a list: its index is not in the file.
      if (pair === undefined && typeof part === 'number') continue;
      if (pair === undefined) return offset;
      const key = pair.key as Node;
      const value = pair.value as Node | null;
      offset = (isLast && !atKey ? value?.range?.[0] : undefined) ?? key.range?.[0] ?? offset;
      node = value;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(part)];
      node = item as Node | undefined;
      offset = node?.range?.[0] ?? offset;
    } else return offset;
  }
  return offset;
}
