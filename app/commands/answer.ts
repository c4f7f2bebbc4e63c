/** The one answer to a command: put on record, and said. */
import { CloudError } from '../../shared/errors.ts';
import { createComment, findOwnComment } from '../../shared/github/comments.ts';
import { decideCommand, markAnswered } from '../store/commands.ts';
import { appendEvent } from '../store/events.ts';
import type { Answer, CommandContext, CommandRequest, Request, Tell } from './request.ts';

/** @param fresh nobody can have answered that command before */
export async function giveAnswer(
  { key, actor }: Pick<Request, 'key' | 'actor'>,
  context: CommandContext,
  fresh: boolean,
  answer: Answer,
  tell: Tell,
): Promise<void> {
  const { db } = context;
  const { body } = answer;
  await decideCommand(db, key, answer.verdict, answer.reason);
  await appendEvent(db, context.now(), {
    kind: 'command',
    repositoryId: key.repositoryId,
    actorId: actor.id,
    detail: { ...key, verdict: answer.verdict, reason: answer.reason },
  });
  if (body !== undefined) await tell({ ...answer, body }, fresh);
  await markAnswered(db, key, context.now());
}

/**
 * A comment below the command. It carries a hidden marker naming the command, so that an attempt that died after
 * it spoke is not followed by one that says the same again.
 */
export function inComment(request: CommandRequest, context: CommandContext): Tell {
  const { key, repository, pullNumber } = request;
  const marker = `<!-- trainyard-answer ${key.repositoryId}/${key.origin} -->`;
  return async ({ body }, fresh) => {
    const earlier = fresh ? undefined : await findEarlier(request, context, marker);
    if (earlier !== undefined) return;
    await createComment(context.octokit, repository, pullNumber, `${body}\n\n${marker}`).catch(
      (error: unknown) => notTaken(error, context),
    );
  };
}

/**
 * A locked conversation or an archived repository takes nothing, now or at the next attempt: the answer is on
 * record all the same.
 * @throws what may be taken at the next attempt
 */
export function notTaken(error: unknown, { log }: Pick<CommandContext, 'log'>): void {
  const isForGood = error instanceof CloudError && !error.retryable && !error.ambiguous;
  if (!isForGood) throw error;
  log.warn({ err: error }, 'GitHub took no answer to a command');
}

function findEarlier(
  { repository, pullNumber, askedAt }: CommandRequest,
  { octokit, appId }: CommandContext,
  marker: string,
): Promise<number | undefined> {
  const issueNumber = pullNumber;
  return findOwnComment(
    octokit,
    { ...repository, issueNumber, author: { appId }, since: askedAt.toISOString() },
    (body) => body.endsWith(marker),
  );
}
