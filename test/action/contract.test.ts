/** action.yml = the registries = docs/action.md: three places that say the same. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import {
  inputThemes,
  renderInputTables,
  renderOutputTable,
} from '../../scripts/action-documents.ts';
import { inputDefinitions, type InputDefinition } from '../../action/inputs.ts';
import { outputDefinitions } from '../../action/outputs.ts';

const root = join(import.meta.dirname, '../..');
const action = parse(readFileSync(join(root, 'action.yml'), 'utf8')) as {
  readonly inputs: Readonly<Record<string, { description: string; default?: string }>>;
  readonly outputs: Readonly<Record<string, { description: string }>>;
  readonly runs: { using: string; main: string; post: string };
};

describe('the contract of the Action', () => {
  it('action.yml has the inputs of the registry, word for word', () => {
    const declared = Object.entries(action.inputs).map(([name, input]) => [
      name,
      input.description,
      input.default,
    ]);
    const registered = Object.entries<InputDefinition>(inputDefinitions).map(([name, input]) => [
      name,
      input.description,
      input.default,
    ]);
    expect(declared).toEqual(registered);
  });

  it('action.yml has the outputs of the registry, word for word', () => {
    const declared = Object.entries(action.outputs).map(([name, o]) => [name, o.description]);
    expect(declared).toEqual(Object.entries(outputDefinitions));
  });

  it('docs/action.md has the same tables', () => {
    const document = readFileSync(join(root, 'docs/action.md'), 'utf8');
    expect(document).toContain(renderInputTables());
    expect(document).toContain(renderOutputTable());
  });

  it('tells of each input under one theme', () => {
    expect(Object.values(inputThemes).flat().sort()).toEqual(Object.keys(inputDefinitions).sort());
  });

  it('starts files that are there, on the runtime that is tested', () => {
    expect(action.runs.using).toBe('node24');
    expect(existsSync(join(root, action.runs.main))).toBe(true);
    expect(existsSync(join(root, action.runs.post))).toBe(true);
  });

  it('has snake_case names only', () => {
    const names = [...Object.keys(inputDefinitions), ...Object.keys(outputDefinitions)];
    expect(names.filter((name) => !/^[a-z]+(?:_[a-z]+)*$/.test(name))).toEqual([]);
  });
});
