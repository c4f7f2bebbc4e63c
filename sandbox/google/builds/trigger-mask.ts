/**
 * An update of a resource: what is there, what the client sends and its mask in; what is there afterwards
 * out. Without a mask everything is replaced.
 * @see https://google.aip.dev/161
 */
import { invalidArgument } from '../wire/api-error.ts';
import type { Descriptors, MessageType } from '../wire/descriptors.ts';
import { objectAt, type JsonObject } from '../wire/json.ts';

/** @throws ApiError 400 for a path that the resource does not have. */
export function applyMask(
  descriptors: Descriptors,
  type: string,
  before: JsonObject,
  given: JsonObject,
  mask: string,
): JsonObject {
  const paths = mask.split(',').filter((path) => path !== '');
  if (paths.length === 0 || paths.includes('*')) return given;
  return paths.reduce((resource, path) => {
    const message = descriptors.message(type);
    return replaced(descriptors, message, resource, given, path.split('.'), path);
  }, before);
}

function replaced(
  descriptors: Descriptors,
  /** Undefined within a map, whose keys are names of their own. */
  type: MessageType | undefined,
  resource: JsonObject,
  given: JsonObject,
  [first = '', ...rest]: readonly string[],
  path: string,
): JsonObject {
  const field = type?.fields.get(first);
  if (type !== undefined && field === undefined) {
    throw invalidArgument(
      `Invalid field mask: ${JSON.stringify(path)} is no field of the resource.`,
    );
  }
  const name = field?.name ?? first;
  let value = given[name];
  if (rest.length > 0) {
    const isMap = field?.map === true;
    const inner =
      field?.type.kind === 'message' && !isMap
        ? descriptors.message(field.type.fullName)
        : undefined;
    if (inner === undefined && !isMap) {
      throw invalidArgument(
        `Invalid field mask: ${JSON.stringify(path)} is no field of the resource.`,
      );
    }
    value = replaced(
      descriptors,
      inner,
      objectAt(resource, name),
      objectAt(given, name),
      rest,
      path,
    );
  }
  // Setting one member of a oneof clears the others.
  const isKept = (other: string): boolean => {
    if (other === name) return false;
    const oneof = type?.fields.get(other)?.oneof;
    return value === undefined || oneof === undefined || oneof !== field?.oneof;
  };
  const others = Object.entries(resource).filter(([other]) => isKept(other));
  return Object.fromEntries(value === undefined ? others : [...others, [name, value]]);
}
