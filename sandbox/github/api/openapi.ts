/**
 * GitHub's own description of the operations that are served, as a router and a validator: method and
 * path in, the operation and its checked input out.
 *
 * @see ../openapi/github.json, made by scripts/extract-openapi.mjs from npm's @octokit/openapi
 */
import { Ajv, type AnySchemaObject, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { readFileSync } from 'node:fs';
import { beyondDescription } from './limits.ts';
import { operations, type OperationId } from './operations.ts';
import { ApiError, MalformedRequest } from './reply.ts';

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: AnySchemaObject;
  /** The value may contain `/`. */
  readonly 'x-multi-segment'?: boolean;
}
interface Operation {
  readonly method: string;
  readonly path: string;
  readonly docs?: string;
  readonly parameters: readonly Parameter[];
  readonly body?: AnySchemaObject;
  readonly bodyRequired?: boolean;
}
interface Description {
  readonly operations: Readonly<Record<OperationId, Operation>>;
  readonly schemas: Readonly<Record<string, AnySchemaObject>>;
}

const description = JSON.parse(
  readFileSync(new URL('../openapi/github.json', import.meta.url), 'utf8'),
) as Description;
const operationIds = Object.keys(operations) as OperationId[];
const schemaId = 'github';

export interface Match {
  readonly id: OperationId;
  readonly method: string;
  /** Still as text. */
  readonly pathParameters: Readonly<Record<string, string>>;
}
export type Input = Readonly<Record<string, unknown>>;

interface Route {
  readonly id: OperationId;
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  /** Literal characters: of two patterns that fit, the one with more of them is meant. */
  readonly weight: number;
}

const routes: readonly Route[] = operationIds
  .map((id): Route => {
    const { method, path, parameters } = description.operations[id];
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
    const multi = new Set(
      parameters.filter((one) => one['x-multi-segment']).map(({ name }) => name),
    );
    const pattern = path
      // The root directory, and the default branch's archive, are asked for with an empty name, with or
      // without the slash before it.
      .replace(/\/(contents|tarball)\/\{(\w+)\}$/, '/$1(?:/{$2:any})?')
      .replace(/\{(\w+)(:any)?\}/g, (_, name: string, any?: string) =>
        any === undefined ? (multi.has(name) ? '(.+)' : '([^/]+)') : '(.*)',
      );
    const weight = path.replace(/\{\w+\}/g, '').length;
    return { id, method, pattern: new RegExp(`^${pattern}$`), names, weight };
  })
  .sort((a, b) => b.weight - a.weight);

/**
 * The operation that a path (below the API's root, still percent-encoded) names.
 * @throws {MalformedRequest} 404 when GitHub, or this part of it, has no such operation
 */
export function matchOperation(method: string, path: string): Match {
  for (const route of routes) {
    if (route.method !== method) continue;
    const found = route.pattern.exec(path);
    if (found === null) continue;
    const values = route.names.map((name, index) => [name, decode(found[index + 1] ?? '')]);
    const pathParameters = Object.fromEntries(values) as Record<string, string>;
    return { id: route.id, method, pathParameters };
  }
  throw new MalformedRequest(404, 'Not Found');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new MalformedRequest(400, 'Problems parsing the URL');
  }
}

export function documentationOf(id: OperationId): string {
  return description.operations[id].docs ?? 'https://docs.github.com/rest';
}

/**
 * All parameters of a request in one record, as Octokit takes them, with the types that GitHub describes.
 * @throws {MalformedRequest} 422 when the description, or what is known beyond it, forbids the request
 */
export function checkInput(
  match: Match,
  query: URLSearchParams,
  body: Readonly<Record<string, unknown>> | undefined,
): Input {
  const { id, pathParameters } = match;
  const { path, query: queries } = validatorsOf(id);
  const inPath: Record<string, unknown> = { ...pathParameters };
  // `issues/x` is nothing that exists rather than a malformed request.
  if (!path(inPath)) throw new ApiError(404, 'Not Found');
  const inQuery: Record<string, unknown> = Object.fromEntries(query);
  if (!queries(inQuery)) throw malformed(queries.errors);
  checkBody(id, body);
  return { ...inQuery, ...body, ...inPath };
}

