/** Tables of a document: its text and the first header cell in, the rows out, each cell as it is written. */
export function rowsOf(markdown: string, firstHeader: string): string[][] {
  const lines = markdown.split('\n');
  const at = lines.findIndex((line) => cellsOf(line)[0] === firstHeader);
  if (at === -1) throw new Error(`no table begins with "${firstHeader}"`);
  const rest = lines.slice(at + 2);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(0, end === -1 ? undefined : end).map(cellsOf);
}

/** A pipe within a cell is written `\|`. */
function cellsOf(line: string): string[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}
