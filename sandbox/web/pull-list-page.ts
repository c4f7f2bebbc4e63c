/** A repository's pull requests: all of them in, a page of the open or the closed ones out. */
import type { Pull, Repository } from './api.ts';
import { html, type Html } from './html.ts';
import { icon } from './icons.ts';
import { layout, region, type Regions } from './layout.ts';
import { loginOf, pullState, time } from './parts.ts';
import { pathOf } from './pull-page.ts';

export interface PullList {
  readonly repository: Repository;
  readonly pulls: readonly Pull[];
  readonly shown: Pull['state'];
}

export function pullListRegions({ repository, pulls, shown }: PullList): Regions {
  const rows = pulls.filter(({ state }) => state === shown);
  return {
    'pull-list': html`<div class="box">
      <nav class="box-head list-head" aria-label="Pull requests by state">
        ${(['open', 'closed'] as const).map((state) => renderState(repository, pulls, state, shown))}
      </nav>
      ${
        rows.length === 0
          ? html`<p class="blank">There are no ${shown} pull requests.</p>`
          : rows.map((pull) => renderRow(pull, repository))
      }
    </div>`,
  };
}

export function pullListPage(list: PullList): Html {
  const { owner, repo } = list.repository;
  return layout({
    title: `Pull requests · ${owner}/${repo}`,
    repository: list.repository,
    live: `/${owner}/${repo}/pulls/live?state=${list.shown}`,
    body: html`<h1>Pull requests</h1>
      ${region(pullListRegions(list), 'pull-list')}`,
  });
}

function renderState(
  { owner, repo }: Repository,
  pulls: readonly Pull[],
  state: Pull['state'],
  shown: Pull['state'],
): Html {
  const many = pulls.filter((pull) => pull.state === state).length;
  return html`<a
    href="/${owner}/${repo}/pulls?state=${state}"
    ${state === shown ? html` aria-current="page"` : undefined}
    >${many} ${state === 'open' ? 'Open' : 'Closed'}</a
  > `;
}

function renderRow(pull: Pull, repository: Repository): Html {
  const { name, word } = pullState(pull);
  const told =
    pull.state === 'closed' && typeof pull.closed_at === 'string'
      ? html`by ${loginOf(pull.user)} was ${word.toLowerCase()} ${time(pull.closed_at)}`
      : html`opened ${time(pull.created_at)} by ${loginOf(pull.user)}`;
  return html`<div class="pull-row" id="pull-${pull.number}" data-testid="pull">
    <span class="state-icon ${name}" title="${word}">${icon('pull')}</span>
    <div>
      <a class="pull-link" href="${pathOf(repository, pull.number)}">${pull.title}</a>
      <p class="quiet">#${pull.number} ${told}</p>
    </div>
  </div> `;
}
