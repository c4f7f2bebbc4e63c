/** Pull requests, also in their role as issues, as GitHub's API and webhooks show them. */
import { gitOf, type Hub } from '../hub.ts';
import type { Account, Pull, Repository } from '../state/model.ts';
import { nodeId, viewAccount } from './account.ts';
import { repositoryPage, repositoryUrl, viewRepository } from './repository.ts';

/** @see https://docs.github.com/en/graphql/reference/enums#commentauthorassociation */
export function associationOf(repository: Repository, author: Account): string {
  if (author.id === repository.ownerId) return 'OWNER';
  return String(author.id) in repository.roles ? 'COLLABORATOR' : 'NONE';
}

function addresses(hub: Hub, pull: Pull) {
  const repository = hub.store.repository(pull.repositoryId);
  const base = repositoryUrl(hub, repository);
  const page = `${repositoryPage(hub, repository)}/pull/${pull.number}`;
  const url = `${base}/pulls/${pull.number}`;
  const issue = `${base}/issues/${pull.number}`;
  return { repository, base, page, url, issue };
}

/** A pull request in a list. */
export function viewSimplePull(hub: Hub, pull: Pull) {
  const { repository, page, url, issue } = addresses(hub, pull);
  const author = hub.store.account(pull.authorId);
  const head = hub.store.repository(pull.headRepositoryId);
  const links = linksOf(hub, pull);
  return {
    url,
    id: pull.id,
    node_id: nodeId('PullRequest', pull.id),
    html_url: page,
    diff_url: `${page}.diff`,
    patch_url: `${page}.patch`,
    issue_url: issue,
    number: pull.number,
    state: pull.state,
    locked: pull.lock !== undefined,
    title: pull.title,
    user: viewAccount(hub, author),
    body: pull.body,
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    merged_at: pull.merged?.at ?? null,
    merge_commit_sha: pull.merged?.commitSha ?? null,
    assignee: null,
    assignees: [],
    requested_reviewers: [],
    requested_teams: [],
    labels: [],
    milestone: null,
    draft: pull.draft,
    commits_url: links.commits,
    review_comments_url: links.review_comments,
    review_comment_url: links.review_comment,
    comments_url: links.comments,
    statuses_url: links.statuses,
    head: viewSide(hub, head, pull.headRef, pull.headSha),
    base: viewSide(hub, repository, pull.baseRef, pull.baseSha),
    _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
    author_association: associationOf(repository, author),
    auto_merge: null,
    active_lock_reason: pull.lock?.reason ?? null,
  };
}

function linksOf(hub: Hub, pull: Pull) {
  const { base, page, url, issue } = addresses(hub, pull);
  return {
    self: url,
    html: page,
    issue,
    comments: `${issue}/comments`,
    review_comments: `${url}/comments`,
    review_comment: `${base}/pulls/comments{/number}`,
    commits: `${url}/commits`,
    statuses: `${base}/statuses/${pull.headSha}`,
  };
}

/** Where a pull request comes from or goes to. */
function viewSide(hub: Hub, repository: Repository, ref: string, sha: string) {
  const owner = hub.store.account(repository.ownerId);
  return {
    label: `${owner.login}:${ref}`,
    ref,
    sha,
    user: viewAccount(hub, owner),
    repo: viewRepository(hub, repository),
  };
}

/** A pull request by itself: also what has to be counted in git. */
export async function viewPull(hub: Hub, pull: Pull) {
  const size = await sizeOf(hub, pull);
  return {
    ...viewSimplePull(hub, pull),
    merged: pull.merged !== undefined,
    // GitHub answers null until a background job has tried the merge; here it never has.
    mergeable: null,
    rebaseable: null,
    mergeable_state: 'unknown',
    merged_by:
      pull.merged === undefined ? null : viewAccount(hub, hub.store.account(pull.merged.byId)),
    comments: commentCount(hub, pull),
    review_comments: 0,
    maintainer_can_modify: pull.maintainerCanModify,
    ...size,
  };
}

/** The issue that every pull request also is. */
export function viewIssue(hub: Hub, pull: Pull) {
  const { repository, base, page, url, issue } = addresses(hub, pull);
  const author = hub.store.account(pull.authorId);
  return {
    url: issue,
    repository_url: base,
    labels_url: `${issue}/labels{/name}`,
    comments_url: `${issue}/comments`,
    events_url: `${issue}/events`,
    html_url: page,
    id: pull.id,
    node_id: nodeId('PullRequest', pull.id),
    number: pull.number,
    title: pull.title,
    user: viewAccount(hub, author),
    labels: [],
    state: pull.state,
    locked: pull.lock !== undefined,
    assignee: null,
    assignees: [],
    milestone: null,
    comments: commentCount(hub, pull),
    created_at: pull.createdAt,
    updated_at: pull.updatedAt,
    closed_at: pull.closedAt,
    author_association: associationOf(repository, author),
    active_lock_reason: pull.lock?.reason ?? null,
    draft: pull.draft,
    pull_request: {
      url,
      html_url: page,
      diff_url: `${page}.diff`,
      patch_url: `${page}.patch`,
      merged_at: pull.merged?.at ?? null,
    },
    body: pull.body,
    reactions: countReactions(`${issue}/reactions`, []),
    timeline_url: `${issue}/timeline`,
    performed_via_github_app: null,
    state_reason: null,
  };
}

export function countReactions(url: string, contents: readonly string[]) {
  const count = (content: string): number => contents.filter((one) => one === content).length;
  return {
    url,
    total_count: contents.length,
    '+1': count('+1'),
    '-1': count('-1'),
    laugh: count('laugh'),
    hooray: count('hooray'),
    confused: count('confused'),
    heart: count('heart'),
    rocket: count('rocket'),
    eyes: count('eyes'),
  };
}

function commentCount(hub: Hub, pull: Pull): number {
  return hub.store.state.comments.filter(
    (one) => one.repositoryId === pull.repositoryId && one.issueNumber === pull.number,
  ).length;
}

/** Where the pull request branched off: what its changes are counted from. */
export async function mergeBaseOf(hub: Hub, pull: Pull): Promise<string> {
  const repository = hub.store.repository(pull.repositoryId);
  return (await gitOf(hub, repository).mergeBase(pull.baseSha, pull.headSha)) ?? pull.baseSha;
}

async function sizeOf(hub: Hub, pull: Pull) {
  const git = gitOf(hub, hub.store.repository(pull.repositoryId));
  const from = await mergeBaseOf(hub, pull);
  const files = await git.changedFiles(from, pull.headSha);
  return {
    commits: await git.count(from, pull.headSha),
    additions: files.reduce((sum, { additions }) => sum + additions, 0),
    deletions: files.reduce((sum, { deletions }) => sum + deletions, 0),
    changed_files: files.length,
  };
}
