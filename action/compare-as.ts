/** Which runs train the same thing and may be compared: the inputs in, the label that all of them carry out. Pure. */
import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { ActionInputs } from './inputs.ts';

export const compareLabel = 'trainyard-compare-as';

const maxReadable = 40;
const hashLength = 12;

/** Readable as far as a label can be, and another one for each name. */
export function compareLabelOf({ compareAs, config }: Pick<ActionInputs, 'compareAs' | 'config'>): {
  readonly [compareLabel]: string;
} {
  const name = compareAs ?? posix.normalize(config);
  const readable = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const hash = createHash('sha256').update(name).digest('hex').slice(0, hashLength);
  const value = [...readable.slice(0, maxReadable).split('-').filter(Boolean), hash].join('-');
  return { [compareLabel]: value };
}
