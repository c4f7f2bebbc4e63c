/** The registries in, the text of action.yml and the tables of docs/action.md out. Pure. */
import { inputDefinitions, type InputDefinition } from './inputs.ts';
import { outputDefinitions } from './outputs.ts';

/** @see https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax */
export function renderActionYml(): string {
  const inputs = Object.entries<InputDefinition>(inputDefinitions).flatMap(([name, input]) => [
    `  ${name}:`,
    `    description: ${scalar(input.description)}`,
    // The project can also come from google-github-actions/auth, so no input is required of the workflow.
    `    required: false`,
    ...(input.default === undefined ? [] : [`    default: ${scalar(input.default)}`]),
  ]);
  const outputs = Object.entries(outputDefinitions).flatMap(([name, description]) => [
    `  ${name}:`,
    `    description: ${scalar(description)}`,
  ]);
  return [
    'name: Trainyard',
    'description: Build an image, train it on Vertex AI, and get its metrics and its cost.',
    'author: Trainyard',
    'branding:',
    '  icon: cpu',
    '  color: blue',
    'inputs:',
    ...inputs,
    'outputs:',
    ...outputs,
    'runs:',
    '  using: node24',
    '  main: dist/index.js',
    '  post: dist/index.js',
    '',
  ].join('\n');
}

export function renderInputTable(): string {
  const rows = Object.entries<InputDefinition>(inputDefinitions).map(([name, input]) => {
    const given = input.default === undefined ? '' : `\`${input.default}\``;
    return [`\`${name}\``, input.required === true ? '**required**' : given, input.description];
  });
  return table(['input', 'default', 'meaning'], rows);
}

export function renderOutputTable(): string {
  const rows = Object.entries(outputDefinitions).map(([name, description]) => [
    `\`${name}\``,
    description,
  ]);
  return table(['output', 'meaning'], rows);
}

/** Padded as Prettier pads, so that formatting a document does not change what was generated. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...escaped.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...escaped.map(line)].join('\n');
}

/** Single-quoted YAML, as Prettier would write it in this repository. */
function scalar(text: string): string {
  return text.includes("'") && !text.includes('"')
    ? `"${text.replaceAll('\\', '\\\\')}"`
    : `'${text.replaceAll("'", "''")}'`;
}
