// @ts-check
/** The comment box: posts what was typed as the chosen user, shows a preview, and keeps drafts over reloads. */
import { drawDiagrams } from './diagrams.js';

/** @param {() => Promise<void>} onPosted refreshes the page */
export function startCommentForm(onPosted) {
  const form = document.querySelector('#comment-form');
  if (!(form instanceof HTMLFormElement)) return;
  const text = /** @type {HTMLTextAreaElement} */ (form.querySelector('#comment-body'));
  const speaker = /** @type {HTMLSelectElement} */ (form.querySelector('#comment-as'));
  const submit = /** @type {HTMLButtonElement} */ (form.querySelector('[type=submit]'));
  const problem = /** @type {HTMLElement} */ (form.querySelector('#comment-problem'));
  const draft = `draft ${form.dataset['action']}`;
  let isPosting = false;

  const refresh = () => {
    submit.disabled = isPosting || text.value.trim() === '';
    sessionStorage.setItem(draft, text.value);
  };
  /** @param {string | undefined} message */
  const showProblem = (message) => {
    problem.hidden = message === undefined;
    problem.textContent = message ?? '';
  };
  const post = async () => {
    const body = text.value;
    if (isPosting || body.trim() === '') return;
    isPosting = true;
    showProblem(undefined);
    refresh();
    const answer = await send(form, form.dataset['action'] ?? '', { body, as: speaker.value });
    isPosting = false;
    if (answer.problem !== undefined) showProblem(answer.problem);
    // Whatever was typed while it was being sent stays.
    else if (text.value === body) text.value = '';
    refresh();
    // The button is of no use until there is something to say again.
    if (document.activeElement === submit || document.activeElement === document.body) text.focus();
    await onPosted();
  };

  text.value ||= sessionStorage.getItem(draft) ?? '';
  refresh();
  showSpeaker(form, speaker.value);
  text.addEventListener('input', refresh);
  text.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void post();
  });
  speaker.addEventListener('change', () => {
    document.cookie = `sandbox_as=${speaker.value}; Path=/; Max-Age=604800; SameSite=Strict`;
    showSpeaker(form, speaker.value);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    showPane(form, 'write');
    void post();
  });
  for (const button of form.querySelectorAll('[data-pane]')) {
    button.addEventListener('click', () => {
      const pane = button.getAttribute('data-pane') ?? 'write';
      showPane(form, pane);
      if (pane === 'preview') void preview(form, text.value);
    });
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {string} url
 * @param {unknown} value
 * @returns {Promise<{ problem?: string, html?: string }>}
 */
async function send(form, url, value) {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-csrf-token': form.dataset['csrf'] ?? '',
      },
      body: JSON.stringify(value),
    });
    const answer = await response.json();
    return response.ok ? answer : { problem: answer.message };
  } catch {
    return { problem: 'The sandbox did not answer. Is it still running? Your text is kept.' };
  }
}

/**
 * The picture beside the box is of whoever speaks.
 * @param {HTMLFormElement} form
 * @param {string} role
 */
function showSpeaker(form, role) {
  for (const avatar of form.parentElement?.querySelectorAll('[data-avatar]') ?? []) {
    if (avatar instanceof HTMLElement) avatar.hidden = avatar.dataset['avatar'] !== role;
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {string} pane
 */
function showPane(form, pane) {
  for (const button of form.querySelectorAll('[data-pane]')) {
    button.setAttribute('aria-pressed', String(button.getAttribute('data-pane') === pane));
  }
  const text = form.querySelector('#comment-body');
  const shown = form.querySelector('#comment-preview');
  if (text instanceof HTMLElement) text.hidden = pane !== 'write';
  if (shown instanceof HTMLElement) shown.hidden = pane !== 'preview';
}

/**
 * @param {HTMLFormElement} form
 * @param {string} body
 */
async function preview(form, body) {
  const shown = form.querySelector('#comment-preview');
  if (shown === null) return;
  if (body.trim() === '') {
    shown.textContent = 'Nothing to preview.';
    return;
  }
  const answer = await send(form, '/-/preview', { body });
  if (answer.html === undefined) shown.textContent = answer.problem ?? '';
  else shown.innerHTML = answer.html;
  drawDiagrams(shown);
}
