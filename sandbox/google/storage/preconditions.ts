/** `ifGenerationMatch` and its relatives: query parameters in, whether a request may go on out. */
import type { ObjectRecord } from './object-record.ts';
import { conditionNotMet, invalid, StorageError } from './storage-error.ts';

export interface Preconditions {
  readonly generationMatch?: string;
  readonly generationNotMatch?: string;
  readonly metagenerationMatch?: string;
  readonly metagenerationNotMatch?: string;
}

/** @param prefix `ifSource` for the source of a copy. */
export function readPreconditions(query: URLSearchParams, prefix = 'if'): Preconditions {
  const read = (name: string): string | undefined => {
    const text = query.get(prefix + name);
    if (text === null) return undefined;
    if (!/^\d{1,19}$/.test(text)) throw invalid(`Invalid value for ${prefix}${name}: ${text}`);
    return BigInt(text).toString();
  };
  const generationMatch = read('GenerationMatch');
  const generationNotMatch = read('GenerationNotMatch');
  const metagenerationMatch = read('MetagenerationMatch');
  const metagenerationNotMatch = read('MetagenerationNotMatch');
  return {
    ...(generationMatch === undefined ? {} : { generationMatch }),
    ...(generationNotMatch === undefined ? {} : { generationNotMatch }),
    ...(metagenerationMatch === undefined ? {} : { metagenerationMatch }),
    ...(metagenerationNotMatch === undefined ? {} : { metagenerationNotMatch }),
  };
}

/**
 * @param access a read whose "not" conditions fail is 304, everything else 412.
 * @see https://cloud.google.com/storage/docs/request-preconditions
 */
export function checkPreconditions(
  conditions: Preconditions,
  current: ObjectRecord | undefined,
  access: 'read' | 'write',
): void {
  // Generation 0 stands for "there is no live object".
  const generation = current?.generation ?? '0';
  if (fails(conditions.generationMatch, generation)) throw conditionNotMet();
  if (conditions.generationNotMatch === generation) throw repeated(access);
  checkMetageneration(conditions, current?.metageneration, access);
}

/** The part of the conditions that buckets have too. */
export function checkMetageneration(
  conditions: Preconditions,
  current: number | undefined,
  access: 'read' | 'write',
): void {
  const metageneration = current === undefined ? undefined : String(current);
  if (fails(conditions.metagenerationMatch, metageneration)) throw conditionNotMet();
  if (metageneration !== undefined && conditions.metagenerationNotMatch === metageneration) {
    throw repeated(access);
  }
}

function fails(wanted: string | undefined, actual: string | undefined): boolean {
  return wanted !== undefined && wanted !== actual;
}

function repeated(access: 'read' | 'write'): StorageError {
  return access === 'read' ? new StorageError(304, 'notModified', '') : conditionNotMet();
}
