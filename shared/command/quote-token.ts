/** Repeats what somebody typed in a sentence of ours: any text in, a bounded code span out. */

/** The most that is repeated of what somebody typed. */
const maxTokenLength = 60;

/** Cuts a token to what is repeated of it, never through the middle of a character. */
export function boundToken(token: string): string {
  return token.length > maxTokenLength
    ? `${token.slice(0, maxTokenLength - 1).toWellFormed()}…`
    : token.toWellFormed();
}

/** Puts a token into a code span that it cannot close, without characters that nobody sees. */
export function quoteToken(token: string): string {
  const plain = boundToken(token.replaceAll(/\p{Cf}/gu, '?').replaceAll(/\s|\p{Cc}/gu, ' '))
    .replaceAll('`', "'")
    .trim();
  return plain === '' ? '(nothing)' : `\`${plain}\``;
}
