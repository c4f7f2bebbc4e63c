/**
 * A new comment on a pull request in; each command line in it performed, in order. May be called any number
 * of times for the same comment, also after a crash anywhere inside.
 */
import type { CommandLine } from '../../shared/command/command.ts';
import { mayHoldCommands, parseCommands } from '../../shared/command/parse.ts';
import type { RepositoryName } from '../../shared/github/client.ts';
import {
  getComment,
  react,
  type IssueComment,
  type Reaction,
} from '../../shared/github/comments.ts';
import { getPermission } from '../../shared/github/pulls.ts';
import { decideControl } from '../../shared/policy/decide.ts';
import type { Permission, Refusal } from '../../shared/policy/decision.ts';
import { renderProblem } from '../../shared/report/refusal.ts';
import { commentOrigin } from '../store/commands.ts';
import { claimSign, hasAllSigns } from '../store/stranger-signs.ts';
import { inComment } from './answer.ts';
import { carryOut } from './carry-out.ts';
import { perform } from './perform.ts';
import { refused } from './refused.ts';
import type { CommandContext, CommandRequest, Outcome } from './request.ts';

/** A comment as its delivery tells of it. */
interface NewComment {
  readonly id: number;
  readonly body: string;
  readonly createdAt: Date;
  readonly receivedAt: Date;
  /** How often its delivery was handled, this time included. */
  readonly attempt: number;
  readonly author: { readonly id: number; readonly login: string; readonly isBot: boolean };
  readonly repository: RepositoryName & { readonly id: number };
  readonly pullNumber: number;
  readonly installationId: number;
}

/** How often somebody without authority can make us write, an answer in a pull request and reactions together. */
const strangerLimit = { recently: 5, windowMs: 3_600_000 };

/** @throws {CloudError} when GitHub does not answer and another attempt makes sense */
export async function handleComment(comment: NewComment, context: CommandContext): Promise<void> {
  if (!mayHoldCommands(comment.body)) return;
  const { octokit } = context;
  const [current, permission] = await Promise.all([
    getComment(octokit, comment.repository, comment.id),
    getPermission(octokit, comment.repository, comment.author),
  ]);
  // The delivery could be forged by a replay under another name; what GitHub shows now counts.
  if (current?.author?.id !== comment.author.id) return;
  const rules = context.config.repositories.get(comment.repository.id)?.policy;
  if (isWrittenByMachine(current) && !mayCommand(current, rules?.bots, context.appId)) return;
  const isAuthorised = decideControl({ permission, actor: comment.author }, rules) === undefined;
  // Reading Markdown takes time, and nobody without authority has it for the asking.
  if (!isAuthorised && (await hasHeardEnough(comment, context))) return;
  const found = parseCommands(comment.body);
  const lines = isAuthorised ? found : await linesForStranger(found, comment, context);
  const isEdited = current.body !== comment.body;
  for (const line of lines) {
    const request = requestOf(line, comment, permission, isAuthorised, context);
    const decide = (): Outcome | Promise<Outcome> => outcomeOf(line, isEdited, request, context);
    await perform(request, context, decide, inComment(request, context));
  }
}

function hasHeardEnough({ author }: NewComment, { db, now }: CommandContext): Promise<boolean> {
  return hasAllSigns(db, author.id, strangerLimit, now());
}

/** The first line of the one comment that is answered; another one may get a face, which notifies nobody. */
async function linesForStranger(
  found: readonly CommandLine[],
  { id, author, repository, pullNumber }: NewComment,
  { db, now, octokit, log }: CommandContext,
): Promise<readonly CommandLine[]> {
  if (found.length === 0) return [];
  const place = { actorId: author.id, repositoryId: repository.id, pullNumber };
  const sign = await claimSign(db, { id, ...place }, strangerLimit, now());
  if (sign === 'answer') return found.slice(0, 1);
  if (sign === 'reaction') {
    await react(octokit, repository, id, 'confused').catch((error: unknown) =>
      log.warn({ err: error }, 'could not react to a comment'),
    );
  }
  return [];
}

function isWrittenByMachine(comment: IssueComment): boolean {
  return comment.author?.isBot === true || comment.appId !== undefined;
}

/** A bot that the operator names, with its own comment; never ourselves, and no person through an App. */
function mayCommand(
  { author, appId }: IssueComment,
  bots: readonly number[] | undefined,
  ownAppId: number,
): boolean {
  return author?.isBot === true && bots?.includes(author.id) === true && appId !== ownAppId;
}

function requestOf(
  line: CommandLine,
  comment: NewComment,
  permission: Permission,
  isAuthorised: boolean,
  { octokit, log }: CommandContext,
): CommandRequest {
  const { repository, pullNumber, installationId, createdAt, receivedAt, attempt } = comment;
  return {
    repository,
    pullNumber,
    installationId,
    receivedAt,
    attempt,
    permission,
    key: { repositoryId: repository.id, origin: commentOrigin(comment.id, line.line) },
    actor: comment.author,
    askedAt: createdAt,
    text: line.text,
    react: async (content: Reaction) => {
      // Strangers get one sentence, not a conversation.
      if (!isAuthorised) return;
      await react(octokit, repository, comment.id, content).catch((error: unknown) =>
        log.warn({ err: error }, 'could not react to a comment'),
      );
    },
  };
}

function outcomeOf(
  line: CommandLine,
  isEdited: boolean,
  request: CommandRequest,
  context: CommandContext,
): Outcome | Promise<Outcome> {
  if (isEdited) return refused(editedComment, { text: undefined });
  if (line.kind === 'command') return carryOut(line.command, request, context);
  const { problem } = line;
  return { verdict: 'refused', reason: problem.reason, body: renderProblem(problem, line) };
}

const editedComment: Refusal = {
  kind: 'rejected',
  reason: 'bad_argument',
  message: 'The comment was edited before it was handled, so it is not clear what was meant.',
  fix: 'Write the command as a new comment.',
};
