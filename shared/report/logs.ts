/** What `/logs` answers: the end of a log, hostile text, in; Markdown with it folded out. Pure. */
import { formatDuration, shortSha } from '../units.ts';
import type { Run } from '../watch/run.ts';
import { codeSpan, details, fence } from './markdown.ts';
import { utcText } from './words.ts';

export interface ShownLog {
  readonly of: 'build' | 'job';
  /** Oldest first, raw. */
  readonly lines: readonly string[];
  /** These were seen while the run was followed; when the log may be read again, in seconds. */
  readonly newerIn?: number;
}

/** Below what a comment takes, with room for all that is around it. */
const maxLogLength = 50_000;

export function renderLogs({ plan }: Run, log: ShownLog, now: Date): string {
  const { shown, isCut } = newest(log.lines);
  const count = shown.length === 1 ? 'last line' : `last ${shown.length} lines`;
  const cut = isCut ? ', as many as a comment holds' : '';
  const first = `**Log** of the ${log.of} of run ${codeSpan(plan.runId)} (${codeSpan(shortSha(plan.subject.headSha))}): the ${count}${cut} · ${utcText(now)}`;
  const older =
    log.newerIn === undefined
      ? ''
      : `\n\nAs they were seen while the run was followed: Google lets a project read its logs 60 times a minute, and this minute is used up. Ask again in ${formatDuration(log.newerIn)} for newer ones.`;
  return `${first}${older}\n\n${details(`The ${count}`, fence(shown))}\n`;
}

/** As many of the newest lines as there is room for, once they are made fit to be shown. */
function newest(lines: readonly string[]): {
  readonly shown: readonly string[];
  readonly isCut: boolean;
} {
  let from = lines.length;
  let length = 0;
  while (from > 0) {
    const line = lines[from - 1] ?? '';
    // As long as it will be: a fence shows 400 characters of a line behind a gutter of two.
    const longest = Math.min(line.length, 400) + 3;
    if (length + longest > maxLogLength) break;
    length += longest;
    from -= 1;
  }
  return { shown: lines.slice(from), isCut: from > 0 };
}
