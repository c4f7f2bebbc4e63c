/** What follows the commands that start nothing: words in, a Command or what is wrong with them out. */
import type {
  CancelCommand,
  CommandProblem,
  CompareCommand,
  CostCommand,
  LogsCommand,
  StatusCommand,
} from './command.ts';
import { problem } from './problem.ts';
import { quoteToken } from './quote-token.ts';
import { isRunId } from './run-id-word.ts';

/** What a comment can hold of a log, and somebody reads; more may be asked for. */
export const maxLogLines = 200;

const whereIds = "The last line of a run's card says its id";

/** @param rest the line after `/cancel` */
export function parseCancel(rest: string): CancelCommand | CommandProblem {
  const word = rest.trim();
  if (word === '') return { kind: 'cancel', target: { kind: 'only' } };
  if (word === 'all') return { kind: 'cancel', target: { kind: 'all' } };
  if (isRunId(word)) return { kind: 'cancel', target: { kind: 'run', runId: word } };
  const message = `${quoteToken(word)} is no run. ${whereIds}; \`all\` stands for every run of this pull request.`;
  return problem('bad_argument', word, message, '/cancel all');
}

/** @param rest the line after `/status` */
export function parseStatus(rest: string): StatusCommand | CommandProblem {
  return parseAlone(rest, 'status', 'lists all runs of this pull request') ?? { kind: 'status' };
}

/** @param rest the line after `/cost` */
export function parseCost(rest: string): CostCommand | CommandProblem {
  return parseAlone(rest, 'cost', 'is about all runs of this pull request') ?? { kind: 'cost' };
}

function parseAlone(rest: string, name: string, what: string): CommandProblem | undefined {
  const word = rest.trim();
  if (word === '') return undefined;
  const message = `\`/${name}\` ${what} and takes no ${quoteToken(word)}.`;
  return problem('bad_argument', word, message, `/${name}`);
}

/** @param rest the line after `/logs` */
export function parseLogs(rest: string): LogsCommand | CommandProblem {
  let runId: string | undefined;
  let lines: number | undefined;
  const example = (): string =>
    `/logs ${runId ?? ''} ${lines === undefined ? '' : `lines=${lines}`}`
      .replaceAll(/ +/g, ' ')
      .trim();
  for (const word of wordsOf(rest)) {
    const [, count] = /^lines=(\d{1,6})$/.exec(word) ?? [];
    if (isRunId(word) && runId === undefined) runId = word;
    else if (count !== undefined && lines === undefined && Number(count) >= 1) {
      // Who asks for more gets what there is room for; the answer says so.
      lines = Number(count);
    } else {
      const message = `${quoteToken(word)} is neither a run nor a number of lines. ${whereIds}; \`lines=\` takes 1 to ${maxLogLines}.`;
      return problem('bad_argument', word, message, example());
    }
  }
  return {
    kind: 'logs',
    ...(runId === undefined ? {} : { runId }),
    ...(lines === undefined ? {} : { lines }),
  };
}

/** What a branch can be called, as far as anybody calls a default branch. */
const branchName = /^[A-Za-z0-9][\w./-]{0,99}$/;

/** @param rest the line after `/compare` */
export function parseCompare(rest: string): CompareCommand | CommandProblem {
  const words = wordsOf(rest);
  const [first, second, third] = words;
  const wrong = [first, second].find(
    (word, at) =>
      word !== undefined && !isRunId(word) && !(branchName.test(word) && at === words.length - 1),
  );
  const extra = wrong ?? third;
  if (extra !== undefined) {
    const message = `${quoteToken(extra)} cannot be compared. ${whereIds}; \`base\` stands for the default branch.`;
    const example = first !== undefined && isRunId(first) ? `/compare ${first} base` : '/compare';
    return problem('bad_argument', extra, message, example);
  }
  const isRunFirst = first !== undefined && isRunId(first);
  const other = isRunFirst ? second : first;
  return {
    kind: 'compare',
    ...(isRunFirst ? { runId: first } : {}),
    ...(other === undefined ? {} : { other: otherOf(other) }),
  };
}

/** Which branch is the default one, the words do not tell. */
function otherOf(word: string): NonNullable<CompareCommand['other']> {
  if (isRunId(word)) return { kind: 'run', runId: word };
  return word === 'base' ? { kind: 'base' } : { kind: 'base', name: word };
}

function wordsOf(rest: string): readonly string[] {
  const text = rest.trim();
  return text === '' ? [] : text.split(/\s+/);
}
