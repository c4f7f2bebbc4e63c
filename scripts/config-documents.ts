/** The tables of the two configuration files' keys and the JSON Schema for editors, from the schemas themselves. */
import { z } from 'zod';
import { policyShape, whoShape } from '../shared/config/policy-rules.ts';
import { repoConfigPath, repoConfigSchema } from '../shared/config/repo-config.ts';
import { repositorySchema } from '../shared/config/server-config.ts';
import { markdownTable } from './markdown-table.ts';

interface KeySchema {
  readonly description?: string;
  readonly default?: unknown;
}
interface ObjectSchema {
  readonly properties?: Readonly<Record<string, KeySchema>>;
  readonly required?: readonly string[];
}

/** Below `repositories:` of the operator's file. */
export function renderOperatorKeys(): string {
  return keyTable(repositorySchema);
}

export function renderRepositoryKeys(): string {
  return keyTable(repoConfigSchema);
}

/** The keys by which both files say who may do what; those below `who:` with it in front. */
export function renderPolicyKeys(): string {
  const who = rowsOf(z.strictObject(whoShape)).map(([key = '', ...cells]) => [
    key.replace('`', '`who.'),
    ...cells,
  ]);
  const others = rowsOf(z.strictObject(policyShape)).filter(([key]) => key !== '`who`');
  return markdownTable(
    ['key', 'meaning'],
    [...who, ...others].map(([key = '', , meaning = '']) => [key, meaning]),
  );
}

/** For editors, which complete and check the repository's file by it. */
export function renderRepositorySchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(repoConfigSchema, { io: 'input' });
  const head = { $schema, title: `Trainyard: ${repoConfigPath}` };
  return `${JSON.stringify({ ...head, ...schema }, null, 2)}\n`;
}

function keyTable(schema: z.ZodType): string {
  return markdownTable(['key', 'default', 'meaning'], rowsOf(schema));
}

/** @throws when a key has no description: whoever adds one says what it means. */
function rowsOf(schema: z.ZodType): string[][] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, {
    io: 'input',
  }) as ObjectSchema;
  return Object.entries(properties).map(([key, { description, default: standard }]) => {
    if (description === undefined) throw new Error(`the key ${key} has no description`);
    const given = standard === undefined ? '' : `\`${printed(standard)}\``;
    return [`\`${key}\``, required.includes(key) ? '**required**' : given, description];
  });
}

function printed(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value).replaceAll('"', '');
}
