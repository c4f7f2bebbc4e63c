/** JSON as values: what request bodies, stored documents and answers are made of. */
import { z } from 'zod';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json | undefined;
}

/** For members of stored documents that are kept as they came. */
export const jsonSchema: z.ZodType<Json> = z.json();

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member as an object; an empty one when it is absent. */
export function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}

/** The member as text; empty when it is absent or no text. */
export function textAt(object: JsonObject, name: string): string {
  const value = object[name];
  return typeof value === 'string' ? value : '';
}

function listAt(object: JsonObject, name: string): readonly Json[] {
  const value = object[name];
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

export function textsAt(object: JsonObject, name: string): string[] {
  return listAt(object, name).filter((item) => typeof item === 'string');
}

export function objectsAt(object: JsonObject, name: string): JsonObject[] {
  return listAt(object, name).filter((item) => isJsonObject(item));
}

/** The member as a map of texts, such as labels. */
export function textMapAt(object: JsonObject, name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(objectAt(object, name)).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, value] as const] : [],
    ),
  );
}

/** The member as a number; int64 stands as text in JSON. */
export function numberAt(object: JsonObject, name: string): number {
  const value = object[name];
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : 0;
}
