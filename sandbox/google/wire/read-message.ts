/**
 * Reads JSON as a proto3 message, as strictly as Google's front end does: unknown names, ill-typed values
 * and oneof conflicts are collected; what is understood comes out in its canonical form (camelCase names,
 * enum names, int64 as text), with output-only fields left out.
 * @see https://protobuf.dev/programming-guides/json/
 */
import type { FieldViolation } from './api-error.ts';
import type { Descriptors, Field, FieldType, MessageType } from './descriptors.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { readScalar } from './read-scalar.ts';
import { readWellKnown } from './read-well-known.ts';

interface Reading {
  readonly message: JsonObject;
  readonly violations: readonly FieldViolation[];
  /** Paths of fields that have to be set and are not; each service words that in its own way. */
  readonly missing: readonly string[];
}

/** Nothing that Google's APIs take is as deep; deeper input is an attack on the stack. */
const maxDepth = 100;

export function readMessage(
  descriptors: Descriptors,
  type: string,
  json: Json,
  path: string,
): Reading {
  const reader = new Reader(descriptors);
  const message = reader.message(descriptors.message(type), json, path, 0);
  return {
    message: isJsonObject(message) ? message : {},
    violations: reader.violations,
    missing: reader.missing,
  };
}

/** One field's value, such as a query parameter's. */
export function readField(
  descriptors: Descriptors,
  field: Field,
  json: Json,
): { readonly value: Json | undefined; readonly violations: readonly FieldViolation[] } {
  const reader = new Reader(descriptors);
  return { value: reader.field(field, json, field.protoName, 0), violations: reader.violations };
}

class Reader {
  readonly violations: FieldViolation[] = [];
  readonly missing: string[] = [];
  readonly #descriptors: Descriptors;

  constructor(descriptors: Descriptors) {
    this.#descriptors = descriptors;
  }

