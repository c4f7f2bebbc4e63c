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

type InputName = keyof typeof inputDefinitions;

/** The inputs by what they are about; a test finds each in one of them. @internal */
export const inputThemes: Readonly<Record<string, readonly InputName[]>> = {
  'What is done': [
    'command',
    'wait',
    'dry_run',
    'detach_after',
    'cancel_on_interrupt',
    'job',
    'run_id',
  ],
  'Where, and as whom': [
    ...(['project_id', 'region', 'regions', 'max_attempts'] as const),
    ...(['workload_identity_provider', 'launcher_service_account'] as const),
    ...(['build_service_account', 'service_account'] as const),
    ...(['source_bucket', 'results_bucket', 'base_output_directory', 'registry'] as const),
  ],
  'The image': [
    ...(['image', 'dockerfile', 'context', 'build_args', 'target', 'platform'] as const),
    ...(['layer_cache', 'builder', 'build_region', 'build_machine', 'build_timeout'] as const),
    ...(['build_config', 'substitutions', 'image_name', 'allow_untrusted_head'] as const),
  ],
  'The job': [
    ...(['config', 'display_name', 'gpu', 'machine_type', 'replica_count', 'spot'] as const),
    ...(['args', 'command_override', 'env', 'secrets_env', 'allow_plain_secrets'] as const),
    ...(['labels', 'allow_unknown_machines'] as const),
  ],
  'Time and money': ['timeout', 'start_timeout', 'max_cost_usd', 'prices'],
  'What is said of it': ['compare_as', 'metric', 'goal', 'pr_comment', 'github_token'],
};

/** A table for each theme, with the first sentence of each input; what else is to be known of one is below. */
export function renderInputTables(): string {
  return Object.entries(inputThemes)
    .map(([title, names]) => {
      const inputs = names.map((name) => [name, inputDefinitions[name]] as const);
      const notes = inputs.flatMap(([name, input]) => {
        const [, ...more] = sentencesOf(input);
        return more.length === 0 ? [] : [`- \`${name}\`: ${more.join(' ')}`];
      });
      const parts = [`### ${title}`, inputTable(inputs)];
      return [...parts, ...(notes.length === 0 ? [] : [notes.join('\n')])].join('\n\n');
    })
    .join('\n\n');
}

/** What most steps need, in the README. */
const mainInputs = [
  ...(['command', 'project_id', 'region', 'config', 'image', 'gpu'] as const),
  ...(['timeout', 'max_cost_usd', 'wait', 'dry_run'] as const),
] as const satisfies readonly InputName[];

export function renderMainInputTable(): string {
  return inputTable(mainInputs.map((name) => [name, inputDefinitions[name]]));
}

function inputTable(inputs: readonly (readonly [string, InputDefinition])[]): string {
  const rows = inputs.map(([name, input]) => {
    const given = input.default === undefined ? '' : `\`${input.default}\``;
    const [meaning = ''] = sentencesOf(input);
    return [`\`${name}\``, input.required === true ? '**required**' : given, meaning];
  });
  return markdownTable(['input', 'default', 'meaning'], rows);
}

function sentencesOf({ description }: InputDefinition): readonly string[] {
  return description.split(/(?<=\.\)?)\s/);
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
