/** Undoes what phones do to a command as it is typed: curly quotes and long dashes in, plain ones out. */

/**
 * Curly quotes become straight ones, and a long dash that begins a word becomes the two hyphens that it
 * was typed as (`—` alone, `—lr`). What stands between straight quotes was meant as it is.
 */
export function straighten(line: string): string {
  // A quoted stretch is matched first and kept; only what lies outside of one reaches the other branches.
  return line.replaceAll(
    /"(?:\\.|[^"\\])*"|'[^']*'|\\.|[“”„]|[‘’]|(?<=^|\s)[—–](?=[\p{L}\p{N}\s]|$)/gu,
    (match) => {
      if ('“”„'.includes(match)) return '"';
      if ('‘’'.includes(match)) return "'";
      return match === '—' || match === '–' ? '--' : match;
    },
  );
}
