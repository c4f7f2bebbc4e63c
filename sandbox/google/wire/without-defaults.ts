/**
 * A message in its JSON form in, the same as proto3 gives it back out: fields that have their type's default
 * are not there, except in a oneof, where being set is what counts.
 * @see https://protobuf.dev/programming-guides/json/#field-presence
 */
import type { Descriptors, Field } from './descriptors.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';

export function withoutDefaults(
  descriptors: Descriptors,
  type: string,
  message: JsonObject,
): JsonObject {
  if (!descriptors.hasMessage(type) || type.startsWith('google.protobuf.')) return message;
  const { fields } = descriptors.message(type);
  return Object.fromEntries(
    Object.entries(message).flatMap(([name, value]) => {
      const field = fields.get(name);
      if (value === undefined) return [];
      if (field === undefined) return [[name, value] as const];
      if (field.oneof === undefined && isDefault(field, value)) return [];
      return [[name, convert(descriptors, field, value)] as const];
    }),
  );
}

function isDefault(field: Field, value: Json): boolean {
  if (field.repeated && Array.isArray(value)) return value.length === 0;
  if (field.map && isJsonObject(value)) return Object.keys(value).length === 0;
  switch (field.type.kind) {
    case 'message':
      return false;
    case 'enum':
      return typeof value === 'string' && field.type.enumType.numbers.get(value) === 0;
    case 'scalar':
      return value === false || value === '' || value === 0 || value === '0';
  }
}

function convert(descriptors: Descriptors, field: Field, value: Json): Json {
  if (field.type.kind !== 'message') return value;
  const { fullName } = field.type;
  const one = (item: Json): Json =>
    isJsonObject(item) ? withoutDefaults(descriptors, fullName, item) : item;
  if (field.map && isJsonObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, one(item ?? null)] as const),
    );
  }
  return Array.isArray(value) ? (value as readonly Json[]).map(one) : one(value);
}
