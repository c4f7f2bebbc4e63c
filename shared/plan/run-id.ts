/** Run ids: short enough to type, random enough that nobody guesses another run's directory. */

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/**
 * The run's directory in the results bucket. The id is on the card for all to see; this is not before the run
 * has ended, so that nobody who may write there knows where to write meanwhile.
 * @param randomBytes such as node's `crypto.randomBytes`
 */
export function newRunDirectory(randomBytes: (size: number) => Uint8Array): string {
  return Array.from(randomBytes(26), (byte) => alphabet.charAt(byte % 32)).join('');
}

/** True for what can be a run's id. */
export function isRunId(text: string): boolean {
  return /^[a-z2-7]{8}$/.test(text);
}

/** Eight characters of base 32: 40 random bits. @param randomBytes such as node's `crypto.randomBytes` */
export function newRunId(randomBytes: (size: number) => Uint8Array): string {
  return Array.from(randomBytes(8), (byte) => alphabet.charAt(byte % 32)).join('');
}
