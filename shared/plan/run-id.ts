/** Run ids: short enough to type, random enough that nobody guesses another run's directory. */

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** Eight characters of base 32: 40 random bits. @param randomBytes such as node's `crypto.randomBytes` */
export function newRunId(randomBytes: (size: number) => Uint8Array): string {
  return Array.from(randomBytes(8), (byte) => alphabet.charAt(byte % 32)).join('');
}
