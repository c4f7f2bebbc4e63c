/**
 * Branch and tag patterns, in RE2's syntax: a pattern in, a test for names out. Its time grows with pattern
 * times name whatever they are, and what RE2 does not know (looking ahead, references back) is refused.
 * @see https://github.com/google/re2/wiki/Syntax
 */
import { parseRe2, type Assertion, type Re2Node } from './re2-syntax.ts';

/** Repetitions multiply; RE2 too has a limit to the size of what comes out. */
const maxInstructions = 20_000;

type Instruction =
  | { readonly kind: 'one'; readonly of: (character: string) => boolean }
  | { readonly kind: 'assert'; readonly at: Assertion }
  /** Goes on at each of these instructions. */
  | { readonly kind: 'split'; readonly to: number[] }
  | { readonly kind: 'found' };

/** Finds the pattern anywhere in the text, as Cloud Build does: only `^` and `$` tie it to the ends. @throws Re2Error */
export function compileRe2(pattern: string): (text: string) => boolean {
  const program: Instruction[] = [];
  emit(parseRe2(pattern, maxInstructions), program);
  program.push({ kind: 'found' });
  return (text) => search(program, Array.from(text));
}

function emit(node: Re2Node, program: Instruction[]): void {
  switch (node.kind) {
    case 'one':
    case 'assert':
      program.push(node);
      return;
    case 'sequence':
      for (const part of node.of) emit(part, program);
      return;
    case 'either': {
      const split = { kind: 'split' as const, to: [] as number[] };
      program.push(split);
      const exits: number[][] = [];
      for (const branch of node.of) {
        split.to.push(program.length);
        emit(branch, program);
        const exit: number[] = [];
        program.push({ kind: 'split', to: exit });
        exits.push(exit);
      }
      for (const exit of exits) exit.push(program.length);
      return;
    }
    case 'repeat':
      emitRepeat(node, program);
  }
}

function emitRepeat(
  { of, min, max }: Extract<Re2Node, { kind: 'repeat' }>,
  program: Instruction[],
): void {
  for (let i = 0; i < min; i++) emit(of, program);
  if (max === Infinity) {
    const loop = { kind: 'split' as const, to: [program.length + 1] };
    const start = program.push(loop) - 1;
    emit(of, program);
    program.push({ kind: 'split', to: [start] });
    loop.to.push(program.length);
    return;
  }
  const skips: number[][] = [];
  for (let i = min; i < max; i++) {
    const skip = { kind: 'split' as const, to: [program.length + 1] };
    program.push(skip);
    skips.push(skip.to);
    emit(of, program);
  }
  for (const skip of skips) skip.push(program.length);
}

/** All places that the program can be in, one character after the other. */
function search(program: readonly Instruction[], text: readonly string[]): boolean {
  let places = new Set<number>();
  for (let at = 0; at <= text.length; at++) {
    // The match may begin at every character.
    const here = closure(program, [...places, 0], text, at);
    if (here.found) return true;
    const character = text[at];
    if (character === undefined) return false;
    places = new Set(
      here.places.flatMap((place) => {
        const instruction = program[place];
        return instruction?.kind === 'one' && instruction.of(character) ? [place + 1] : [];
      }),
    );
  }
  return false;
}

function closure(
  program: readonly Instruction[],
  from: readonly number[],
  text: readonly string[],
  at: number,
): { readonly places: number[]; readonly found: boolean } {
  const seen = new Set<number>(from);
  // A Set's iteration also visits what is added meanwhile.
  for (const place of seen) {
    const instruction = program[place];
    if (instruction?.kind === 'found') return { places: [], found: true };
    if (instruction?.kind === 'split') for (const next of instruction.to) seen.add(next);
    if (instruction?.kind === 'assert' && holds(instruction.at, text, at)) seen.add(place + 1);
  }
  return { places: [...seen], found: false };
}

function holds(assertion: Assertion, text: readonly string[], at: number): boolean {
  const before = text[at - 1];
  const after = text[at];
  const isWord = (character: string | undefined): boolean =>
    character !== undefined && /^[0-9A-Za-z_]$/.test(character);
  switch (assertion) {
    case 'text begins':
      return at === 0;
    case 'text ends':
      return after === undefined;
    case 'line begins':
      return at === 0 || before === '\n';
    case 'line ends':
      return after === undefined || after === '\n';
    case 'word ends or begins':
      return isWord(before) !== isWord(after);
    case 'no word ends or begins':
      return isWord(before) === isWord(after);
  }
}
