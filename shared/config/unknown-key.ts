/** What to say of a key that a job config does not have: the key and its neighbours in, a hint out. */
import { quoteToken } from '../command/quote-token.ts';
import { nearest } from '../units.ts';
import { fieldsOf, type Fields } from './job-spec-schema.ts';

export interface UnknownKey {
  readonly message: string;
  /** The key that it should have been, when that is beyond doubt: what stands below it is then read too. */
  readonly meant?: string;
}

/** Keys of the CustomJob around the spec, which people copy along with it. */
const ofCustomJob = new Set(['displayName', 'labels', 'encryptionSpec', 'name']);

export function explainUnknownKey(key: string, message: string, fields: Fields): UnknownKey {
  const names = Object.keys(fields);
  const camel = key.replaceAll(/[_-]([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  if (names.includes(camel)) {
    const text = `${quoteToken(key)} is spelled \`${camel}\` in a job config.`;
    return { message: text, meant: camel };
  }
  const hint = (text: string): UnknownKey => ({
    message: `unknown key ${quoteToken(key)}. ${text}`,
  });
  if (message === 'CustomJobSpec') {
    if (key === 'jobSpec' || key === 'job_spec')
      return hint(`This is a whole CustomJob: keep only what stands below \`${key}\`.`);
    if (ofCustomJob.has(camel))
      return hint('It belongs to the CustomJob around a job config, not into it.');
  }
  const parent = names.find((name) =>
    Object.hasOwn(fieldsOf(fields[name]?.type ?? '') ?? {}, camel),
  );
  if (parent !== undefined) return hint(`\`${camel}\` belongs below \`${parent}\`.`);
  const near = nearest(camel, names) ?? sharingItsBeginning(camel, names);
  return hint(
    near === undefined
      ? `The keys here are ${names.slice(0, 20).join(', ')}.`
      : `Did you mean \`${near}\`?`,
  );
}

/** `replicas` is far from `replicaCount` letter by letter, but begins like nothing else. */
function sharingItsBeginning(key: string, names: readonly string[]): string | undefined {
  const [only, ...others] = names.filter(
    (name) => key.length >= 4 && name.startsWith(key.slice(0, Math.max(4, key.length - 2))),
  );
  return others.length === 0 ? only : undefined;
}
