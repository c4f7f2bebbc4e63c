/** A pull request's page: what the API told in, its regions and the document around them out. */
import type { Pull, PullView, Repository } from './api.ts';
import { renderCheckBox, renderCheckList } from './checks.ts';
import { commentBox, type CommentBox } from './comment-box.ts';
import { renderCommit, renderConversation } from './conversation.ts';
import { html, type Html } from './html.ts';
import { icon, type IconName } from './icons.ts';
import { layout, region, type Regions } from './layout.ts';
import { author, count, loginOf, pullState } from './parts.ts';

export const tabs = ['conversation', 'commits', 'checks'] as const;
type Tab = (typeof tabs)[number];

/** What changes while somebody looks at a tab. */
export function pullRegions(view: PullView, tab: Tab): Regions {
  const { pull, commits, checks, repository } = view;
  const head = { 'pull-head': renderHead(view), 'pull-tabs': renderTabs(view, tab) };
  switch (tab) {
    case 'conversation':
      return {
        ...head,
        timeline: renderConversation(view),
        'check-box': renderCheckBox(checks, repository),
      };
    case 'commits':
      return {
        ...head,
        'commit-list': html`<div class="box">
          ${commits.map((commit) => renderCommit(commit, repository))}
        </div>`,
      };
    case 'checks':
      return { ...head, 'check-list': renderCheckList(checks, pull.head.sha, repository) };
  }
}

export function pullPage(view: PullView, tab: Tab, box: CommentBox): Html {
  const { pull, repository } = view;
  const { 'pull-head': head, 'pull-tabs': nav, ...rest } = pullRegions(view, tab);
  return layout({
    title: `${pull.title} · Pull Request #${pull.number} · ${repository.owner}/${repository.repo}`,
    repository,
    live: `${pathOf(repository, pull.number)}/live?tab=${tab}`,
    body: html`${region({ 'pull-head': head ?? html`` }, 'pull-head')}
    ${region({ 'pull-tabs': nav ?? html`` }, 'pull-tabs')}
    ${Object.keys(rest).map((id) => region(rest, id, id))}
    ${tab === 'conversation' ? commentBox(box) : undefined}`,
  });
}

export function pathOf({ owner, repo }: Repository, number: number): string {
  return `/${owner}/${repo}/pull/${number}`;
}

function renderHead({ pull, commits }: PullView): Html {
  const state = pullState(pull);
  return html`<h1 data-testid="pull-title">
      ${pull.title} <span class="number">#${pull.number}</span>
    </h1>
    <p class="pull-meta">
      <span class="state ${state.name}" data-testid="pull-state"
        >${icon('pull')} ${state.word}</span
      >
      <span
        >${author(loginOf(pull.user))} ${verbs[state.name]} ${count(commits.length, 'commit')} into
        <code class="branch">${pull.base.ref}</code> from
        <code class="branch">${headName(pull)}</code></span
      >
    </p>`;
}

const verbs = {
  open: 'wants to merge',
  draft: 'wants to merge',
  closed: 'wanted to merge',
  merged: 'merged',
} as const;

/** A fork's branch is named with its owner. */
function headName({ head, base }: Pull): string {
  const owner = head.user?.login ?? 'unknown repository';
  return owner === base.user?.login ? head.ref : `${owner}:${head.ref}`;
}

function renderTabs(view: PullView, current: Tab): Html {
  const { pull, comments, commits, checks, repository } = view;
  const path = pathOf(repository, pull.number);
  const link = (tab: Tab, name: string, suffix: string, face: IconName, number: number): Html =>
    html`<a href="${path}${suffix}" ${tab === current ? html` aria-current="page"` : undefined}
      >${icon(face)} ${name} <span class="counter">${number}</span></a
    >`;
  return html`<nav class="tabs" aria-label="Pull request">
    ${link('conversation', 'Conversation', '', 'comment', comments.length)}
    ${link('commits', 'Commits', '/commits', 'commit', commits.length)}
    ${link('checks', 'Checks', '/checks', 'checks', checks.length)}
  </nav>`;
}
