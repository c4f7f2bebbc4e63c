/** What follows the commands that start nothing: words in, a Command or what is wrong with them out. */
import type { CancelCommand, CommandProblem, StatusCommand } from './command.ts';
import { problem } from './parse-arguments.ts';
import { quoteToken } from './quote-token.ts';

/** @see ../plan/run-id.ts */
const runIdPattern = /^[a-z2-7]{8}$/;

/** @param rest the line after `/cancel` */
export function parseCancel(rest: string): CancelCommand | CommandProblem {
  const word = rest.trim();
  if (word === '') return { kind: 'cancel', target: { kind: 'only' } };
  if (word === 'all') return { kind: 'cancel', target: { kind: 'all' } };
  if (runIdPattern.test(word)) return { kind: 'cancel', target: { kind: 'run', runId: word } };
  const message = `${quoteToken(word)} is no run. The last line of a run's card says its id; \`all\` stands for every run of this pull request.`;
  return problem('bad_argument', word, message, '/cancel all');
}

/** @param rest the line after `/status` */
export function parseStatus(rest: string): StatusCommand | CommandProblem {
  const word = rest.trim();
  if (word === '') return { kind: 'status' };
  const message = `\`/status\` lists all runs of this pull request and takes no ${quoteToken(word)}.`;
  return problem('bad_argument', word, message, '/status');
}
