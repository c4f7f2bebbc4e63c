/** Keeps a report within what GitHub takes: parts in, one text out, the least important left out first. */

/**
 * Bytes. GitHub refuses more than 65,535 of them in a check's summary, where a comment may have as many characters;
 * other people's edits and our own marker need some room.
 * @see https://github.com/github/docs/issues/35252 ("summary exceeds a maximum bytesize of 65535")
 */
const maxReportBytes = 60_000;

interface Part {
  readonly text: string | undefined;
  /** Parts with a higher number are left out first; without one a part always stays. */
  readonly leaveOut?: number;
}

const shortened = 'Some parts are left out: the report was too long.';

/** Joins the parts with blank lines. A part that is too long by itself is left out whole, so no fence stays open. */
export function fit(parts: readonly Part[], limit = maxReportBytes): string {
  let kept = parts.filter(({ text }) => text !== undefined && text !== '');
  let cut = false;
  for (;;) {
    const text = kept.map((part) => part.text).join('\n\n');
    const optional = kept.map(({ leaveOut }) => leaveOut ?? 0);
    const most = Math.max(0, ...optional);
    if (Buffer.byteLength(text) + shortened.length + 2 <= limit || most === 0) {
      return cut ? `${text}\n\n${shortened}` : text;
    }
    const victim = optional.lastIndexOf(most);
    kept = kept.filter((_, i) => i !== victim);
    cut = true;
  }
}
