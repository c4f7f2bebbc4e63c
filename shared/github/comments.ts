/** Comments of a pull request and the reactions to them. */
import { z } from 'zod';
import { githubId } from '../config/policy-rules.ts';
import { CloudError } from '../errors.ts';
import {
  ask,
  askOptional,
  findInPages,
  inRepository,
  send,
  type Octokit,
  type RepositoryName,
} from './client.ts';

const commentSchema = z.object({
  id: githubId,
  body: z.string().nullish(),
  created_at: z.string(),
  user: z.object({ id: githubId, login: z.string(), type: z.string() }).nullish(),
  performed_via_github_app: z.object({ id: githubId }).nullish(),
});

export interface IssueComment {
  readonly id: number;
  readonly body: string;
  readonly createdAt: string;
  /** Undefined when the account is gone. */
  readonly author:
    { readonly id: number; readonly login: string; readonly isBot: boolean } | undefined;
  /** Id of the App that wrote it. */
  readonly appId: number | undefined;
}

export type Reaction = 'eyes' | 'rocket' | 'confused';

/** Undefined when the comment was deleted. */
export async function getComment(
  octokit: Octokit,
  repository: RepositoryName,
  commentId: number,
): Promise<IssueComment | undefined> {
  const comment = await askOptional(
    octokit,
    {
      operation: 'issues.getComment',
      route: 'GET /repos/{owner}/{repo}/issues/comments/{comment_id}',
      parameters: { ...inRepository(repository), comment_id: commentId },
    },
    commentSchema,
  );
  return comment === undefined ? undefined : toComment(comment);
}

/** The id of the new comment. */
export async function createComment(
  octokit: Octokit,
  repository: RepositoryName,
  issueNumber: number,
  body: string,
): Promise<number> {
  const { id } = await ask(
    octokit,
    {
      operation: 'issues.createComment',
      route: 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
      parameters: { ...inRepository(repository), issue_number: issueNumber, body },
    },
    z.object({ id: githubId }),
  );
  return id;
}

export async function updateComment(
  octokit: Octokit,
  repository: RepositoryName,
  commentId: number,
  body: string,
): Promise<void> {
  await send(octokit, {
    operation: 'issues.updateComment',
    route: 'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}',
    parameters: { ...inRepository(repository), comment_id: commentId, body },
  });
}

/** Who writes our comments: anybody can copy a marker into one of their own. */
export type Author =
  | { readonly appId: number }
  | { readonly userId: number }
  /** A bot whose id is not told to its own token. */
  | { readonly botLogin: string };

/**
 * The author of what a token writes. A workflow's own token, as every App's, may not ask: it writes as the bot
 * of GitHub Actions.
 * @see https://docs.github.com/en/actions/concepts/security/github_token
 */
export async function whoAmI(octokit: Octokit): Promise<Author> {
  try {
    const request = { operation: 'users.getAuthenticated', route: 'GET /user', parameters: {} };
    const { id } = await ask(octokit, request, z.object({ id: githubId }));
    return { userId: id };
  } catch (error) {
    if (!(error instanceof CloudError) || error.status !== 403 || error.retryable) throw error;
    return { botLogin: 'github-actions[bot]' };
  }
}

function isBy(comment: z.infer<typeof commentSchema>, author: Author): boolean {
  const { user, performed_via_github_app: app } = comment;
  if ('appId' in author) return app?.id === author.appId;
  // A person's comment through an App is that App's.
  if ('userId' in author) return user?.id === author.userId && (app ?? undefined) === undefined;
  return user?.type === 'Bot' && user.login === author.botLogin;
}

/** The comment of that author with that property, looked for over all pages. */
export async function findOwnComment(
  octokit: Octokit,
  where: RepositoryName & {
    readonly issueNumber: number;
    readonly author: Author;
    /** Comments that nobody has touched since are not looked at. */
    readonly since?: string;
  },
  wanted: (body: string) => boolean,
): Promise<number | undefined> {
  const { owner, repo, issueNumber, author, since } = where;
  const found = await findInPages(
    octokit,
    {
      operation: 'issues.listComments',
      route: 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments',
      parameters: {
        owner,
        repo,
        issue_number: issueNumber,
        ...(since === undefined ? {} : { since }),
      },
    },
    z.array(commentSchema),
    (page) => page,
    (comment) => isBy(comment, author) && wanted(comment.body ?? ''),
  );
  return found?.id;
}

/** Reacting twice with the same face is one reaction, so this may be repeated. */
export async function react(
  octokit: Octokit,
  repository: RepositoryName,
  commentId: number,
  content: Reaction,
): Promise<void> {
  await send(octokit, {
    operation: 'reactions.createForIssueComment',
    route: 'POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions',
    parameters: { ...inRepository(repository), comment_id: commentId, content },
  });
}

function toComment(comment: z.infer<typeof commentSchema>): IssueComment {
  const { user } = comment;
  return {
    id: comment.id,
    body: comment.body ?? '',
    createdAt: comment.created_at,
    author:
      user === null || user === undefined
        ? undefined
        : { id: user.id, login: user.login, isBot: user.type !== 'User' },
    appId: comment.performed_via_github_app?.id,
  };
}
