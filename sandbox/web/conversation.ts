/** The conversation of a pull request, oldest first: what the API told in, the timeline's HTML out. */
import type { Comment, Commit, PullView, Repository } from './api.ts';
import { html, type Html } from './html.ts';
import { avatar, icon } from './icons.ts';
import { renderMarkdown } from './markdown.ts';
import { renderReactions } from './reactions.ts';
import { author, count, loginOf, shortSha, time } from './parts.ts';

/** @see https://docs.github.com/en/graphql/reference/enums#commentauthorassociation */
const associations: Readonly<Record<string, string>> = {
  OWNER: 'Owner',
  MEMBER: 'Member',
  COLLABORATOR: 'Collaborator',
  CONTRIBUTOR: 'Contributor',
};

type Event =
  | { readonly kind: 'comment'; readonly at: string; readonly comment: Comment }
  | { readonly kind: 'commits'; readonly at: string; readonly commits: readonly Commit[] };

export function renderConversation(view: PullView): Html {
  const description: Comment = { ...view.pull, id: 0, updated_at: view.pull.created_at };
  return html`${renderComment(description, loginOf(view.pull.user))}
  ${toEvents(view).map((event) =>
    event.kind === 'comment'
      ? renderComment(event.comment, loginOf(view.pull.user))
      : renderCommits(event.commits, view.repository),
  )}`;
}

/** Commits that nobody has spoken between are one entry. */
function toEvents({ commits, comments }: PullView): readonly Event[] {
  const events = [
    ...commits.map((commit): Event => ({ kind: 'commits', at: dateOf(commit), commits: [commit] })),
    ...comments.map((comment): Event => ({ kind: 'comment', at: comment.created_at, comment })),
  ].sort((a, b) => (Date.parse(a.at) || 0) - (Date.parse(b.at) || 0));
  const merged: Event[] = [];
  for (const event of events) {
    const last = merged.at(-1);
    if (event.kind === 'commits' && last?.kind === 'commits') {
      merged.splice(-1, 1, { ...event, commits: [...last.commits, ...event.commits] });
    } else merged.push(event);
  }
  return merged;
}

function renderComment(comment: Comment, opener: string): Html {
  const login = loginOf(comment.user);
  const id = comment.id === 0 ? 'description' : `issuecomment-${comment.id}`;
  const isEdited = comment.updated_at !== comment.created_at;
  const verb = comment.id === 0 ? 'opened' : 'commented';
  const body = comment.body ?? '';
  const content =
    body.trim() === '' ? html`<p class="quiet">No description provided.</p>` : renderMarkdown(body);
  const labels = [
    associations[comment.author_association ?? ''],
    comment.id !== 0 && login === opener ? 'Author' : undefined,
  ].filter((label) => label !== undefined);
  return html`<article
    class="entry"
    id="${id}"
    aria-label="${comment.id === 0 ? 'Description' : 'Comment'} by ${login}"
    data-testid="${comment.id === 0 ? 'description' : 'comment'}"
    data-author="${login}"
    data-comment-id="${comment.id}"
  >
    <div class="side">${avatar(login)}</div>
    <div class="box">
      <div class="box-head">
        <span
          >${author(login)} ${verb}
          <a class="quiet" href="#${id}">${time(comment.created_at)}</a
          >${isEdited ? html` <span class="quiet" title="Last change: ${comment.updated_at}">· edited</span>` : undefined}</span
        >
        <span class="labels"
          >${labels.map((label) => html`<span class="label">${label}</span>`)}</span
        >
      </div>
      <div class="markdown">${content}</div>
      ${renderReactions(comment)}
    </div>
  </article> `;
}

function renderCommits(commits: readonly Commit[], repository: Repository): Html {
  const names = [...new Set(commits.map(authorOf))];
  const first = commits[0]?.sha ?? '';
  return html`<div class="event" id="commits-${first}">
    <div class="event-head">
      <span class="event-icon">${icon('commit')}</span
      ><span
        >${names.map((name, i) => html`${i === 0 ? '' : ', '}${author(name)}`)} added
        ${count(commits.length, 'commit')}</span
      >
    </div>
    ${commits.map((commit) => renderCommit(commit, repository))}
  </div> `;
}

/** One line of a list of commits. */
export function renderCommit(commit: Commit, { owner, repo }: Repository): Html {
  const [title = ''] = commit.commit.message.split('\n');
  return html`<div class="commit" data-testid="commit" data-sha="${commit.sha}">
    ${avatar(authorOf(commit), 20)}<span class="commit-title">${title}</span
    ><span class="quiet commit-when">${time(dateOf(commit))}</span
    ><a href="/${owner}/${repo}/commit/${commit.sha}"
      ><code title="${commit.sha} in ${owner}/${repo}">${shortSha(commit.sha)}</code></a
    >
  </div>`;
}

function authorOf(commit: Commit): string {
  return commit.author?.login ?? commit.commit.author?.name ?? 'somebody';
}

function dateOf(commit: Commit): string {
  return commit.commit.author?.date ?? '';
}
