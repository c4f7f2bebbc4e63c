/** Comments and reactions as GitHub's API and webhooks show them. */
import type { Hub } from '../hub.ts';
import type { Comment, Reaction } from '../state/model.ts';
import { nodeId, viewAccount, viewApp } from './account.ts';
import { associationOf, countReactions } from './pull.ts';
import { repositoryPage, repositoryUrl } from './repository.ts';

export function viewComment(hub: Hub, comment: Comment) {
  const repository = hub.store.repository(comment.repositoryId);
  const base = repositoryUrl(hub, repository);
  const url = `${base}/issues/comments/${comment.id}`;
  const author = hub.store.account(comment.authorId);
  const contents = hub.store.state.reactions
    .filter(({ commentId }) => commentId === comment.id)
    .map(({ content }) => content);
  return {
    url,
    html_url: `${repositoryPage(hub, repository)}/pull/${comment.issueNumber}#issuecomment-${comment.id}`,
    issue_url: `${base}/issues/${comment.issueNumber}`,
    id: comment.id,
    node_id: nodeId('IssueComment', comment.id),
    user: viewAccount(hub, author),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: associationOf(repository, author),
    body: comment.body,
    reactions: countReactions(`${url}/reactions`, contents),
    performed_via_github_app: comment.byApp ? viewApp(hub) : null,
  };
}

export function viewReaction(hub: Hub, reaction: Reaction) {
  return {
    id: reaction.id,
    node_id: nodeId('Reaction', reaction.id),
    user: viewAccount(hub, hub.store.account(reaction.authorId)),
    content: reaction.content,
    created_at: reaction.createdAt,
  };
}
