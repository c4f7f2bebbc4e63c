/**
 * What GitHub's webhooks look like: octokit's schemas, and its examples, which were recorded from the real
 * service. The schemas leave most properties optional and allow any other, so the examples say the rest.
 * @see https://github.com/octokit/webhooks
 */
import { createRequire } from 'node:module';
import { Ajv, type AnySchemaObject } from 'ajv';
import addFormats from 'ajv-formats';
import type { Payload } from './webhook-receiver.ts';

const require = createRequire(import.meta.url);
const schema = require('@octokit/webhooks-schemas') as {
  readonly definitions: Readonly<Record<string, AnySchemaObject>>;
};
const examples = require('@octokit/webhooks-examples') as readonly {
  readonly name: string;
  readonly examples: readonly Payload[];
}[];

const ajv = new Ajv({ strict: false, allErrors: true });
addFormats(ajv);
ajv.addSchema({ ...schema, $id: 'webhooks' });

/** What the schema of that event has against the payload, as sentences. */
export function problemsOf(event: string, payload: Payload): string[] {
  const { action } = payload;
  const name = action === undefined ? `${event}$event` : `${event}$${action}`;
  if (!(name in schema.definitions)) throw new Error(`there is no schema ${name}`);
  const validate = ajv.compile({ $ref: `webhooks#/definitions/${name}` });
  if (validate(payload)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** Every App has permissions of its own. */
const isPermission = (path: string): boolean => path.includes('.permissions.');

/**
 * How the payload differs from those that were recorded of its event and action: properties that all of them
 * have and it lacks, and values of a type that none of them has. Lists are not looked into, and null is of
 * every type here: that is the schema's business.
 */
export function differencesOf(event: string, payload: Payload): string[] {
  const recorded = (examples.find(({ name }) => name === event)?.examples ?? [])
    .filter(({ action }) => action === payload.action)
    .map((one) => typesByPath(one));
  if (recorded.length === 0) throw new Error(`no ${event}.${payload.action} was recorded`);
  const ours = typesByPath(payload);
  const isNull = (path: string): boolean => ours.get(path) === 'null';
  const isBelowNull = (path: string): boolean =>
    path.split('.').some((_, depth, parts) => isNull(parts.slice(0, depth).join('.')));
  const missing = [...recorded[0]!.keys()]
    .filter((path) => recorded.every((types) => types.has(path)))
    .filter((path) => !ours.has(path) && !isBelowNull(path) && !isPermission(path));
  const otherwise = [...ours].filter(([path, type]) => {
    const seen = recorded.map((types) => types.get(path)).filter((one) => one !== undefined);
    return seen.length > 0 && !seen.includes('null') && type !== 'null' && !seen.includes(type);
  });
  return [
    ...missing.map((path) => `${path} is missing`),
    ...otherwise.map(([path, type]) => `${path} is a ${type}`),
  ];
}

function typesByPath(
  value: unknown,
  prefix = '',
  types = new Map<string, string>(),
): Map<string, string> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return types;
  for (const [key, inner] of Object.entries(value) as [string, unknown][]) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    types.set(path, inner === null ? 'null' : Array.isArray(inner) ? 'list' : typeof inner);
    typesByPath(inner, path, types);
  }
  return types;
}
