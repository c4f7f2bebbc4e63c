/**
 * The one comment that answers a command line. It carries a hidden marker naming the line, so that an
 * attempt that died after it spoke is not followed by one that says the same again.
 */
import type { Kysely } from 'kysely';
import type { Octokit, RepositoryName } from '../../shared/github/client.ts';
import { createComment, findOwnComment } from '../../shared/github/comments.ts';
import { decideCommand, markAnswered, type CommandKey } from '../store/commands.ts';
import { appendEvent } from '../store/events.ts';
import type { Tables } from '../store/tables.ts';

export interface AnswerContext {
  readonly db: Kysely<Tables>;
  readonly octokit: Octokit;
  readonly repository: RepositoryName;
  readonly issueNumber: number;
  readonly appId: number;
  readonly actorId: number;
  readonly commentedAt: Date;
  readonly now: () => Date;
}

export interface Answer {
  /** `refused`, `answered`, `failed` or `ignored`, for the record. */
  readonly verdict: 'refused' | 'answered' | 'failed' | 'ignored';
  readonly reason: string | null;
  /** Markdown; undefined says nothing. */
  readonly body: string | undefined;
}

/** @param fresh nobody can have answered that line before */
export async function giveAnswer(
  context: AnswerContext,
  key: CommandKey,
  fresh: boolean,
  answer: Answer,
): Promise<void> {
  const { db, octokit, repository, issueNumber } = context;
  await decideCommand(db, key, answer.verdict, answer.reason);
  await appendEvent(db, context.now(), {
    kind: 'command',
    repositoryId: key.repositoryId,
    actorId: context.actorId,
    detail: { ...key, verdict: answer.verdict, reason: answer.reason },
  });
  if (answer.body !== undefined) {
    const marker = `<!-- trainyard-answer ${key.repositoryId}/${key.commentId}/${key.line} -->`;
    const earlier = fresh ? undefined : await findEarlier(context, marker);
    if (earlier === undefined) {
      await createComment(octokit, repository, issueNumber, `${answer.body}\n\n${marker}`);
    }
  }
  await markAnswered(db, key, context.now());
}

function findEarlier(context: AnswerContext, marker: string): Promise<number | undefined> {
  const { octokit, repository, issueNumber, appId, commentedAt } = context;
  return findOwnComment(
    octokit,
    { ...repository, issueNumber, author: { appId }, since: commentedAt.toISOString() },
    (body) => body.endsWith(marker),
  );
}
