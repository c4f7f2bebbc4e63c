/**
 * The one comment that answers a command. It carries a hidden marker naming the command, so that an attempt
 * that died after it spoke is not followed by one that says the same again.
 */
import { CloudError } from '../../shared/errors.ts';
import { createComment, findOwnComment } from '../../shared/github/comments.ts';
import { decideCommand, markAnswered } from '../store/commands.ts';
import { appendEvent } from '../store/events.ts';
import type { Answer, CommandContext, CommandRequest } from './request.ts';

/** @param fresh nobody can have answered that command before */
export async function giveAnswer(
  request: CommandRequest,
  context: CommandContext,
  fresh: boolean,
  answer: Answer,
): Promise<void> {
  const { key, actor, repository, pullNumber } = request;
  const { db, octokit } = context;
  await decideCommand(db, key, answer.verdict, answer.reason);
  await appendEvent(db, context.now(), {
    kind: 'command',
    repositoryId: key.repositoryId,
    actorId: actor.id,
    detail: { ...key, verdict: answer.verdict, reason: answer.reason },
  });
  if (answer.body !== undefined) {
    const marker = `<!-- trainyard-answer ${key.repositoryId}/${key.origin} -->`;
    const earlier = fresh ? undefined : await findEarlier(request, context, marker);
    if (earlier === undefined) {
      await createComment(octokit, repository, pullNumber, `${answer.body}\n\n${marker}`).catch(
        (error: unknown) => notTaken(error, context),
      );
    }
  }
  await markAnswered(db, key, context.now());
}

/**
 * A locked conversation or an archived repository takes no comment, now or at the next attempt: the answer is on
 * record all the same.
 */
function notTaken(error: unknown, { log }: CommandContext): void {
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
