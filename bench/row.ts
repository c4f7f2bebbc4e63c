/** What a benchmark says: measurements in, the lines of a table out. Never a verdict on the exit code. */

export interface Row {
  readonly what: string;
  /** With its unit. */
  readonly measured: string;
  /** Against a reference that was measured in the same run. */
  readonly ratio?: { readonly value: number; readonly of: string; readonly atMost?: number };
  /** Without a reference: whether the target is met. */
  readonly target?: { readonly text: string; readonly isMet: boolean };
  readonly note?: string;
}

const heads = ['', 'measured', 'ratio', 'target', ''];

export function renderTable(rows: readonly Row[]): string {
  const cells = [heads, ...rows.map(cellsOf)];
  const widths = heads.map((_, column) =>
    Math.max(...cells.map((line) => line[column]?.length ?? 0)),
  );
  return cells
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function cellsOf({ what, measured, ratio, target, note }: Row): string[] {
  const against = ratio === undefined ? '' : `${ratio.value.toFixed(2)} × ${ratio.of}`;
  const goal = ratio?.atMost === undefined ? target?.text : `at most ${ratio.atMost}`;
  const isMet = ratio?.atMost === undefined ? target?.isMet : ratio.value <= ratio.atMost;
  const verdict = isMet === undefined ? '' : isMet ? 'ok' : 'missed';
  return [what, measured, against, goal ?? '', [verdict, note ?? ''].filter(Boolean).join(' ')];
}

export const inMilliseconds = (value: number): string => `${value.toFixed(0)} ms`;
export const inMegabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
