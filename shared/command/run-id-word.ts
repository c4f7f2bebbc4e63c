/** A word of a command that names a run. */
import { trainKeys } from './train-keys.ts';

/** True for what can be a run's id and is no key of ours (`replicas` has eight letters too). @see ../plan/run-id.ts */
export function isRunId(word: string): boolean {
  return /^[a-z2-7]{8}$/.test(word) && !trainKeys.some(({ name }) => name === word);
}
