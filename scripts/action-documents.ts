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
  const all = Object.entries<InputDefinition>(inputDefinitions);
  return inputTable(all, ({ description }) => description);
}

/** What most steps need, in the README: the first sentence of each. */
const mainInputs = [
  ...(['command', 'project_id', 'region', 'config', 'image', 'gpu'] as const),
  ...(['timeout', 'max_cost_usd', 'wait', 'dry_run'] as const),
] as const satisfies readonly (keyof typeof inputDefinitions)[];

export function renderMainInputTable(): string {
  const main = mainInputs.map((name) => [name, inputDefinitions[name]] as const);
  return inputTable(main, ({ description }) => description.split(/(?<=\.)\s/)[0] ?? description);
}

function inputTable(
  inputs: readonly (readonly [string, InputDefinition])[],
  meaning: (input: InputDefinition) => string,
): string {
  const rows = inputs.map(([name, input]) => {
    const given = input.default === undefined ? '' : `\`${input.default}\``;
    return [`\`${name}\``, input.required === true ? '**required**' : given, meaning(input)];
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
