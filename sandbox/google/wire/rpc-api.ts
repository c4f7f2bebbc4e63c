/**
 * The methods of a proto service as HTTP routes: the descriptors and one handler per served method in, a
 * table of routes out. Validation happens here, so that a handler only ever sees a well-formed request.
 */
import { badRequest, type ApiError, type FieldViolation } from './api-error.ts';
import type { Descriptors, Method } from './descriptors.ts';
import { withEnumNumbers } from './enum-numbers.ts';
import type { Json, JsonObject } from './json.ts';
import { compileTemplate, type PathTemplate } from './path-template.ts';
import { readField, readMessage } from './read-message.ts';

/** The request message in, the response message out, both in canonical JSON. */
export type RpcHandler = (request: JsonObject) => Promise<JsonObject> | JsonObject;

interface RpcApiOptions {
  readonly descriptors: Descriptors;
  /** Such as `google.devtools.cloudbuild.v1.CloudBuild`. */
  readonly service: string;
  /** By method name. A method without one is an unknown route. */
  readonly handlers: Readonly<Record<string, RpcHandler>>;
  /** How this service words that required fields are absent; undefined where it does without them. */
  readonly missing: (paths: readonly string[]) => ApiError | undefined;
}

export interface Route {
  readonly verb: string;
  readonly path: PathTemplate;
  answer(call: RpcCall): Promise<Json>;
}

interface RpcCall {
  readonly pathFields: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Undefined when there was no body. */
  readonly body: Json | undefined;
}

/** @see https://cloud.google.com/apis/docs/system-parameters */
const systemParameters: ReadonlySet<string> = new Set([
  ...['alt', 'fields', 'key', 'callback', 'prettyPrint', 'quotaUser', 'userIp', 'access_token'],
  ...['oauth_token', 'upload_protocol', 'uploadType', 'xgafv', 'userProject', 'trace'],
]);

export function routesOf(options: RpcApiOptions): Route[] {
  return Object.entries(options.handlers).flatMap(([name, handler]) => {
    const method = options.descriptors.method(options.service, name);
    return method.rules.map(({ verb, template, body }) => ({
      verb,
      path: compileTemplate(template),
      answer: async (call: RpcCall) => {
        const request = readRequest(options, method, body, call);
        const response = await handler(request);
        return wantsEnumNumbers(call.query)
          ? withEnumNumbers(options.descriptors, method.responseType, response)
          : response;
      },
    }));
  });
}

/** `$alt=json;enum-encoding=int` is what the generated Node clients ask for. */
export function wantsEnumNumbers(query: URLSearchParams): boolean {
  return (query.get('$alt') ?? query.get('alt') ?? '').includes('enum-encoding=int');
}

function readRequest(
  options: RpcApiOptions,
  method: Method,
  bodyField: string | undefined,
  call: RpcCall,
): JsonObject {
  const { descriptors } = options;
  const violations: FieldViolation[] = [];
  const request: Record<string, Json> = {};
  let missing: readonly string[] = [];
  const requestType = descriptors.message(method.requestType);

  if (bodyField !== undefined) {
    const wrapped = bodyField === '*' ? undefined : requestType.fields.get(bodyField);
    const type = wrapped?.type.kind === 'message' ? wrapped.type.fullName : method.requestType;
    const reading = readMessage(
      descriptors,
      type,
      call.body ?? {},
      wrapped === undefined ? '' : wrapped.protoName,
    );
    violations.push(...reading.violations);
    // What the path binds counts as given; only the body's own fields can be missing.
    if (wrapped !== undefined) missing = reading.missing;
    if (wrapped === undefined) Object.assign(request, reading.message);
    else request[wrapped.name] = reading.message;
  } else if (call.body !== undefined && !isEmpty(call.body)) {
    violations.push({
      field: '',
      description: 'Invalid JSON payload received. The request does not take a body.',
    });
  }
  for (const [name, values] of queryValues(call.query)) {
    readParameter(descriptors, method, name, values, request, violations);
  }
  for (const [name, value] of Object.entries(call.pathFields)) {
    request[requestType.fields.get(name)?.name ?? name] = value;
  }
  if (violations.length > 0) throw badRequest(violations);
  const incomplete = missing.length > 0 ? options.missing(missing) : undefined;
  if (incomplete !== undefined) throw incomplete;
  return request;
}

function readParameter(
  descriptors: Descriptors,
  method: Method,
  name: string,
  values: readonly string[],
  request: Record<string, Json>,
  violations: FieldViolation[],
): void {
  if (name.startsWith('$') || systemParameters.has(name)) return;
  // A dotted name reaches into a message (`read_mask.paths`); its first part must exist, at least.
  const field = descriptors.message(method.requestType).fields.get(name.split('.')[0] ?? '');
  if (field === undefined) {
    violations.push({
      field: '',
      description: `Invalid JSON payload received. Unknown name ${JSON.stringify(name)}: Cannot bind query parameter. Field '${name}' could not be found in request message.`,
    });
    return;
  }
  if (name.includes('.')) return;
  const json: Json = field.repeated ? values : (values.at(-1) ?? '');
  // Clients in Python write `True` in a query.
  const isBool = field.type.kind === 'scalar' && field.type.name === 'bool';
  const value = isBool && typeof json === 'string' ? json.toLowerCase() : json;
  const read = readField(descriptors, field, value);
  violations.push(...read.violations);
  if (read.value !== undefined) request[field.name] = read.value;
}

function queryValues(query: URLSearchParams): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const [name, value] of query) values.set(name, [...(values.get(name) ?? []), value]);
  return values;
}

function isEmpty(json: Json): boolean {
  return typeof json === 'object' && json !== null && Object.keys(json).length === 0;
}
