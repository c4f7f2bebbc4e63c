/**
 * The APIs' own descriptions: the protos.json of an official client package in, message types, enums and
 * HTTP rules out. What a request may say is therefore never a list that somebody here has typed.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { z } from 'zod';

const fieldSchema = z.object({
  type: z.string(),
  rule: z.string().optional(),
  keyType: z.string().optional(),
  options: z.record(z.string(), z.unknown()).optional(),
});

const methodSchema = z.object({
  requestType: z.string(),
  responseType: z.string(),
  parsedOptions: z.array(z.record(z.string(), z.unknown())).optional(),
});

/** One node of protobufjs' JSON: a namespace, message, enum or service. */
const nodeSchema = z.object({
  get nested() {
    return z.record(z.string(), nodeSchema).optional();
  },
  fields: z.record(z.string(), fieldSchema).optional(),
  oneofs: z.record(z.string(), z.object({ oneof: z.array(z.string()) })).optional(),
  values: z.record(z.string(), z.number()).optional(),
  methods: z.record(z.string(), methodSchema).optional(),
});
type Node = z.infer<typeof nodeSchema>;

export interface Field {
  /** camelCase, as in JSON. */
  readonly name: string;
  /** snake_case, as in the proto; errors speak of it. */
  readonly protoName: string;
  readonly type: FieldType;
  readonly repeated: boolean;
  /** A `map<string, type>`. */
  readonly map: boolean;
  readonly required: boolean;
  readonly outputOnly: boolean;
  /** Name of the oneof that it belongs to; proto3 `optional` is none. */
  readonly oneof: string | undefined;
}

export type FieldType =
  | { readonly kind: 'scalar'; readonly name: string }
  | { readonly kind: 'enum'; readonly enumType: EnumType }
  | { readonly kind: 'message'; readonly fullName: string };

interface EnumType {
  readonly fullName: string;
  readonly numbers: ReadonlyMap<string, number>;
  readonly names: ReadonlyMap<number, string>;
}

export interface MessageType {
  readonly fullName: string;
  /** By both spellings. */
  readonly fields: ReadonlyMap<string, Field>;
}

interface HttpRule {
  readonly verb: string;
  readonly template: string;
  /** A field of the request, `*` for the whole of it, or undefined for no body. */
  readonly body: string | undefined;
}

export interface Method {
  readonly name: string;
  readonly requestType: string;
  readonly responseType: string;
  readonly rules: readonly HttpRule[];
}

const scalars: ReadonlySet<string> = new Set([
  ...['double', 'float', 'int32', 'int64', 'uint32', 'uint64', 'sint32', 'sint64'],
  ...['fixed32', 'fixed64', 'sfixed32', 'sfixed64', 'bool', 'string', 'bytes'],
]);

/** What an API takes and the package's protos do not have yet: by message, its further fields and enums. */
export type Supplement = Readonly<
  Record<
    string,
    {
      /** Name → type. */
      readonly fields: Readonly<Record<string, string>>;
      /** Names in the order of their numbers. */
      readonly enums?: Readonly<Record<string, readonly string[]>>;
    }
  >
>;

export class Descriptors {
  readonly #root: Node;
  readonly #messages = new Map<string, MessageType>();

  constructor(protos: unknown, supplement: Supplement = {}) {
    this.#root = nodeSchema.parse(protos);
    for (const [message, { fields, enums = {} }] of Object.entries(supplement)) {
      const node = this.#find(message);
      if (node === undefined) throw new Error(`no message ${message} in the protos`);
      for (const [name, type] of Object.entries(fields))
        node.fields = { ...node.fields, [name]: { type } };
      for (const [name, values] of Object.entries(enums)) {
        const numbered = Object.fromEntries(values.map((value, number) => [value, number]));
        node.nested = { ...node.nested, [name]: { values: numbered } };
      }
    }
  }

  /** @throws when the package has no such message: our mistake, never a client's. */
  message(fullName: string): MessageType {
    const known = this.#messages.get(fullName);
    if (known !== undefined) return known;
    const node = this.#find(fullName);
    if (node?.fields === undefined) throw new Error(`no message ${fullName} in the protos`);
    const fields = new Map<string, Field>();
    for (const [name, raw] of Object.entries(node.fields)) {
      const field = this.#field(fullName, node, name, raw);
      fields.set(field.name, field);
      fields.set(field.protoName, field);
    }
    const message = { fullName, fields };
    this.#messages.set(fullName, message);
    return message;
  }

