/**
 * What looks like somebody's credentials in, `***` out: a program prints its environment when it fails, and more
 * people read a card than a log. It is for accidents: who means to give a token away finds a way. Pure.
 * @see https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
 */

/** Each with what is kept in front, so that a reader knows what stood there. */
const tokens: readonly RegExp[] = [
  // @see https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
  /(?<![A-Za-z0-9])(gh[pousr]_|github_pat_)[\w.-]{6,}/g,
  // Google: access and refresh tokens, API keys, OAuth client secrets.
  /(?<![A-Za-z0-9])(ya29\.|1\/\/0|AIza|GOCSPX-)[\w.-]{10,}/g,
  // JSON Web Tokens: two parts of JSON in Base64, which begin alike, and a signature.
  /(?<![A-Za-z0-9])(eyJ)[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)?/g,
  // Hugging Face, Weights & Biases' and OpenAI's newer keys, AWS, Slack.
  /(?<![A-Za-z0-9])(hf_|sk-|wandb_v1_|xox[abeprs]-)[\w-]{16,}/g,
  /(?<![A-Za-z0-9])(AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/g,
];

/** A key in one line, as it stands in the JSON of a service account; the end may be cut off. */
const keyInLine = /(-----BEGIN [A-Z0-9 ]{0,40}-----).*?(?:-----END [A-Z0-9 ]{0,40}-----|$)/g;

/** @param text one line, or several of which a key is not split over two calls */
export function maskTokens(text: string): string {
  return tokens
    .reduce((masked, pattern) => masked.replaceAll(pattern, '$1***'), text)
    .replaceAll(keyInLine, '$1 ***');
}

const begins = /-----BEGIN [A-Z0-9 ]{0,40}-----/;
const ends = /-----END [A-Z0-9 ]{0,40}-----/;
const base64Line = /^\s*[A-Za-z0-9+/]{16,}={0,2}\s*$/;

/** The same for lines that belong together: a key begins on one and ends on another, of which one may be missing. */
export function maskLines(lines: readonly string[]): readonly string[] {
  const masked = [...lines];
  let open = false;
  for (const [at, line] of lines.entries()) {
    if (begins.test(line)) open = !ends.test(line);
    else if (ends.test(line)) {
      if (!open) maskBefore(masked, at);
      open = false;
    } else if (open && line.trim() !== '') masked[at] = '***';
  }
  return masked.map(maskTokens);
}

/** The log's end begins within a key. */
function maskBefore(lines: string[], end: number): void {
  for (let at = end - 1; at >= 0 && base64Line.test(lines[at] ?? ''); at--) lines[at] = '***';
}
