/** Check runs as the page shows them: the box below the conversation, the tab and one run's own page. */
import type { CheckRun, Repository } from './api.ts';
import { html, type Html } from './html.ts';
import { icon } from './icons.ts';
import { renderMarkdown } from './markdown.ts';
import { checkIcon, checkState, checkTiming, count, shortSha } from './parts.ts';
import type { Regions } from './layout.ts';

/** Nothing when there is no check: a box that says so would be the first thing to read. */
export function renderCheckBox(checks: readonly CheckRun[], repository: Repository): Html {
  if (checks.length === 0) return html``;
  const { name, title, text } = summarize(checks);
  return html`<section class="entry checks" aria-label="Checks">
    <div class="side">
      <span class="checks-badge ${name}" aria-hidden="true">${icon(badges[name])}</span>
    </div>
    <div class="box">
      <div class="checks-head ${name}">
        <h2>${title}</h2>
        <p class="quiet">${text}</p>
      </div>
      ${checks.map((check) => renderCheckRow(check, repository))}
    </div>
  </section>`;
}

const badges = { waiting: 'progress', failed: 'failure', passed: 'success' } as const;

function summarize(checks: readonly CheckRun[]): {
  readonly name: keyof typeof badges;
  readonly title: string;
  readonly text: string;
} {
  const outcomes = checks.map((check) => checkState(check).outcome);
  const number = (wanted: string): number => outcomes.filter((one) => one === wanted).length;
  const text = [
    [number('failed'), 'failing'] as const,
    [number('waiting'), 'in progress'] as const,
    [number('neutral'), 'neutral'] as const,
    [number('passed'), 'successful'] as const,
  ]
    .filter(([many]) => many > 0)
    .map(([many, word]) => `${many} ${word}`)
    .join(', ');
  const what = ` ${checks.length === 1 ? 'check' : 'checks'}`;
  if (outcomes.includes('waiting')) {
    return { name: 'waiting', title: 'Some checks haven’t completed yet', text: text + what };
  }
  if (outcomes.includes('failed')) {
    return { name: 'failed', title: 'Some checks were not successful', text: text + what };
  }
  return { name: 'passed', title: 'All checks have passed', text: text + what };
}

function renderCheckRow(check: CheckRun, { owner, repo }: Repository): Html {
  const title = check.output?.title ?? checkState(check).word;
  return html`<div
    class="check"
    id="check-${check.id}"
    data-testid="check"
    data-name="${check.name}"
    data-status="${check.status}"
    data-conclusion="${check.conclusion ?? ''}"
  >
    ${checkIcon(check)}<span class="check-name"
      ><strong>${check.name}</strong> <span class="quiet check-title">${title}</span></span
    ><a href="/${owner}/${repo}/runs/${check.id}"
      >Details<span class="visually-hidden"> of ${check.name}</span></a
    >
  </div> `;
}

/** The Checks tab. */
export function renderCheckList(
  checks: readonly CheckRun[],
  headSha: string,
  repository: Repository,
): Html {
  if (checks.length === 0) {
    return html`<p class="blank">
      No checks have been reported for <code>${shortSha(headSha)}</code> yet.
    </p>`;
  }
  return html`<p class="quiet">
      ${count(checks.length, 'check')} for <code>${shortSha(headSha)}</code>
    </p>
    <div class="box">${checks.map((check) => renderCheckRow(check, repository))}</div>`;
}

/** What the check's App offers, and GitHub's own Re-run; for those who may write. */
function renderButtons(check: CheckRun): Html | undefined {
  const rerun = {
    label: 'Re-run',
    description: 'Ask the App to do this check again',
    identifier: rerunIdentifier,
  };
  const all = [...(check.actions ?? []), ...(check.status === 'completed' ? [rerun] : [])];
  if (all.length === 0) return undefined;
  return html`<div class="run-buttons" role="group" aria-label="Actions">
    ${all.map(
      ({ label, description, identifier }) =>
        html`<button type="button" data-press="${identifier}" title="${description}">
          ${label}
        </button>`,
    )}
  </div>`;
}

/** Longer than any that an App may give, so that it is none of theirs. */
export const rerunIdentifier = '-- re-run of the whole check --';

/** The page of one check run, which the check's "Details" lead to. @param mayPress whether the person sees its buttons */
export function renderCheckRun(check: CheckRun, mayPress: boolean): Regions {
  const state = checkState(check);
  const { title, summary, text } = check.output ?? {};
  const details = externalLink(check.details_url);
  return {
    run: html`<div
        class="run-head"
        data-testid="check"
        data-name="${check.name}"
        data-status="${check.status}"
        data-conclusion="${check.conclusion ?? ''}"
      >
        ${checkIcon(check)}
        <h1>${check.name}</h1>
        <span class="label">${state.word}</span>
        ${mayPress ? renderButtons(check) : undefined}
      </div>
      <p class="quiet">
        ${check.app?.name ?? check.app?.slug ?? 'A check'} for
        <code>${shortSha(check.head_sha)}</code
        >${timing(check)}${details === undefined ? undefined : html` · <a href="${details}" rel="noopener noreferrer">View more details on ${check.app?.name ?? 'its own page'}</a>`}
      </p>
      <div class="box run-output">
        ${title === null || title === undefined ? undefined : html`<h2>${title}</h2>`}
        <div class="markdown">
          ${summary === null || summary === undefined ? html`<p class="quiet">No output yet.</p>` : renderMarkdown(summary)}
          ${text === null || text === undefined ? undefined : renderMarkdown(text)}
        </div>
      </div>`,
  };
}

function timing(check: CheckRun): Html | undefined {
  const known = checkTiming(check);
  return known === undefined ? undefined : html` · ${known}`;
}

/** An App may write anything there. */
function externalLink(url: string | null | undefined): string | undefined {
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
  return ['http:', 'https:'].includes(new URL(url).protocol) ? url : undefined;
}