  hasMessage(fullName: string): boolean {
    return this.#find(fullName)?.fields !== undefined;
  }

  method(service: string, name: string): Method {
    const method = this.#find(service)?.methods?.[name];
    if (method === undefined) throw new Error(`no method ${service}.${name} in the protos`);
    const scope = service.slice(0, service.lastIndexOf('.'));
    const http = (method.parsedOptions ?? []).map((option) => option['(google.api.http)']);
    return {
      name,
      requestType: this.#resolve(scope, method.requestType),
      responseType: this.#resolve(scope, method.responseType),
      rules: http.filter((rule) => rule !== undefined).flatMap(toRules),
    };
  }

  #field(message: string, node: Node, name: string, raw: z.infer<typeof fieldSchema>): Field {
    const behaviors = [raw.options?.['(google.api.field_behavior)']].flat();
    const oneof = Object.entries(node.oneofs ?? {}).find(([, { oneof: of }]) => of.includes(name));
    return {
      name,
      protoName: toSnakeCase(name),
      type: this.#fieldType(message, raw.type),
      repeated: raw.rule === 'repeated',
      map: raw.keyType !== undefined,
      required: behaviors.includes('REQUIRED'),
      outputOnly: behaviors.includes('OUTPUT_ONLY'),
      // protobufjs writes proto3 `optional` as a oneof of its own, whose name starts with "_".
      oneof: oneof === undefined || oneof[0].startsWith('_') ? undefined : oneof[0],
    };
  }

  #fieldType(scope: string, type: string): FieldType {
    if (scalars.has(type)) return { kind: 'scalar', name: type };
    const fullName = this.#resolve(scope, type);
    const values = this.#find(fullName)?.values;
    if (values === undefined) return { kind: 'message', fullName };
    const entries = Object.entries(values);
    return {
      kind: 'enum',
      enumType: {
        fullName,
        numbers: new Map(entries),
        names: new Map(entries.map(([key, value]) => [value, key])),
      },
    };
  }

  /** Protobuf's scoping: the innermost enclosing scope that has the name. */
  #resolve(scope: string, type: string): string {
    const bare = type.replace(/^\./, '');
    for (let at = scope; at !== ''; at = at.includes('.') ? at.slice(0, at.lastIndexOf('.')) : '') {
      if (this.#find(`${at}.${bare}`) !== undefined) return `${at}.${bare}`;
    }
    return bare;
  }

  #find(fullName: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const part of fullName.split('.')) {
      const nested: Readonly<Record<string, Node>> | undefined = node.nested;
      if (nested === undefined || !Object.hasOwn(nested, part)) return undefined;
      node = nested[part];
      if (node === undefined) return undefined;
    }
    return node;
  }
}

/** Reads the protos of an installed package such as `@google-cloud/cloudbuild`. */
export function loadDescriptors(packageName: string, supplement?: Supplement): Descriptors {
  const require = createRequire(import.meta.url);
  const path = require.resolve(`${packageName}/build/protos/protos.json`);
  return new Descriptors(JSON.parse(readFileSync(path, 'utf8')), supplement);
}

/** protobufjs' `displayName` back to the proto's `display_name`. */
function toSnakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const ruleSchema = z.looseObject({
  body: z.string().optional(),
  additional_bindings: z.union([z.unknown().array(), z.unknown()]).optional(),
});
const verbs = ['get', 'post', 'put', 'patch', 'delete'];

/** @see https://github.com/googleapis/googleapis/blob/master/google/api/http.proto */
function toRules(value: unknown): HttpRule[] {
  const rule = ruleSchema.parse(value);
  const own = verbs.flatMap((verb) => {
    const template = rule[verb];
    return typeof template === 'string'
      ? [{ verb: verb.toUpperCase(), template, body: rule.body }]
      : [];
  });
  const more = rule.additional_bindings === undefined ? [] : [rule.additional_bindings].flat();
  return [...own, ...more.flatMap(toRules)];
}