  message(type: MessageType, json: Json, path: string, depth: number): Json | undefined {
    if (depth > maxDepth) {
      this.#refuse(path, 'Message too deep. Max recursion depth reached.');
      return undefined;
    }
    const wellKnown = readWellKnown(type.fullName, json);
    if (wellKnown !== undefined) {
      if ('value' in wellKnown) return wellKnown.value;
      const name = path.slice(path.lastIndexOf('.') + 1);
      const why =
        wellKnown.reason === undefined
          ? quote(json)
          : `Field '${toCamelCase(name)}', ${wellKnown.reason}`;
      this.#refuse(
        path,
        `Invalid value at '${path}' (type.googleapis.com/${type.fullName}), ${why}`,
      );
      return undefined;
    }
    if (!isJsonObject(json)) {
      this.#refuse(
        path,
        `Invalid value at '${path}' (type.googleapis.com/${type.fullName}), ${quote(json)}`,
      );
      return undefined;
    }
    return this.#members(type, json, path, depth);
  }

  #members(type: MessageType, json: JsonObject, path: string, depth: number): JsonObject {
    const result = new Map<string, Json>();
    const oneofs = new Map<string, string>();
    for (const [name, value] of Object.entries(json)) {
      const field = type.fields.get(name);
      if (field === undefined) {
        // Any carries its type's name beside the fields of that type.
        if (name === '@type') continue;
        const at = path === '' ? '' : ` at '${path}'`;
        this.#refuse(
          path,
          `Invalid JSON payload received. Unknown name ${JSON.stringify(name)}${at}: Cannot find field.`,
        );
        continue;
      }
      if (value === undefined || value === null) continue;
      const fieldPath = path === '' ? field.protoName : `${path}.${field.protoName}`;
      if (field.oneof !== undefined && !this.#claim(oneofs, field, path)) continue;
      const read = this.field(field, value, fieldPath, depth + 1);
      // Clients send back what they were given: output-only fields are not an error, and have no effect.
      if (read !== undefined && !field.outputOnly) {
        result.set(field.name, joined(field, result.get(field.name), read));
      }
    }
    for (const field of new Set(type.fields.values())) {
      if (field.required && isUnset(result.get(field.name))) {
        this.missing.push(path === '' ? field.protoName : `${path}.${field.protoName}`);
      }
    }
    return Object.fromEntries(result);
  }

  field(field: Field, json: Json, path: string, depth: number): Json | undefined {
    if (field.map) return this.#map(field, json, path, depth);
    if (!field.repeated) {
      if (Array.isArray(json) && !takesLists(field.type)) {
        const parent = path.slice(0, Math.max(0, path.lastIndexOf('.')));
        const at = parent === '' ? '' : ` at '${parent}'`;
        this.#refuse(
          parent,
          `Invalid JSON payload received. Unknown name ${JSON.stringify(field.name)}${at}: Proto field is not repeating, cannot start list.`,
        );
        return undefined;
      }
      return this.#value(field.type, json, path, depth);
    }
    // Google's front end takes a lone value for a list of one. Proto3 JSON does not, and a client that
    // relies on it has a mistake that is better told here.
    if (!Array.isArray(json)) {
      this.#refuse(path, `Invalid value at '${path}' (${typeName(field.type)}), ${quote(json)}`);
      return undefined;
    }
    const items = json as readonly Json[];
    return items.flatMap((item, i) => this.#value(field.type, item, `${path}[${i}]`, depth) ?? []);
  }

  #map(field: Field, json: Json, path: string, depth: number): Json | undefined {
    if (!isJsonObject(json)) {
      this.#refuse(path, `Invalid value at '${path}' (Map), Cannot bind ${quote(json)} to a map.`);
      return undefined;
    }
    const entries = Object.entries(json).flatMap(([key, item]) => {
      const value = this.#value(field.type, item ?? null, `${path}[${JSON.stringify(key)}]`, depth);
      return value === undefined ? [] : [[key, value] as const];
    });
    return Object.fromEntries(entries);
  }

  #value(type: FieldType, json: Json, path: string, depth: number): Json | undefined {
    if (type.kind === 'message') {
      return this.message(this.#descriptors.message(type.fullName), json, path, depth);
    }
    const value =
      type.kind === 'scalar' ? readScalar(type.name, json) : readEnum(type.enumType, json);
    if (value === undefined) {
      this.#refuse(path, `Invalid value at '${path}' (${typeName(type)}), ${quote(json)}`);
    }
    return value;
  }

  #claim(oneofs: Map<string, string>, field: Field, path: string): boolean {
    const oneof = field.oneof ?? '';
    if (!oneofs.has(oneof)) {
      oneofs.set(oneof, field.name);
      return true;
    }
    this.#refuse(
      path,
      `Invalid value at '${path}' (oneof), oneof field '${toSnake(oneof)}' is already set. Cannot set '${field.name}'`,
    );
    return false;
  }

  #refuse(field: string, description: string): void {
    this.violations.push({ field, description });
  }
}

/** A list that is given under both of its names is one list, as on the wire; of other values the last counts. */
function joined(field: Field, before: Json | undefined, value: Json): Json {
  return field.repeated && !field.map && Array.isArray(before) && Array.isArray(value)
    ? [...(before as readonly Json[]), ...(value as readonly Json[])]
    : value;
}

function readEnum(
  type: {
    readonly numbers: ReadonlyMap<string, number>;
    readonly names: ReadonlyMap<number, string>;
  },
  json: Json,
): Json | undefined {
  if (typeof json === 'string') {
    if (type.numbers.has(json)) return json;
    return /^\d{1,9}$/.test(json) ? type.names.get(Number(json)) : undefined;
  }
  return typeof json === 'number' ? type.names.get(json) : undefined;
}

function typeName(type: FieldType): string {
  switch (type.kind) {
    case 'scalar':
      return `TYPE_${type.name.toUpperCase()}`;
    case 'enum':
      return `type.googleapis.com/${type.enumType.fullName}`;
    case 'message':
      return `type.googleapis.com/${type.fullName}`;
  }
}

/** The value in an error: scalars as they came; the rest may be of any depth. */
function quote(json: Json): string {
  if (Array.isArray(json)) return 'Starting a list where none can be';
  return isJsonObject(json) ? 'Starting an object on a scalar field' : JSON.stringify(json);
}

function takesLists(type: FieldType): boolean {
  return (
    type.kind === 'message' &&
    ['google.protobuf.ListValue', 'google.protobuf.Value'].includes(type.fullName)
  );
}

/** In proto3 a required field that has its type's default is not set. */
function isUnset(value: Json | undefined): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}

function toCamelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function toSnake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
