/** `$alt=json;enum-encoding=int`: a message in its canonical JSON form in, the same with enums as numbers out. */
import type { Descriptors, Field } from './descriptors.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';

const opaque: ReadonlySet<string> = new Set([
  'google.protobuf.Struct',
  'google.protobuf.Value',
  'google.protobuf.ListValue',
]);

export function withEnumNumbers(descriptors: Descriptors, type: string, json: Json): Json {
  if (!isJsonObject(json) || opaque.has(type)) return json;
  const resolved = type === 'google.protobuf.Any' ? anyType(json) : type;
  if (resolved === undefined || !descriptors.hasMessage(resolved)) return json;
  const { fields } = descriptors.message(resolved);
  return Object.fromEntries(
    Object.entries(json).flatMap(([name, value]) => {
      if (value === undefined) return [];
      const field = fields.get(name);
      return [[name, field === undefined ? value : convert(descriptors, field, value)] as const];
    }),
  );
}

function anyType(json: JsonObject): string | undefined {
  const url = json['@type'];
  return typeof url === 'string' ? url.replace(/^type\.googleapis\.com\//, '') : undefined;
}

function convert(descriptors: Descriptors, field: Field, value: Json): Json {
  const one = (item: Json): Json => {
    switch (field.type.kind) {
      case 'scalar':
        return item;
      case 'enum':
        return typeof item === 'string' ? (field.type.enumType.numbers.get(item) ?? item) : item;
      case 'message':
        return withEnumNumbers(descriptors, field.type.fullName, item);
    }
  };
  if (field.map && isJsonObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, one(item ?? null)] as const),
    );
  }
  return Array.isArray(value) ? (value as readonly Json[]).map(one) : one(value);
}
