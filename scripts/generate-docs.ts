/**
 * Writes what the documents repeat from the code: action.yml and the tables between
 * `<!-- generated: NAME -->` and `<!-- /generated -->`. With `--check` nothing is written, and the exit
 * code is 1 when a file is not what the code says.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  renderActionYml,
  renderInputTables,
  renderMainInputTable,
  renderOutputTable,
} from './action-documents.ts';
import { settingVariables, type SettingVariable } from '../app/settings.ts';
import {
  renderOperatorKeys,
  renderPolicyKeys,
  renderRepositoryKeys,
  renderRepositorySchema,
} from './config-documents.ts';
import { commandRegistry } from '../shared/command/command-registry.ts';
import { markdownTable } from './markdown-table.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const tables: Readonly<Record<string, () => string>> = {
  'action-inputs': renderInputTables,
  'action-main-inputs': renderMainInputTable,
  'action-outputs': renderOutputTable,
  'app-settings': renderSettings,
  'operator-keys': renderOperatorKeys,
  'policy-keys': renderPolicyKeys,
  'repository-keys': renderRepositoryKeys,
  commands: renderCommands,
  'train-keys': renderTrainKeys,
};

const documents: Readonly<Record<string, (text: string) => string>> = {
  'README.md': fillTables,
  'action.yml': renderActionYml,
  'docs/action.md': fillTables,
  'docs/commands.md': fillTables,
  'docs/configuration.md': fillTables,
  'docs/policy.md': fillTables,
  'docs/trainyard.schema.json': renderRepositorySchema,
};

function renderSettings(): string {
  const rows = Object.entries<SettingVariable<unknown>>(settingVariables).map(
    ([name, { description, default: standard, required }]) => [
      `\`${name}\``,
      required === true ? '**required**' : standard === undefined ? '' : `\`${standard}\``,
      description,
    ],
  );
  return markdownTable(['variable', 'default', 'meaning'], rows);
}

function renderCommands(): string {
  const rows = commandRegistry.map(({ usage, summary }) => [`\`${usage}\``, summary]);
  return markdownTable(['command', 'what it does'], rows);
}

function renderTrainKeys(): string {
  const train = commandRegistry.find(({ name }) => name === 'train');
  const rows = (train?.keys ?? []).map(({ name, value, description, example }) => [
    `\`${name}\``,
    value,
    description,
    `\`${example}\``,
  ]);
  return markdownTable(['key', 'value', 'meaning', 'example'], rows);
}

/** @throws when a marker names a table that does not exist. */
function fillTables(text: string): string {
  const marked = /<!-- generated: ([a-z-]+) -->[^]*?<!-- \/generated -->/g;
  return text.replace(marked, (_all, name: string) => {
    const render = tables[name];
    if (render === undefined) throw new Error(`there is no generated table ${name}`);
    return `<!-- generated: ${name} -->\n\n${render()}\n\n<!-- /generated -->`;
  });
}

/** The paths whose text is not what the code says; rewritten unless only checking. @internal */
export function generate(checkOnly: boolean): string[] {
  return Object.entries(documents).flatMap(([path, render]) => {
    const file = join(root, path);
    const before = readOr(file, '');
    const after = render(before);
    if (before === after) return [];
    if (!checkOnly) writeFileSync(file, after);
    return [path];
  });
}

function readOr(file: string, fallback: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return fallback;
    throw error;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const checkOnly = process.argv.includes('--check');
  const changed = generate(checkOnly);
  if (checkOnly && changed.length > 0) {
    process.stderr.write(`Not what the code says; run \`npm run docs\`: ${changed.join(', ')}\n`);
    process.exitCode = 1;
  } else {
    process.stdout.write(changed.length === 0 ? 'up to date\n' : `wrote ${changed.join(', ')}\n`);
  }
}
