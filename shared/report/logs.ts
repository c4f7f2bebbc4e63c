/** What `/logs` answers: the end of a log, hostile text, in; Markdown with it folded out. Pure. */
import { formatDuration, shortSha } from '../units.ts';
import { maxLogLines } from '../command/parse-control.ts';
import { isOver, type Run } from '../watch/run.ts';
import { codeSpan, details, fence } from './markdown.ts';
import { utcText } from './words.ts';

export interface ShownLog {
  readonly of: 'build' | 'job';
  /** Oldest first, raw. */
  readonly lines: readonly string[];
  /** The log has no others. */
  readonly isWhole?: boolean;
  /** These were seen while the run was followed; when the log may be read again, in seconds. */
  readonly newerIn?: number;
}

/** Below what a comment takes, with room for all that is around it. */
const maxLogLength = 50_000;

/** @param asked for so many lines */
export function renderLogs(run: Run, log: ShownLog, now: Date, asked: number): string {
  const { plan } = run;
  const { shown, isCut } = newest(log.lines);
  const count = countText(shown.length, log.isWhole === true && !isCut, isOver(run));
  const cut = isCut ? ', as many as a comment holds' : '';
  const first = `**Log** of the ${log.of} of run ${codeSpan(plan.runId)} (${codeSpan(shortSha(plan.subject.headSha))}): ${count}${cut} · ${utcText(now)}`;
  const limit = asked > maxLogLines ? `\n\n\`lines=\` goes to ${maxLogLines}.` : '';
  const older =
    log.newerIn === undefined
      ? ''
      : `\n\nAs they were seen while the run was followed: Google lets a project read its logs 60 times a minute, and this minute is used up. Ask again in ${formatDuration(log.newerIn)} for newer ones.`;
  const summary = count.replace(/^[a-z]/, (letter) => letter.toUpperCase());
  return `${first}${limit}${older}\n\n${details(summary, fence(shown))}\n`;
}

function countText(count: number, isWhole: boolean, hasEnded: boolean): string {
  if (!isWhole) return count === 1 ? 'the last line' : `the last ${count} lines`;
  const all = count === 1 ? 'its only line' : `all ${count} lines`;
  return hasEnded ? all : `${all} so far`;
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
