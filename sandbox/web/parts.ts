/** Small pieces that several pages show: times, logins, badges, the state of a check. */
import type { CheckRun, Pull } from './api.ts';
import { html, type Html } from './html.ts';
import { icon, type IconName } from './icons.ts';

const shownDate = new Intl.DateTimeFormat('en', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
const wholeDate = new Intl.DateTimeFormat('en', {
  dateStyle: 'medium',
  timeStyle: 'medium',
  timeZone: 'UTC',
});

/** The date, which the page replaces by "3 minutes ago"; the whole time is in the title. */
export function time(iso: string): Html {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return html`<span>at an unknown time</span>`;
  const machine = at.toISOString();
  return html`<time datetime="${machine}" title="${wholeDate.format(at)} UTC"
    >${`on ${shownDate.format(at)}`}</time
  >`;
}

/** `1 commit`, `2 commits` */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function loginOf(user: { readonly login?: string | undefined } | null | undefined): string {
  // GitHub shows accounts that are gone as this one.
  return user?.login ?? 'ghost';
}

/** The name as GitHub shows it: an App's account with a badge instead of its suffix. */
export function author(login: string): Html {
  const name = login.replace(/\[bot\]$/, '');
  const badge = name === login ? undefined : html` <span class="label">bot</span>`;
  return html`<strong class="author">${name}</strong>${badge}`;
}

export function shortSha(sha: string): string {
  return sha.slice(0, 7);
}

interface PullState {
  readonly name: 'open' | 'draft' | 'closed' | 'merged';
  readonly word: string;
}

export function pullState(pull: Pull): PullState {
  if (pull.merged === true || typeof pull.merged_at === 'string')
    return { name: 'merged', word: 'Merged' };
  if (pull.state === 'closed') return { name: 'closed', word: 'Closed' };
  return pull.draft === true ? { name: 'draft', word: 'Draft' } : { name: 'open', word: 'Open' };
}

interface CheckState {
  readonly icon: IconName;
  readonly word: string;
  readonly outcome: 'waiting' | 'passed' | 'failed' | 'neutral';
}

/** @see https://docs.github.com/en/rest/checks/runs#get-a-check-run */
export function checkState({ status, conclusion }: CheckRun): CheckState {
  if (status === 'in_progress')
    return { icon: 'progress', word: 'In progress', outcome: 'waiting' };
  if (status !== 'completed') return { icon: 'queued', word: 'Queued', outcome: 'waiting' };
  switch (conclusion) {
    case 'success':
      return { icon: 'success', word: 'Successful', outcome: 'passed' };
    case 'neutral':
      return { icon: 'neutral', word: 'Neutral', outcome: 'neutral' };
    case 'skipped':
      return { icon: 'neutral', word: 'Skipped', outcome: 'neutral' };
    case 'cancelled':
      return { icon: 'cancelled', word: 'Cancelled', outcome: 'failed' };
    case 'timed_out':
      return { icon: 'failure', word: 'Timed out', outcome: 'failed' };
    case 'action_required':
      return { icon: 'failure', word: 'Action required', outcome: 'failed' };
    case 'stale':
      return { icon: 'neutral', word: 'Stale', outcome: 'neutral' };
    default:
      return { icon: 'failure', word: 'Failing', outcome: 'failed' };
  }
}

export function checkIcon(check: CheckRun): Html {
  const state = checkState(check);
  return html`<span class="check-icon ${state.icon}" title="${state.word}"
    >${icon(state.icon)}</span
  >`;
}

/** How long it took, or since when it has been running. */
export function checkTiming(check: CheckRun): Html | undefined {
  const { started_at: start, completed_at: end } = check;
  if (typeof start !== 'string') return undefined;
  if (typeof end !== 'string') return html`started ${time(start)}`;
  const seconds = Math.max(0, Math.round((Date.parse(end) - Date.parse(start)) / 1_000));
  if (Number.isNaN(seconds)) return undefined;
  const minutes = Math.floor(seconds / 60);
  return html`${minutes > 0 ? `${minutes}m ` : ''}${seconds % 60}s · ended ${time(end)}`;
}
