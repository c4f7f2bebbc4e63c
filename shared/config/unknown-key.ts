/** What to say of a key that a file does not have: the key and its neighbours in, a hint out. */
import { quoteToken } from '../command/quote-token.ts';
import { nearest } from '../units.ts';
import { jobSpecSchema } from './job-spec-schema.ts';
import type { Fields, MessageSchema } from './message-schema.ts';

export interface UnknownKey {
  readonly message: string;
  /** The key that it should have been, when that is beyond doubt: what stands below it is then read too. */
  readonly meant?: string;
}

/** @param fields the keys that the mapping may have */
export function explainUnknownKey(key: string, fields: Fields, schema: MessageSchema): UnknownKey {
  const names = Object.keys(fields);
  const camel = toCamelCase(key);
  const parent = names.find((name) =>
    Object.hasOwn(schema.fieldsOf(fields[name]?.type ?? '') ?? {}, camel),
  );
  if (parent !== undefined) return unknown(key, `\`${camel}\` belongs below \`${parent}\`.`);
  const near = nearest(camel, names) ?? sharingItsBeginning(camel, names);
  return unknown(
    key,
    near === undefined
      ? `The keys here are ${names.slice(0, 20).join(', ')}.`
      : `Did you mean \`${near}\`?`,
  );
}

/** Keys of the CustomJob around the spec, which people copy along with it. */
const ofCustomJob = new Set(['displayName', 'labels', 'encryptionSpec', 'name']);

/** A job config's keys are camelCase only, and a CustomJob's are not among them. */
export function explainJobConfigKey(key: string, message: string, fields: Fields): UnknownKey {
  const camel = toCamelCase(key);
  if (Object.hasOwn(fields, camel)) {
    const text = `${quoteToken(key)} is spelled \`${camel}\` in a job config.`;
    return { message: text, meant: camel };
  }
  if (message === 'CustomJobSpec') {
    if (key === 'jobSpec' || key === 'job_spec')
      return unknown(key, `This is a whole CustomJob: keep only what stands below \`${key}\`.`);
    if (ofCustomJob.has(camel))
      return unknown(key, 'It belongs to the CustomJob around a job config, not into it.');
  }
  return explainUnknownKey(key, fields, jobSpecSchema);
}

function unknown(key: string, hint: string): UnknownKey {
  return { message: `unknown key ${quoteToken(key)}. ${hint}` };
}

function toCamelCase(key: string): string {
  return key.replaceAll(/[_-]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `replicas` is far from `replicaCount` letter by letter, but begins like nothing else. */
function sharingItsBeginning(key: string, names: readonly string[]): string | undefined {
  const [only, ...others] = names.filter(
    (name) => key.length >= 4 && name.startsWith(key.slice(0, Math.max(4, key.length - 2))),
  );
  return others.length === 0 ? only : undefined;
}
