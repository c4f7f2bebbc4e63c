/** Comments of a pull request's conversation, and the reactions to them. */
import { reactionContents, type Comment, type Pull } from '../../state/model.ts';
import { viewComment, viewReaction } from '../../views/comment.ts';
import { commentEvent } from '../../webhooks/events.ts';
import { hasRole } from '../authorize.ts';
import type { Call, Handler } from '../call.ts';
import { page } from '../paging.ts';
import { ApiError, notAccessible, notFound, ok, type Reply } from '../reply.ts';
import { pullOf } from './pulls.ts';

function commentOf(call: Call): Comment {
  const id = call.integer('comment_id');
  const found = call.hub.store.state.comments.find(
    (one) => one.id === id && one.repositoryId === call.repository.id,
  );
  if (found === undefined) throw notFound();
  return found;
}

function list(call: Call): Reply {
  const pull = pullOf(call, 'issue_number');
  const since = call.optionalText('since');
  const all = call.hub.store.state.comments.filter(
    (one) =>
      one.repositoryId === pull.repositoryId &&
      one.issueNumber === pull.number &&
      (since === undefined || new Date(one.updatedAt) >= new Date(since)),
  );
  const { items, headers } = page(call, all);
  return ok(
    items.map((one) => viewComment(call.hub, one)),
    headers,
  );
}

function create(call: Call): Reply {
  const { hub, actor } = call;
  const pull = pullOf(call, 'issue_number');
  refuseLocked(call, pull);
  const now = hub.now();
  const comment: Comment = {
    id: hub.store.newId(),
    repositoryId: pull.repositoryId,
    issueNumber: pull.number,
    authorId: actor.id,
    byApp: call.isApp,
    createdAt: now,
    body: call.text('body'),
    updatedAt: now,
  };
  hub.store.state.comments.push(comment);
  pull.updatedAt = now;
  commentEvent(hub, 'created', comment, actor);
  const json = viewComment(hub, comment);
  return { status: 201, json, headers: { location: json.url } };
}

/**
 * Only people with write access go on where a conversation is locked; Apps do not, whatever their permissions.
 * @see https://docs.github.com/en/communities/moderating-comments-and-conversations/locking-conversations
 * @see https://github.com/renovatebot/renovate/issues/6215 an App, in these words
 */
function refuseLocked(call: Call, pull: Pull | undefined): void {
  if (pull?.lock === undefined) return;
  if (!call.isApp && hasRole(call.repository, call.actor, 'write')) return;
  throw new ApiError(403, 'Unable to create comment because issue is locked.');
}

/** Authors, and people who can write to the repository, may change a comment. */
function changeable(call: Call): Comment {
  const comment = commentOf(call);
  const { actor } = call;
  if (comment.authorId !== actor.id && (call.isApp || !hasRole(call.repository, actor, 'write'))) {
    throw notAccessible();
  }
  return comment;
}

function update(call: Call): Reply {
  const comment = changeable(call);
  const before = comment.body;
  comment.body = call.text('body');
  comment.updatedAt = call.hub.now();
  if (before !== comment.body) commentEvent(call.hub, 'edited', comment, call.actor, before);
  return ok(viewComment(call.hub, comment));
}

function remove(call: Call): Reply {
  const comment = changeable(call);
  const { comments, reactions } = call.hub.store.state;
  commentEvent(call.hub, 'deleted', comment, call.actor);
  comments.splice(comments.indexOf(comment), 1);
  const kept = reactions.filter(({ commentId }) => commentId !== comment.id);
  reactions.splice(0, reactions.length, ...kept);
  return { status: 204 };
}

function listReactions(call: Call): Reply {
  const { id } = commentOf(call);
  const content = call.optionalText('content');
  const all = call.hub.store.state.reactions.filter(
    (one) => one.commentId === id && (content === undefined || one.content === content),
  );
  const { items, headers } = page(call, all);
  return ok(
    items.map((one) => viewReaction(call.hub, one)),
    headers,
  );
}

/** 201 for a new reaction, 200 for one that this account has already given. */
function react(call: Call): Reply {
  const { hub, actor } = call;
  const comment = commentOf(call);
  refuseLocked(call, hub.store.pull(call.repository, comment.issueNumber));
  const content = reactionContents.find((one) => one === call.text('content'));
  if (content === undefined) throw notFound();
  const { reactions } = hub.store.state;
  const existing = reactions.find(
    (one) => one.commentId === comment.id && one.authorId === actor.id && one.content === content,
  );
  if (existing !== undefined) return ok(viewReaction(hub, existing));
  const reaction = {
    id: hub.store.newId(),
    commentId: comment.id,
    authorId: actor.id,
    content,
    createdAt: hub.now(),
  };
  reactions.push(reaction);
  return { status: 201, json: viewReaction(hub, reaction) };
}

function removeReaction(call: Call): Reply {
  const comment = commentOf(call);
  const { reactions } = call.hub.store.state;
  const id = call.integer('reaction_id');
  const index = reactions.findIndex((one) => one.id === id && one.commentId === comment.id);
  const reaction = reactions[index];
  if (reaction === undefined) throw notFound();
  if (reaction.authorId !== call.actor.id) throw notAccessible();
  reactions.splice(index, 1);
  return { status: 204 };
}

export const comments = {
  'issues/list-comments': list,
  'issues/get-comment': (call) => ok(viewComment(call.hub, commentOf(call))),
  'issues/create-comment': create,
  'issues/update-comment': update,
  'issues/delete-comment': remove,
  'reactions/list-for-issue-comment': listReactions,
  'reactions/create-for-issue-comment': react,
  'reactions/delete-for-issue-comment': removeReaction,
} satisfies Record<string, Handler>;