function checkBody(id: OperationId, body: Readonly<Record<string, unknown>> | undefined): void {
  const { body: schema, bodyRequired } = description.operations[id];
  if (schema === undefined) return;
  if (body === undefined && bodyRequired !== true) return;
  const validate = validatorsOf(id).body;
  const value = body ?? {};
  if (validate !== undefined && !validate(value)) throw malformed(validate.errors);
  const refused = beyondDescription(id, value);
  if (refused !== undefined) throw refused;
}

interface Validators {
  readonly path: ValidateFunction;
  readonly query: ValidateFunction;
  readonly body: ValidateFunction | undefined;
}

const compiled = new Map<OperationId, Validators>();
let ajvs: { readonly coercing: Ajv; readonly strict: Ajv } | undefined;

/** Compiled at the first request of each kind: most runs of the sandbox need few of them. */
function validatorsOf(id: OperationId): Validators {
  const known = compiled.get(id);
  if (known !== undefined) return known;
  ajvs ??= { coercing: newAjv(true), strict: newAjv(false) };
  const { parameters, body } = description.operations[id];
  const validators = {
    path: ajvs.coercing.compile(schemaOf(parameters, 'path')),
    query: ajvs.coercing.compile(schemaOf(parameters, 'query')),
    body: body === undefined ? undefined : ajvs.strict.compile(toJsonSchema(body, true)),
  };
  compiled.set(id, validators);
  return validators;
}

function newAjv(coerceTypes: boolean): Ajv {
  const refuse = (...words: readonly unknown[]): never => {
    // Such as a format that nobody checks.
    throw new Error(`GitHub's description has something new: ${words.join(' ')}`);
  };
  const logger = { log: refuse, warn: refuse, error: refuse };
  const ajv = new Ajv({ strict: false, coerceTypes, useDefaults: coerceTypes, logger });
  addFormats(ajv);
  // A repository's name with its owner's.
  ajv.addFormat('repo.nwo', /^[^/]+\/[^/]+$/);
  ajv.addSchema({ $id: schemaId, schemas: toJsonSchema({ ...description.schemas }, false) });
  return ajv;
}

function schemaOf(parameters: readonly Parameter[], where: 'path' | 'query'): AnySchemaObject {
  const wanted = parameters.filter((parameter) => parameter.in === where);
  return {
    type: 'object',
    properties: Object.fromEntries(
      wanted.map(({ name, schema }) => [name, toJsonSchema(schema, false)]),
    ),
    required: wanted.filter(({ required }) => required).map(({ name }) => name),
  };
}

/**
 * OpenAPI 3.0 → JSON Schema: references into the extract, and null among the values of what is nullable.
 * With `closed` an object takes only the properties that it names, which GitHub enforces ("is not a
 * permitted key") and its description does not say.
 */
function toJsonSchema(schema: AnySchemaObject, closed: boolean): AnySchemaObject {
  const convert = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(convert);
    if (value === null || typeof value !== 'object') return value;
    const copy = Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, convert(inner)]),
    );
    const { $ref, nullable, enum: values, properties, oneOf, anyOf, allOf } = copy;
    if (typeof $ref === 'string') return { $ref: `${schemaId}${$ref}` };
    if (nullable === true && Array.isArray(values)) copy['enum'] = [...(values as unknown[]), null];
    const isOpen = properties === undefined || (oneOf ?? anyOf ?? allOf) !== undefined;
    if (closed && !isOpen && copy['type'] === 'object') copy['additionalProperties'] ??= false;
    return copy;
  };
  return convert(schema) as AnySchemaObject;
}

/** In the words of GitHub's own schema checks. */
function malformed(errors: readonly ErrorObject[] | null | undefined): MalformedRequest {
  const texts = new Set((errors ?? []).map(inGitHubsWords));
  return new MalformedRequest(422, `Invalid request.\n\n${[...texts].join('\n')}`);
}

function inGitHubsWords({ keyword, instancePath, params, message }: ErrorObject): string {
  const at = instancePath.slice(1);
  const text = (key: string): string => String((params as Record<string, unknown>)[key]);
  if (keyword === 'required') return `"${text('missingProperty')}" wasn't supplied.`;
  if (keyword === 'additionalProperties') {
    return `"${text('additionalProperty')}" is not a permitted key.`;
  }
  return at === ''
    ? `The body ${message ?? 'is invalid'}.`
    : `For '${at}': ${message ?? 'invalid'}.`;
}
