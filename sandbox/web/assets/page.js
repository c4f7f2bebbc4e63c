// @ts-check
/** Keeps a page up to date: asks once a second and changes only what has changed. */
import { startCheckButtons } from './check-buttons.js';
import { startCommentForm } from './comment-form.js';
import { drawDiagrams } from './diagrams.js';
import { morphChildren } from './morph.js';
import { showRelativeTimes } from './times.js';

const pollMs = 1_000;
/** Nobody looks at a page in the background; it catches up when somebody does. */
const hiddenPollMs = 10_000;
const maxPauseMs = 15_000;

const live = document.body.dataset['live'];
let etag = '';
let failures = 0;
/** @type {Promise<void> | undefined} */
let asking;
/** @type {number | undefined} */
let timer;

async function ask() {
  if (live === undefined) return;
  try {
    const response = await fetch(live, {
      cache: 'no-store',
      headers: { accept: 'application/json', ...(etag === '' ? {} : { 'if-none-match': etag }) },
    });
    if (response.status === 200) {
      show((await response.json()).regions);
      etag = response.headers.get('etag') ?? '';
    }
    // What was here is gone: the page that says so has a way back.
    if (response.status === 404) window.location.reload();
    failures = response.ok || response.status === 304 ? 0 : failures + 1;
  } catch {
    failures += 1;
  }
  document.body.classList.toggle('disconnected', failures > 3);
}

/** @param {Record<string, string>} regions */
function show(regions) {
  const before = shownNow();
  for (const [id, html] of Object.entries(regions)) {
    const element = document.getElementById(id);
    if (element !== null) morphChildren(element, html);
  }
  showRelativeTimes(document);
  drawDiagrams(document);
  announce(before);
}

function shownNow() {
  return {
    comments: new Set([...document.querySelectorAll('[data-comment-id]')].map((one) => one.id)),
    checks: document.querySelector('.checks-head h2')?.textContent ?? '',
  };
}

/**
 * Tells those who do not see the page that somebody has answered or that the checks have come to an end.
 * @param {ReturnType<typeof shownNow>} before
 */
function announce(before) {
  const status = document.getElementById('announcement');
  if (status === null) return;
  const fresh = [...document.querySelectorAll('[data-comment-id]')].filter(
    (one) => !before.comments.has(one.id),
  );
  const author = fresh.at(-1)?.getAttribute('data-author');
  const { checks } = shownNow();
  const news = [author && `New comment by ${author}`, checks !== before.checks && checks];
  const text = news.filter(Boolean).join('. ');
  if (text !== '') status.textContent = text;
}

/** Asks now, also when a question is under way: that one may have been put too early. */
async function refresh() {
  await asking;
  asking = ask();
  await asking;
  schedule();
}

function schedule() {
  window.clearTimeout(timer);
  const pause = document.hidden ? hiddenPollMs : Math.min(maxPauseMs, pollMs * 2 ** failures);
  timer = window.setTimeout(() => void refresh(), pause);
}

showRelativeTimes(document);
drawDiagrams(document);
startCommentForm(refresh);
startCheckButtons(refresh);
window.setInterval(() => showRelativeTimes(document), 10_000);
if (live !== undefined) {
  document.addEventListener('visibilitychange', () => void refresh());
  schedule();
}
