/** What follows `/approve`: words in, an ApproveCommand or what is wrong with them out. */
import type { ApproveCommand, CommandProblem } from './command.ts';
import { problem } from './problem.ts';
import { quoteToken } from './quote-token.ts';

/** @param rest the line after `/approve` */
export function parseApprove(rest: string): ApproveCommand | CommandProblem {
  const word = rest.trim();
  if (/^[0-9a-f]{40}$/.test(word)) return { kind: 'approve', sha: word };
  const example = `/approve ${'0123456789abcdef'.repeat(3).slice(0, 40)}`;
  // A short one can come to stand for another commit, which an attacker has made to begin alike.
  const message = /^[0-9a-f]{4,39}$/i.test(word)
    ? `${quoteToken(word)} is a part of a commit's id; copy all 40 digits of the one that you have read.`
    : `${quoteToken(word)} is no commit. Name the one that you have read, with all its 40 digits.`;
  return problem('bad_argument', word, message, example);
}
