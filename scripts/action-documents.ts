/** The registries in, the text of action.yml and the tables of docs/action.md out. Pure. */
import { inputDefinitions, type InputDefinition } from '../action/inputs.ts';
import { outputDefinitions } from '../action/outputs.ts';
import { markdownTable } from './markdown-table.ts';

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
  return markdownTable(['input', 'default', 'meaning'], rows);
}

export function renderOutputTable(): string {
  const rows = Object.entries(outputDefinitions).map(([name, description]) => [
    `\`${name}\``,
    description,
  ]);
  return markdownTable(['output', 'meaning'], rows);
}

/** Single-quoted YAML, as Prettier would write it in this repository. */
function scalar(text: string): string {
  return text.includes("'") && !text.includes('"')
    ? `"${text.replaceAll('\\', '\\\\')}"`
    : `'${text.replaceAll("'", "''")}'`;
}
